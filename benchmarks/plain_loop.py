"""The peer of several benchmarks: a network as one writes it by hand.

Windows of a history, padded; layers of torch (nn.GRU, nn.LSTM, nn.TransformerEncoder); every place
predicts the next event; F.cross_entropy over the whole catalogue; Adam. Nothing of recsweep's
engine is in it. It can score, so that both are ranked by the same code.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import yaml
from torch import Tensor, nn

from recsweep.data.types import Int32, Training
from recsweep.models.protocol import Histories

HIDDEN, EMBEDDING, WINDOW, BATCH = 128, 64, 50, 32
DEPTH, HEADS, INNER = 2, 2, 256
_COMMON: dict[str, bool | int | float | str] = {
    "embedding_size": EMBEDDING,
    "dropout": 0.0,
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "batch_size": BATCH,
    "window": WINDOW,
    "loss": "cross_entropy",
    "tied_embeddings": True,
}
CONFIG: dict[str, bool | int | float | str] = {"depth": 1, "hidden_size": HIDDEN, **_COMMON}
CONFIGS: Mapping[str, Mapping[str, bool | int | float | str]] = {
    "gru": CONFIG,
    "lstm": CONFIG,
    "sasrec": {
        **{"block": "post_norm", "depth": DEPTH, "heads": HEADS, "positions": "learned"},
        **_COMMON,
    },
}
"""The same networks for recsweep's families."""


class PlainTransformer(nn.Module):
    """nn.TransformerEncoder with vectors of positions and a causal mask (SASRec)."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Embedding(WINDOW, EMBEDDING)
        layer = nn.TransformerEncoderLayer(
            EMBEDDING, HEADS, INNER, dropout=0.0, activation="gelu", batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, DEPTH, enable_nested_tensor=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """(n_rows, longest, EMBEDDING)."""
        longest = inputs.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(longest)
        placed = inputs + self.positions.weight[:longest]
        states: Tensor = self.encoder(placed, mask, is_causal=True)
        return states


class PlainNetwork(nn.Module):
    """The network."""

    def __init__(self, n_items: int, family: str = "gru") -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_items, EMBEDDING)
        nn.init.normal_(self.embedding.weight, std=EMBEDDING**-0.5)  # as recsweep starts it
        self.layers: nn.Module
        self.project: nn.Module = nn.Identity()
        if family == "sasrec":
            self.layers = PlainTransformer()
        else:
            cell = {"gru": nn.GRU, "lstm": nn.LSTM}[family]
            self.layers = cell(EMBEDDING, HIDDEN, batch_first=True)
            self.project = nn.Linear(HIDDEN, EMBEDDING)
        self.bias = nn.Parameter(torch.zeros(n_items))

    def forward(self, items: Tensor) -> Tensor:
        """(n_rows, longest, n_items) logits."""
        return self.logits(self.states(items))

    def states(self, items: Tensor) -> Tensor:
        """(n_rows, longest, EMBEDDING)."""
        found = self.layers(self.embedding(items))
        projected: Tensor = self.project(found[0] if isinstance(found, tuple) else found)
        return projected

    def logits(self, states: Tensor) -> Tensor:
        """Over the catalogue."""
        return F.linear(states, self.embedding.weight, self.bias)


def windows_of(training: Training) -> list[Int32]:
    """Each with an event before its first target: all but a learner's first are a target once."""
    offsets, item = training.sequences.offsets, training.sequences.item
    return [
        item[start : min(start + WINDOW + 1, end)]
        for begin, end in pairwise(offsets)
        for start in range(begin, end - 1, WINDOW)
    ]


class PlainLoop:
    """Its training loop."""

    def __init__(
        self,
        training: Training,
        learning_rate: float = 1e-3,
        seed: int = 0,
        family: str = "gru",
    ) -> None:
        torch.manual_seed(seed)
        self._rng = np.random.default_rng(seed)
        self._windows = windows_of(training)
        self.model = PlainNetwork(training.n_items, family)
        self._optimizer = torch.optim.Adam(self.model.parameters(), learning_rate)

    def batches(self) -> Iterator[list[Int32]]:
        """An epoch's windows in random order."""
        order = self._rng.permutation(len(self._windows))
        for at in range(0, len(order), BATCH):
            yield [self._windows[i] for i in order[at : at + BATCH]]

    def step(self, chosen: list[Int32]) -> int:
        """Train on some windows; returns how many events were targets."""
        longest = max(map(len, chosen))
        items = np.zeros((len(chosen), longest - 1), np.int64)
        targets = np.full((len(chosen), longest - 1), -100, np.int64)
        for row, window in enumerate(chosen):
            items[row, : len(window) - 1] = window[:-1]
            targets[row, : len(window) - 1] = window[1:]
        logits = self.model(torch.from_numpy(items))
        loss = F.cross_entropy(logits.flatten(0, 1), torch.from_numpy(targets).flatten())
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        return sum(len(window) - 1 for window in chosen)

    def fit_epoch(self) -> float | None:
        """Every event once."""
        for chosen in self.batches():
            self.step(chosen)
        return None

    @torch.inference_mode()
    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items), for `evaluation.ranking.Ranker`."""
        grid = self.model.states(histories.items)
        return self.model.logits(grid[histories.row, histories.length - 1])

    def state(self) -> dict[str, Tensor]:
        """The network's parameters."""
        return dict(self.model.state_dict())

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over parameters."""
        self.model.load_state_dict(dict(state))


def one_split(trials: int, epochs: int, workers: int) -> list[str]:
    """What makes of the default experiment a sweep of `write_space` in which nothing is stopped."""
    return [
        "features=[]",
        "folds.count=1",
        "families={gru: search_spaces/gru.yaml}",
        f"budget={{trials: {trials}, epochs: {epochs}}}",
        f"stopping={{full_trials: {trials}, patience: null}}",
        f"resources.workers={workers}",
    ]


def write_space(folder: Path) -> Path:
    """A space of `CONFIG` in which the learning rate alone varies, so that trials cost the same."""
    path = folder / "gru.yaml"
    fixed = {key: value for key, value in CONFIG.items() if key != "learning_rate"}
    why = "the one thing that differs"
    rate = {"float": [3e-4, 3e-3], "log": True, "role": "nuisance", "why": why}
    keys = {"family": "gru", "fixed": fixed, "defaults": {"learning_rate": 1e-3}}
    path.write_text(yaml.safe_dump({**keys, "parameters": {"learning_rate": rate}}))
    return path
