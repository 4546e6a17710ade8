"""The simple families again, by plain loops over a log.

Folds, histories, candidates, scores, ranks and metrics are worked out here from the written rules
alone; of the product only the item factors of ALS are taken over.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np
import pytest
import torch
from worlds import dataset_of, events_of, experiment_of

from recsweep.config.values import Configuration
from recsweep.models.fading import DAY
from recsweep.models.protocol import Context
from recsweep.models.registry import families_of
from recsweep.tasks.folds import make_fold
from recsweep.tasks.next_item.task import TASK
from recsweep.training.trial import Trial, fold_seed

CPU = torch.device("cpu")
CUT, END = 20 * DAY, 30 * DAY
Event = tuple[int, int]  # microsecond, course
Score = Callable[[list[Event]], Mapping[int, float]]


def log() -> list[tuple[int, int, int]]:
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


ROWS = log()
EVENTS = events_of(ROWS)
EXPERIMENT = experiment_of(metric={"name": "ndcg", "k": 5, "report_k": [5]})
FOLD = make_fold("fold0", EVENTS, (CUT, END), dataset_of(EVENTS), EXPERIMENT)
KNOWN = {i for _, i, t in ROWS if t < CUT}
TRAINING: dict[int, list[Event]] = defaultdict(list)
for _learner, _course, _time in sorted(ROWS, key=lambda row: (row[0], row[2], row[1])):
    if _time < CUT:
        TRAINING[_learner].append((_time, _course))
TRAINING = {u: events for u, events in TRAINING.items() if len(events) >= 2}


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


def popularity(config: Configuration) -> Score:
    last = max(t for events in TRAINING.values() for t, _ in events)
    counts: Counter[int] = Counter()
    for events in TRAINING.values():
        for t, i in events:
            counts[i] += weight(config, [(t, i), (last, -1)], 0)  # type: ignore[assignment]
    return lambda history: counts


def markov(config: Configuration) -> Score:
    follows: dict[tuple[int, int], float] = defaultdict(float)
    often: Counter[int] = Counter()
    for events in TRAINING.values():
        often.update(i for _, i in events)
        moments = sorted({t for t, _ in events})
        for before, after in pairwise(moments):
            held = [i for t, i in events if t == before]
            for j in (i for t, i in events if t == after):
                for i in held:
                    follows[i, j] += 1 / len(held)
    most = max(often.values())

    def score(history: list[Event]) -> dict[int, float]:
        moments = sorted({t for t, _ in history})[-int(config["memory"]) :]
        found = {}
        for j in KNOWN:
            evidence = sum(
                weight(config, history, n) * follows[i, j]
                for n, (t, i) in enumerate(history)
                if t in moments
            )
            found[j] = (1 + evidence if evidence else 0) + 1e-3 * often[j] / (most + 1)
        return found

    return score


def item_knn(config: Configuration) -> Score:
    """Cosine of courses as vectors over learners; every neighbour is kept."""
    vectors = {j: Counter(u for u, ev in TRAINING.items() for _, i in ev if i == j) for j in KNOWN}

    def cosine(i: int, j: int) -> float:
        dot = sum(count * vectors[j][u] for u, count in vectors[i].items())
        norms = [math.sqrt(sum(c * c for c in vectors[k].values())) for k in (i, j)]
        return dot / (norms[0] * norms[1]) if dot else 0.0

    table = {(i, j): cosine(i, j) for i in KNOWN for j in KNOWN}
    return lambda history: {
        j: sum(weight(config, history, n) * table[i, j] for n, (_, i) in enumerate(history))
        for j in KNOWN
    }


def als(config: Configuration) -> Score:
    context = Context(FOLD.training, fold_seed(1, 0), CPU, "fp32")
    model = families_of("next_item")["matrix_factorization"].model(config, context)
    model.fit_epoch()
    y = model.state()["items"].double().numpy()
    place = {int(code): n for n, code in enumerate(FOLD.items)}

    def score(history: list[Event]) -> dict[int, float]:
        system, right = y.T @ y + float(config["regularization"]) * np.eye(y.shape[1]), 0.0
        for item in {i for _, i in history}:
            held = [weight(config, history, n) for n, (_, i) in enumerate(history) if i == item]
            confidence, vector = float(config["alpha"]) * sum(held), y[place[item]]
            system = system + (confidence - 1) * np.outer(vector, vector)
            right = right + confidence * vector
        learner = np.linalg.solve(system, right)
        return {j: float(y[place[j]] @ learner) for j in KNOWN}

    return score


def metrics(score: Score, eps: float) -> dict[str, float]:
    """Means over learners of the means over their targets; a score within eps of another ties."""
    of_learner: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for u, i, t in ROWS:
        history = sorted((t2, i2) for u2, i2, t2 in ROWS if u2 == u and t2 < t and i2 in KNOWN)
        seen = {i2 for u2, i2, t2 in ROWS if u2 == u and t2 < t}
        if not (CUT <= t < END) or not history or i in seen:
            continue
        if i not in KNOWN:
            of_learner[u].append((0.0, 0.0))
            continue
        scores = score(history)
        together = {i2 for u2, i2, t2 in ROWS if u2 == u and t2 == t}
        rivals = [j for j in KNOWN if j not in seen | together]
        rank = 1 + sum(scores[j] >= scores[i] - eps for j in rivals)
        of_learner[u].append((float(rank <= 5), 1 / math.log2(rank + 1) if rank <= 5 else 0.0))
    recall, ndcg = (
        float(np.mean([np.mean([hit[n] for hit in hits]) for hits in of_learner.values()]))
        for n in (0, 1)
    )
    return {"recall@5": recall, "ndcg@5": ndcg}


KNN = {"neighbours": 1000, "weighting": "cosine"}
ALS = {"loss": "als", "factors": 6, "regularization": 0.5, "alpha": 3.0}
STEP = {"fading": "step", "fading_weight": 0.6}
INSTANT = {"fading": "instant", "fading_weight": 0.6}
TIME = {"fading": "time", "half_life_days": 2.0}


@pytest.mark.parametrize(
    ("family", "naive", "config"),
    [
        *(("popularity", popularity, fading) for fading in ({}, TIME)),
        *(("markov", markov, {"memory": 1} | f) for f in ({}, STEP)),
        *(("markov", markov, {"memory": 4} | f) for f in ({}, STEP, INSTANT, TIME)),
        *(("item_knn", item_knn, KNN | f) for f in ({}, STEP, INSTANT, TIME)),
        *(("matrix_factorization", als, ALS | f) for f in ({}, STEP, INSTANT, TIME)),
    ],
)
def test_metrics_equal_those_of_plain_loops(
    family: str, naive: Callable[[Configuration], Score], config: Configuration
) -> None:
    (report,) = Trial(
        family, config, [FOLD], EXPERIMENT.metric, epochs=1, seed=1, device=CPU, task=TASK
    ).run()
    found = {key: values[0] for key, values in report.metrics.items()}
    expected = metrics(naive(config), eps=1e-6)
    assert {key: found[key] for key in expected} == pytest.approx(expected, abs=1e-12)
