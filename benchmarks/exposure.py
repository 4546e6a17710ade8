"""Where do metrics corrected for exposure help, and where do they mislead?

Simulated logs in which a learner takes courses by popularity and by taste, and one more afterwards,
the target. Each log is read in three ways, all of which give the very same events: popularity is
exposure alone (courses are taken more because they are shown more), preference alone (learners
like them more), or half of each. The simulator knows each learner's chances of taking each course
next under equal exposure, so the true NDCG@10 of a model is known under every reading. The plain
metric and the corrected ones see the log alone: they are the same numbers under all three.

    python benchmarks/exposure.py --logs 20
"""

import argparse
import json
from collections.abc import Mapping

import numpy as np
from scipy.special import softmax
from scipy.stats import kendalltau

from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.simulate import simulate
from recsweep.data.simulator.world import Courses, Learners, appeal, make_courses, make_learners
from recsweep.data.types import Float64, Int64
from recsweep.evaluation.metrics import ndcg
from recsweep.evaluation.propensity import FLOOR, corrected, inverse_propensity

K = 10
READINGS = {"exposure alone": 0.0, "half of each": 0.5, "preference alone": 1.0}
"""The share of popularity that is preference."""
ESTIMATORS = {
    "plain": None,
    "η 0.5, clipped": (0.5, FLOOR),
    "η 1, clipped": (1.0, FLOOR),
    "η 1": (1.0, 0.0),
}
RIDGE = 100.0


def main() -> None:
    """Print a table for people, and JSON on the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--logs", type=int, default=20)
    logs = parser.parse_args().logs
    found = [one_log(seed) for seed in range(logs)]
    names = [(reading, estimator) for reading in READINGS for estimator in ESTIMATORS]
    told = {}
    print(f"{'popularity is':18}{'metric':16}{'error of NDCG@10':>22}{'tau':>15}{'best':>8}")
    for reading, estimator in names:
        table = np.array([log[reading, estimator] for log in found])
        mean, error = table.mean(axis=0), table.std(axis=0, ddof=1) / np.sqrt(logs)
        told[f"{reading}, {estimator}"] = {
            "error": [mean[0], error[0]],
            "kendall": [mean[1], error[1]],
            "best": mean[2],
        }
        spread = f"{mean[0]:.4f} ± {error[0]:.4f}{mean[1]:>9.2f} ± {error[1]:.2f}"
        print(f"{reading:18}{estimator:16}{spread:>37}{mean[2]:>8.0%}")
    print(json.dumps({"logs": logs, **told}))


def one_log(seed: int) -> dict[tuple[str, str], tuple[float, float, bool]]:
    """(Reading, estimator) -> mean distance from the models' true NDCG@10, Kendall's tau of their
    order with the true one, and whether the best is named.
    """
    settings = SimulatorSettings(
        learners=2000, courses=150, browses=12, order=0, new_courses=0, seed=seed
    )
    learners, courses = world(settings)
    log = simulate(settings)
    code = {name: n for n, name in enumerate(log.items["item_id"])}
    user = {name: n for n, name in enumerate(log.users["user_id"])}
    asked = np.array([user[name] for name in log.exposures["user_id"]])
    seen = np.zeros((len(learners.age), len(courses.theme)))
    seen[asked, [code[name] for name in log.exposures["item_id"]]] = 1
    asked = np.unique(asked)
    liking = settings.taste * appeal(learners, courses, settings.text, asked)
    models = {
        name: ranks_of(scores, seen[asked] > 0)
        for name, scores in scores_of(seen, asked, liking).items()
    }
    taken = np.where(seen[asked] > 0, -np.inf, liking + courses.log_popularity)
    target = (taken + np.random.default_rng(seed).gumbel(size=taken.shape)).argmax(axis=1)
    counts = seen.sum(axis=0)
    alone = np.arange(len(asked), dtype=np.int32)
    gains = {name: ndcg(ranks, K) for name, ranks in models.items()}
    hits = np.stack([gain[alone, target] for gain in gains.values()])
    estimates = {}
    for name, how in ESTIMATORS.items():
        weight = np.ones(len(target)) if how is None else inverse_propensity(counts, *how)[target]
        estimates[name] = corrected(hits, weight, alone).mean(axis=1)
    found = {}
    for reading, share in READINGS.items():
        keys = np.where(seen[asked] > 0, -np.inf, liking + share * courses.log_popularity)
        chance = softmax(keys, axis=1)
        true = np.array([(chance * gain).sum(axis=1).mean() for gain in gains.values()])
        for name, estimate in estimates.items():
            found[reading, name] = (
                float(np.abs(estimate - true).mean()),
                float(kendalltau(estimate, true).statistic),
                bool(estimate.argmax() == true.argmax()),
            )
    return found


def world(settings: SimulatorSettings) -> tuple[Learners, Courses]:
    """The learners and courses that `simulate` draws."""
    random = [np.random.default_rng(s) for s in np.random.SeedSequence(settings.seed).spawn(6)]
    return make_learners(settings, random[0]), make_courses(settings, random[1])


def scores_of(seen: Float64, asked: Int64, liking: Float64) -> Mapping[str, Float64]:
    """Model -> (n_asked, n_courses): popularity, neighbours, EASE with and without its popularity,
    and the true taste, seen through noise.
    """
    n = seen.shape[1]
    both = seen.T @ seen
    count = np.maximum(np.diag(both), 1)
    cosine = both / np.sqrt(np.outer(count, count))
    np.fill_diagonal(cosine, 0)
    inverse = np.linalg.inv(both + RIDGE * np.eye(n))
    ease = -inverse / np.diag(inverse)
    np.fill_diagonal(ease, 0)
    popular = np.tile(count.astype(float), (len(asked), 1))
    linear = seen[asked] @ ease
    noise = np.random.default_rng(0).normal(0, 2 * liking.std(), liking.shape)
    return {
        "popularity": popular,
        "neighbours": seen[asked] @ cosine,
        "ease": linear,
        "ease by popularity": linear / np.sqrt(count),
        "noisy taste": liking + noise,
    }


def ranks_of(scores: Float64, seen: np.ndarray) -> Int64:
    """(n_asked, n_courses) ranks from 1; courses of the history come last."""
    order = np.argsort(-np.where(seen, -np.inf, scores), axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, order.shape[1] + 1)[None], axis=1)
    return ranks


if __name__ == "__main__":
    main()
