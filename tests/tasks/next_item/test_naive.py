"""The simple families again, by plain loops over a log: a small one, and the default study's.

Folds, histories, candidates, scores, ranks and metrics are worked out here from the written rules
alone; of the product only the item factors of ALS are taken over.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from worlds import dataset_of, events_of, experiment_of

from recsweep.config.files import load_experiment
from recsweep.config.schema import Experiment
from recsweep.config.values import Configuration
from recsweep.data.clock import DAY
from recsweep.data.prepared import load_dataset
from recsweep.data.types import Float64, Fold
from recsweep.models.protocol import Context
from recsweep.models.registry import families_of
from recsweep.tasks.folds import make_fold
from recsweep.training.trial import Trial, fold_seed

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[3]
DEFAULT = sorted(ROOT.glob("data/ml-100k-*/manifest.json"))
Event = tuple[int, int]  # microsecond, course
Row = tuple[int, int, int]  # learner, course, microsecond
Score = Callable[[list[Event]], Float64]  # of every course; of one that is unknown, anything


def small_log() -> list[Row]:
    """Forty learners, thirty courses; by the half day, so that many events share their instant."""
    random = np.random.default_rng(5)
    rows = set()
    for learner in range(40):
        time, course = int(random.integers(0, 25)) * DAY, int(random.integers(0, 30))
        for _ in range(int(random.integers(2, 25))):
            rows.add((learner, course, time))
            time += int(random.integers(0, 4)) * DAY // 2
            course = (course + int(random.choice([1, 1, 2, 7]))) % 30
    return sorted(rows)


@dataclass(frozen=True)
class World:
    """A log, and the product's fold of it for the product's own answer."""

    rows: Sequence[Row]
    window: tuple[int, int]
    fold: Fold
    experiment: Experiment

    @property
    def size(self) -> int:
        return 1 + max(i for _, i, _ in self.rows)

    @cached_property
    def known(self) -> set[int]:
        return {i for _, i, t in self.rows if t < self.window[0]}

    @cached_property
    def training(self) -> dict[int, list[Event]]:
        """Of learners with two events or more, in the order of the clock."""
        found: dict[int, list[Event]] = defaultdict(list)
        for learner, course, time in sorted(self.rows, key=lambda row: (row[0], row[2], row[1])):
            if time < self.window[0]:
                found[learner].append((time, course))
        return {u: events for u, events in found.items() if len(events) >= 2}


@cache
def world(name: str) -> World:
    if name == "small":
        rows = small_log()
        events, window = events_of(rows), (20 * DAY, 30 * DAY)
        experiment = experiment_of(metric={"name": "ndcg", "k": 5, "report_k": [5]})
        fold = make_fold("fold0", events, window, dataset_of(events), experiment)
    else:
        if not DEFAULT:
            pytest.skip("the default log isn't prepared here: type make prepare")
        experiment = load_experiment(ROOT / "experiments/default.yaml")
        dataset = load_dataset(DEFAULT[0].parent)
        events, window = dataset.development, dataset.cuts.validation[0]
        rows = list(
            zip(events.user.tolist(), events.item.tolist(), events.time.tolist(), strict=True)
        )
        fold = make_fold("fold0", events, window, dataset, experiment)
    return World(rows, window, fold, experiment)


def weight(config: Configuration, history: list[Event], n: int) -> float:
    """Of the n-th event, seen from the last."""
    fading, (time, _), (last, _) = config.get("fading", "none"), history[n], history[-1]
    if fading == "step":
        return float(config["fading_weight"]) ** (len(history) - 1 - n)
    if fading == "instant":
        later = len({t for t, _ in history if t > time})
        return float(config["fading_weight"]) ** later
    if fading == "time":
        return float(0.5 ** ((last - time) / DAY / float(config["half_life_days"])))
    return 1.0


def popularity(log: World, config: Configuration) -> Score:
    last = max(t for events in log.training.values() for t, _ in events)
    counts = np.zeros(log.size)
    for events in log.training.values():
        for t, i in events:
            counts[i] += weight(config, [(t, i), (last, -1)], 0)
    return lambda history: counts


def markov(log: World, config: Configuration) -> Score:
    follows, often = np.zeros((log.size, log.size)), np.zeros(log.size)
    for events in log.training.values():
        held: dict[int, list[int]] = defaultdict(list)
        for t, i in events:
            often[i] += 1
            held[t].append(i)
        for before, after in pairwise(sorted(held)):
            for i in held[before]:
                for j in held[after]:
                    follows[i, j] += 1 / len(held[before])

    def score(history: list[Event]) -> Float64:
        moments = sorted({t for t, _ in history})[-int(config["memory"]) :]
        evidence = np.zeros(log.size)
        for n, (t, i) in enumerate(history):
            if t in moments:
                evidence += weight(config, history, n) * follows[i]
        found: Float64 = np.where(evidence > 0, 1 + evidence, 0) + 1e-3 * often / (often.max() + 1)
        return found

    return score


def item_knn(log: World, config: Configuration) -> Score:
    """Cosine of courses as vectors over learners; every neighbour is kept."""
    counts = np.zeros((len(log.training), log.size))
    for row, events in zip(counts, log.training.values(), strict=True):
        for _, i in events:
            row[i] += 1
    norms = np.sqrt((counts**2).sum(0))
    norms[norms == 0] = 1
    table = (counts.T @ counts) / norms[:, None] / norms

    def score(history: list[Event]) -> Float64:
        found = np.zeros(log.size)
        for n, (_, i) in enumerate(history):
            found += weight(config, history, n) * table[i]
        return found

    return score


def als(log: World, config: Configuration) -> Score:
    context = Context(log.fold.training, fold_seed(1, 0), CPU, "fp32")
    model = families_of("next_item")["matrix_factorization"].model(config, context)
    model.fit_epoch()
    y = np.zeros((log.size, int(config["factors"])))
    y[np.asarray(log.fold.items)] = model.state()["items"].double().numpy()
    gram = y.T @ y

    def score(history: list[Event]) -> Float64:
        system, right = gram + float(config["regularization"]) * np.eye(y.shape[1]), 0.0
        held: dict[int, float] = defaultdict(float)
        for n, (_, i) in enumerate(history):
            held[i] += weight(config, history, n)
        for i, total in held.items():
            confidence = float(config["alpha"]) * total
            system = system + (confidence - 1) * np.outer(y[i], y[i])
            right = right + confidence * y[i]
        found: Float64 = y @ np.linalg.solve(system, right)
        return found

    return score


def metrics(log: World, score: Score, eps: float) -> dict[str, float]:
    """Means over learners of the means over their targets; a score within eps of another ties."""
    (cut, end), k = log.window, log.experiment.metric.k
    of_learner: dict[int, list[tuple[float, float]]] = defaultdict(list)
    own: dict[int, list[Row]] = defaultdict(list)
    for row in log.rows:
        own[row[0]].append(row)
    allowed = np.zeros(log.size, dtype=bool)
    allowed[list(log.known)] = True
    scores_at: dict[tuple[int, int], Float64] = {}
    for u, i, t in log.rows:
        if not cut <= t < end:
            continue
        history = sorted((t2, i2) for _, i2, t2 in own[u] if t2 < t and i2 in log.known)
        seen = {i2 for _, i2, t2 in own[u] if t2 < t}
        if not history or i in seen:
            continue
        if i not in log.known:
            of_learner[u].append((0.0, 0.0))
            continue
        if (u, t) not in scores_at:
            scores_at[u, t] = score(history)
        scores = scores_at[u, t]
        together = {i2 for _, i2, t2 in own[u] if t2 == t}
        rivals = allowed.copy()
        rivals[list(seen | together)] = False
        rank = 1 + int((scores[rivals] >= scores[i] - eps).sum())
        of_learner[u].append((float(rank <= k), 1 / math.log2(rank + 1) if rank <= k else 0.0))
    recall, ndcg = (
        float(np.mean([np.mean([hit[n] for hit in hits]) for hits in of_learner.values()]))
        for n in (0, 1)
    )
    return {f"recall@{k}": recall, f"ndcg@{k}": ndcg}


KNN = {"neighbours": 10_000, "weighting": "cosine"}
ALS = {"loss": "als", "factors": 6, "regularization": 0.5, "alpha": 3.0}
STEP = {"fading": "step", "fading_weight": 0.6}
INSTANT = {"fading": "instant", "fading_weight": 0.6}
TIME = {"fading": "time", "half_life_days": 2.0}
ALL = [
    *(("popularity", popularity, fading) for fading in ({}, TIME)),
    *(("markov", markov, {"memory": 1} | f) for f in ({}, STEP)),
    *(("markov", markov, {"memory": 4} | f) for f in ({}, STEP, INSTANT, TIME)),
    *(("item_knn", item_knn, KNN | f) for f in ({}, STEP, INSTANT, TIME)),
    *(("matrix_factorization", als, ALS | f) for f in ({}, STEP, INSTANT, TIME)),
]


@pytest.mark.parametrize("name", ["small", pytest.param("default", marks=pytest.mark.long)])
@pytest.mark.parametrize(("family", "naive", "config"), ALL)
def test_metrics_equal_those_of_plain_loops(
    name: str,
    family: str,
    naive: Callable[[World, Configuration], Score],
    config: Configuration,
) -> None:
    log = world(name)
    (report,) = Trial(
        family, config, [log.fold], log.experiment, epochs=1, seed=1, device=CPU
    ).run()
    found = {key: values[0] for key, values in report.metrics.items()}
    expected = metrics(log, naive(log, config), eps=1e-9)
    assert {key: found[key] for key in expected} == pytest.approx(expected, abs=1e-12)
