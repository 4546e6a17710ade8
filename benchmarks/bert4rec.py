"""Does BERT4Rec earn a place among the families? Beside `sasrec`, on the default study's folds.

    python benchmarks/bert4rec.py [--trials 10] [--epochs 32] [--patience 4] [--mask events]
                                  [--kept FOLDER]

BERT4Rec (Sun et al. 2019): courses of a window are masked by chance, a Transformer that looks both
ways tells which they were, and a query is a mask after the history. With `--mask instants` the
events of an instant are masked together, since a query knows none of its own instant.
Here it has what `sasrec` has: `Network` with its features and vectors, the same losses, optimiser
and average of the weights, and `nn.TransformerEncoder` between. How much is masked, and how often
the last instant alone, is in its space; all other ranges are `sasrec`'s. A window is masked anew in
every one of `PASSES` passes that make an epoch, as BERT4Rec needs more of them (Petrov & Macdonald
2022).

Both are given as many trials: what they try first, then random draws with windows of at most 100. A
trial ends after `--patience` epochs without a better one, or when it lags behind by the study's own
rule; the mean NDCG@10 over the folds decides, and the sealed test is never looked at. Seconds are a
processor's, of training and of scoring, one thread. Finished trials are kept in `--kept` and not
trained again. The last line is JSON.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from parity_movielens import configurations, lags
from peer_trials import kept_trials
from peers import CPU
from recsweep.config.files import load_experiment
from recsweep.config.schema import NEXT_ITEM, Experiment
from recsweep.config.values import Configuration
from recsweep.data.arrays import changes
from recsweep.data.batches import Batch
from recsweep.data.prepare import prepare
from recsweep.data.types import Fold, Training
from recsweep.models.attention import INNER
from recsweep.models.network import Encoder, Rows
from recsweep.models.protocol import Context, Histories
from recsweep.models.ranker import GradientRanker, RankingConfig
from recsweep.models.registry import families_of
from recsweep.search.lag import Lag
from recsweep.tasks.folds import development_folds
from recsweep.tasks.registry import TASKS
from recsweep.training.trial import fold_seed

ROOT = Path(__file__).parents[1]
SHOWN = ("ndcg", "recall")
LONGEST = 100
"""Events of a drawn window: longer ones would take hours."""
PASSES = 3
QUERIES = 64
"""Histories that are encoded at once; each query needs a run of its own."""


class Bert4RecConfig(RankingConfig):
    """Hyperparameters; `window` events and the mask are a row."""

    depth: int
    heads: int
    embedding_size: int
    dropout: float
    tied_embeddings: bool
    masked: float = Field(gt=0, lt=1)  # share of a window's events
    last_only: float = Field(ge=0, le=1)  # share of windows of which the last one alone is masked


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedBatch(Batch):
    """Rows that end at their right edge, so that a place is named by its distance to the end."""

    masked: Tensor  # (n_rows, longest) bool
    empty: Tensor  # alike: before a row's beginning


class BothWays(Encoder):
    """A Transformer encoder; Sun et al. 2019, section 3.3 to 3.5."""

    def __init__(self, config: Bert4RecConfig, training: Training) -> None:
        super().__init__()
        self.width = self.dim = size = config.embedding_size
        self.tied = config.tied_embeddings
        self.positions = nn.Parameter(torch.randn(config.window + 1, size) / size**0.5)
        self.mask = nn.Parameter(torch.randn(size) / size**0.5)
        self.norm, self.dropout = nn.LayerNorm(size), nn.Dropout(config.dropout)
        layer = nn.TransformerEncoderLayer(
            size, config.heads, INNER * size, config.dropout, "gelu", batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, config.depth, enable_nested_tensor=False)

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        """(n_rows, longest, size); `Network` projects them, as the paper's last layer does."""
        assert isinstance(rows, MaskedBatch)
        longest = inputs.shape[1]
        inputs = torch.where(rows.masked[..., None], self.mask.to(inputs.dtype), inputs)
        placed = inputs + self.positions[:longest].flip(0)
        states: Tensor = self.layers(
            self.dropout(self.norm(placed)), src_key_padding_mask=rows.empty
        )
        return states


class Bert4Rec(GradientRanker):
    """Masked windows instead of next events, and a mask where a query stands."""

    def __init__(self, config: Bert4RecConfig, context: Context, mask: str) -> None:
        super().__init__(BothWays, config, context)
        sequences, window = context.training.sequences, config.window + 1
        self._item = torch.from_numpy(sequences.item).to(torch.int64)
        self._features = torch.from_numpy(sequences.features)
        owner = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))
        apart = changes(owner) | (changes(sequences.time) if mask == "instants" else True)
        self._together = torch.from_numpy(np.cumsum(apart) - 1)  # who are masked at once
        # Cut from the end, so that the newest windows are whole ones.
        cut = [
            (owner, max(first, end - window), end)
            for owner, (first, last) in enumerate(
                zip(sequences.offsets[:-1].tolist(), sequences.offsets[1:].tolist(), strict=True)
            )
            for end in range(last, first + 1, -window)
        ]
        self._owner, self._first, self._end = (np.array(each) for each in zip(*cut, strict=True))
        self._chances = (config.masked, config.last_only)
        events = int((self._end - self._first).sum())
        self.batch_size = max(1, round(config.batch_size * len(cut) / events))

    @property
    def entries(self) -> int:
        """Windows, as often as an epoch has them."""
        return PASSES * len(self._owner)

    def training_batches(self, seed: int) -> Iterator[Batch]:
        """Windows of similar length, masked anew in every pass."""
        rng = np.random.default_rng(seed)
        length = self._end - self._first
        for _ in range(PASSES):
            order = np.argsort(length * rng.uniform(0.9, 1.1, len(length)), kind="stable")
            batches = np.split(order, np.arange(self.batch_size, len(order), self.batch_size))
            for at in rng.permutation(len(batches)):
                yield self._masked(batches[at])

    def _masked(self, windows: Any) -> MaskedBatch:
        """Of these windows."""
        masked, last_only = self._chances
        first, end = (torch.from_numpy(each[windows]) for each in (self._first, self._end))
        longest = int((end - first).max())
        index = end[:, None] - torch.arange(longest, 0, -1)
        empty = index < first[:, None]
        together = self._together[index.clamp(min=0)]
        hidden = (torch.rand(int(self._together[-1]) + 1) < masked)[together]
        only = torch.rand(len(index)) < last_only
        hidden[only] = False
        hidden |= (only | ~(hidden & ~empty).any(1))[:, None] & (together == together[:, -1:])
        hidden &= ~empty
        features = self._features[torch.from_numpy(self._owner[windows])]
        return masked_batch(self._item[index.clamp(min=0)], features, hidden, empty, index)

    def loss(self, batch: Batch) -> tuple[Tensor, int]:
        """What stood at the masked places."""
        return self._loss(batch), len(batch.target)

    def states(self, histories: Histories) -> Tensor:
        """(n_queries, dim) of a mask after the newest events."""
        found = []
        for first in range(0, len(histories.row), QUERIES):
            of = slice(first, first + QUERIES)
            row, length = histories.row[of], histories.length[of]
            longest = min(self.config.window, int(length.max()))
            index = length[:, None] - torch.arange(longest, -1, -1)
            hidden = torch.zeros(index.shape, dtype=torch.bool)
            hidden[:, -1] = True
            known = index.clamp(0, histories.items.shape[1] - 1)
            items, features = histories.items[row[:, None], known], histories.user_features[row]
            with self.context.autocast():
                rows = masked_batch(items, features, hidden, index < 0, index)
                found.append(self.network.states(rows)[:, -1].float())
        return torch.cat(found)


def masked_batch(
    items: Tensor, features: Tensor, masked: Tensor, empty: Tensor, event: Tensor
) -> MaskedBatch:
    """Every masked place is a state and its course a target; `event` of each place."""
    state = masked.flatten().nonzero()[:, 0]
    return MaskedBatch(
        items=items,
        time=items,  # nobody asks
        user_features=features,
        state=state,
        target=items.flatten()[state],
        target_state=torch.arange(len(state)),
        target_event=event.flatten()[state],
        masked=masked,
        empty=empty,
    )


def of_sasrec(trials: int) -> Iterator[Configuration]:
    """What `sasrec` tries, no window longer than `LONGEST`."""
    for config in configurations("sasrec", trials):
        yield {**config, "window": min(int(config["window"]), LONGEST)}


def of_bert4rec(trials: int) -> Iterator[Configuration]:
    """The paper's for MovieLens at `sasrec`'s rate and batch, `sasrec`'s first with masks, then
    what is drawn for `sasrec`, with masks drawn as well.
    """
    random = np.random.default_rng(0)
    for number, of_other in enumerate(of_sasrec(trials)):
        shared = {k: v for k, v in of_other.items() if k not in ("block", "positions")}
        masks = {"masked": random.uniform(0.1, 0.6), "last_only": random.uniform(0.0, 0.5)}
        if number == 0:
            masks = {"masked": 0.2, "last_only": 1 / 11}
            shared |= {"dropout": 0.2, "window": 200}
            yield {**shared, **masks}
        elif number == 1:
            yield {**next(of_bert4rec(1)), "dropout": 0.5, "window": 50}
        else:
            yield {**shared, **masks}


def curve(
    model_of: Callable[[Any, Context], GradientRanker],
    folds: Sequence[Fold],
    experiment: Experiment,
    stop: tuple[int, int],
    kept: Path,
    config: Configuration,
    seed: int,
) -> list[dict[str, float]]:
    """Of every epoch NDCG@10 and recall@10, means over the folds, and seconds.

    Args:
        model_of: a family's.
        folds: of the study.
        experiment: the study, whose rule stops a trial that lags behind those before it.
        stop: epochs at most, and epochs without a better one that end it.
        kept: the trials before it.
        config: of the trial.
        seed: of the trial, its number.
    """
    task = TASKS[NEXT_ITEM]
    models = [
        model_of(config, Context(fold.training, fold_seed(seed, n), CPU, "bf16"))
        for n, fold in enumerate(folds)
    ]
    scorers = [task.scorer(fold.validation, fold.n_items, CPU) for fold in folds]
    rows: list[dict[str, float]] = []
    best, lag = 0, Lag(experiment.stopping, 1.0)
    lines = kept.read_text().splitlines() if kept.exists() else []
    for number, line in enumerate(lines[:seed]):
        for row in json.loads(line)["epochs"]:
            lags(lag, number, int(row["epoch"]), row["ndcg"])
    while len(rows) < stop[0] and len(rows) - 1 - best < stop[1]:
        began, found = time.process_time(), []
        for model, scorer, fold in zip(models, scorers, folds, strict=True):
            model.fit_epoch()
            means, _ = task.summarise(scorer.outcomes(model), fold.validation, experiment.metric)
            found.append(means)
        row = {name: statistics.fmean(means[f"{name}@10"] for means in found) for name in SHOWN}
        rows.append({**row, "epoch": len(rows) + 1, "seconds": time.process_time() - began})
        best = max(range(len(rows)), key=lambda at: rows[at]["ndcg"])
        print(rows[-1], file=sys.stderr, flush=True)
        behind = lags(lag, seed, len(rows), rows[-1]["ndcg"])
        if behind and seed >= experiment.stopping.full_trials:
            break
    return rows


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=32)
    parser.add_argument("--patience", type=int, default=4)
    parser.add_argument("--mask", choices=("instants", "events"), default="events")
    parser.add_argument("--kept", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    experiment = load_experiment(
        ROOT / "experiments/default.yaml", ["resources.precision=bf16", "resources.gpu=0"]
    )
    folds = development_folds(prepare(experiment, ROOT), experiment)
    stop, found = (options.epochs, options.patience), {}
    sides: dict[str, tuple[Iterator[Configuration], Callable[[Any, Context], GradientRanker]]] = {
        "bert4rec": (
            of_bert4rec(options.trials),
            lambda config, context: Bert4Rec(Bert4RecConfig(**config), context, options.mask),
        ),
        "sasrec": (of_sasrec(options.trials), families_of(NEXT_ITEM)["sasrec"].model),
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = options.kept or Path(temporary)
        for name, (configs, model_of) in sides.items():
            how = f"-{options.mask}" if name == "bert4rec" else ""
            kept = folder / f"{name}{how}-{options.epochs}-{options.patience}.jsonl"
            train = partial(curve, model_of, folds, experiment, stop, kept)
            found[name] = told(name, kept_trials(kept, configs, train))
    print(json.dumps({"benchmark": "bert4rec", "found": found}))


def told(name: str, trials: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The best trial's best epoch, and seconds of all trials."""
    best = [max(trial["epochs"], key=lambda row: row["ndcg"]) for trial in trials]
    number = max(range(len(best)), key=lambda n: best[n]["ndcg"])
    epoch = trials[number]["epochs"].index(best[number]) + 1
    seconds = sum(row["seconds"] for trial in trials for row in trial["epochs"])
    print(
        f"{name:9} NDCG@10 {best[number]['ndcg']:.4f}  recall@10 {best[number]['recall']:.4f}  "
        f"(trial {number}, epoch {epoch})  {seconds:7.0f} s in {len(trials)} trials; each: "
        + " ".join(f"{row['ndcg']:.4f}" for row in best),
        flush=True,
    )
    return {**best[number], "trial": number, "epoch": epoch, "all_seconds": seconds}


if __name__ == "__main__":
    main()
