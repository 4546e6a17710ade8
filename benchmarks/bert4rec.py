"""Would BERT4Rec earn a place in the field? It beside `sasrec`, leave one out on MovieLens 100k.

    python benchmarks/bert4rec.py [--trials 4] [--epochs 150]

BERT4Rec (Sun et al. 2019) is a plain one here: torch's encoder looks both ways at windows of a
history in which some courses are masked anew each epoch, and in some only the last one (section
3.6); cross entropy over the whole catalogue, one vector a course. Asked, it gets the newest events
and a mask after them. The logs, the targets, the candidates and the choice of trial and epoch are
those of `parity_movielens.py`; ten epochs without a better one end a trial of BERT4Rec, five one of
`sasrec`, which learns from every place of a window where BERT4Rec learns from the masked ones.
Seconds are a processor's, one thread, of training alone. The last line is JSON.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from parity_movielens import configurations, measured, told
from peers import events, targets_of, training_of
from recsweep.data.types import Targets, Training
from recsweep.evaluation.metrics import ndcg, recall

PATIENCE, ONLY_LAST = 10, 0.1
TRIALS = (
    {"width": 64, "dropout": 0.2, "mask": 0.2, "window": 50, "rate": 1e-3},
    {"width": 64, "dropout": 0.2, "mask": 0.4, "window": 50, "rate": 1e-3},
    {"width": 128, "dropout": 0.5, "mask": 0.2, "window": 50, "rate": 1e-3},
    {"width": 64, "dropout": 0.2, "mask": 0.2, "window": 100, "rate": 1e-3},
)
"""The paper's size for its MovieLens and mask share first; two heads, two layers, batches of 64."""


class Bert4Rec(nn.Module):
    """Logits over the catalogue of every place of (n_rows, window) courses."""

    def __init__(self, n_items: int, config: Mapping[str, Any]) -> None:
        super().__init__()
        width, dropout = config["width"], config["dropout"]
        self.n_items, self.window = n_items, config["window"]
        self.courses = nn.Embedding(n_items + 2, width, padding_idx=n_items + 1)
        nn.init.normal_(self.courses.weight, std=0.02)
        self.places = nn.Parameter(torch.randn(self.window, width) * 0.02)
        layer = nn.TransformerEncoderLayer(width, 2, 4 * width, dropout, "gelu", batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.drop = nn.Dropout(dropout)

    @property
    def mask(self) -> int:
        """What stands for a course that is to be told."""
        return self.n_items

    @property
    def nothing(self) -> int:
        """What stands before a history begins."""
        return self.n_items + 1

    def forward(self, rows: Tensor, at: Tensor) -> Tensor:
        """(at.sum(), n_items) logits of the places that `at` marks."""
        inputs = self.drop(self.courses(rows) + self.places)
        states = self.layers(inputs, src_key_padding_mask=rows == self.nothing)[at]
        logits: Tensor = self.head(states) @ self.courses.weight[: self.n_items].T + self.bias
        return logits


def windows_of(training: Training, length: int, nothing: int) -> Tensor:
    """(n_windows, length) the sequences, cut from their ends; what is too short begins with
    nothing.
    """
    found = []
    for first, end in np.lib.stride_tricks.sliding_window_view(training.sequences.offsets, 2):
        for last in range(int(end), int(first), -length):
            row = training.sequences.item[max(int(first), last - length) : last]
            found.append(np.pad(row, (length - len(row), 0), constant_values=nothing))
    return torch.from_numpy(np.stack(found)).long()


def masked(rows: Tensor, share: float, model: Bert4Rec) -> tuple[Tensor, Tensor]:
    """The rows with masks, and where those are: a share of each row, or its last place alone."""
    at = (torch.rand(rows.shape) < share) & (rows != model.nothing)
    last = torch.zeros_like(at)
    last[:, -1] = True
    at = torch.where((torch.rand(len(rows)) < ONLY_LAST)[:, None], last, at)
    return rows.masked_fill(at, model.mask), at


@torch.inference_mode()
def ranks(model: Bert4Rec, targets: Targets) -> np.ndarray[Any, Any]:
    """Of each target among the courses that its history lacks."""
    model.eval()
    found = []
    for sequence, item in zip(targets.sequence, targets.item, strict=True):
        first, end = targets.histories.offsets[sequence : sequence + 2]
        history = torch.from_numpy(targets.histories.item[first:end]).long()
        row = torch.full((1, model.window), model.nothing)
        newest = history[-(model.window - 1) :]
        row[0, -1] = model.mask
        row[0, -1 - len(newest) : -1] = newest
        scores = model(row, row == model.mask)[0]
        scores[history] = -torch.inf
        found.append(int((scores >= scores[int(item)]).sum()))
    return np.array(found)


def trial(
    config: Mapping[str, Any],
    training: Training,
    targets: Sequence[Targets],
    epochs: int,
    seed: int,
) -> list[dict[str, Any]]:
    """As `parity_movielens.measured`."""
    torch.manual_seed(seed)
    model = Bert4Rec(training.n_items, config)
    windows = windows_of(training, config["window"], model.nothing)
    optimizer = torch.optim.AdamW(model.parameters(), config["rate"], weight_decay=0.01)
    rows: list[dict[str, Any]] = []
    best = 0
    while len(rows) < epochs and len(rows) - 1 - best < PATIENCE:
        began = time.process_time()
        model.train()
        for part in torch.split(torch.randperm(len(windows)), 64):
            inputs, at = masked(windows[part], config["mask"], model)
            loss = nn.functional.cross_entropy(model(inputs, at), windows[part][at])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
        row: dict[str, Any] = {"seconds": time.process_time() - began}
        for name, each in zip(("validation", "test"), targets, strict=True):
            found = ranks(model, each)
            row[name] = (float(recall(found, 10).mean()), float(ndcg(found, 10).mean()))
        rows.append(row)
        best = max(range(len(rows)), key=lambda at: rows[at]["validation"][1])
    return rows


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=len(TRIALS))
    parser.add_argument("--epochs", type=int, default=150)
    options = parser.parse_args()
    log = events()
    torch.set_num_threads(1)
    training = training_of(log, "place")
    targets = [targets_of(log, which, drop_seen=True) for which in (2, 1)]
    ours = [
        {"epochs": measured("sasrec", config, training, targets, "fp32", seed)}
        for seed, config in enumerate(configurations("sasrec", options.trials))
    ]
    found = {"sasrec": told("sasrec", ours)}
    theirs = [
        {"epochs": trial(config, training, targets, options.epochs, seed)}
        for seed, config in enumerate(TRIALS[: options.trials])
    ]
    found["BERT4Rec"] = told("BERT4Rec", theirs)
    for each in found.values():
        each.pop("gains", None)
    print(json.dumps({"benchmark": "bert4rec", "found": found}))


if __name__ == "__main__":
    main()
