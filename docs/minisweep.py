"""recsweep in 60 lines: folds, a trial, a score, a best configuration, a test opened once.

    python docs/minisweep.py

Each part says where the real one is. What the real ones add is written in docs/protocol.md.
"""

from itertools import pairwise

import numpy as np
import optuna

COURSES, K, FOLDS, TRIALS = 30, 10, 3, 25


def make_log(learners: int = 150, length: int = 12) -> np.ndarray:
    """Rows (time, learner, course), sorted: half of the steps go to the next course. (data/)"""
    rng, rows = np.random.default_rng(0), []
    for learner in range(learners):
        course, time = int(rng.integers(COURSES)), rng.uniform(0, 100)
        for _ in range(length):
            rows.append((time, learner, course))
            follows = rng.random() < 0.5
            course = (course + 1) % COURSES if follows else int(rng.zipf(1.5)) % COURSES
            time += rng.exponential(3)
    return np.array(sorted(rows))


def make_folds(log: np.ndarray) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
    """(train, validation) with a rolling origin, and the last fifth, sealed. (tasks/folds.py)"""
    development, sealed = np.split(log, [len(log) * 4 // 5])
    cuts = [len(development) * (FOLDS + n) // (2 * FOLDS) for n in range(FOLDS + 1)]
    return [(development[:cut], development[cut:end]) for cut, end in pairwise(cuts)], sealed


def fit(train: np.ndarray, smoothing: float, popularity: float) -> np.ndarray:
    """(courses, courses) scores of what comes after each course. (models/)"""
    follows, often = np.full((COURSES, COURSES), smoothing), np.zeros(COURSES)
    last: dict[int, int] = {}
    for _, learner, course in train.astype(int):
        often[course] += 1
        if learner in last:
            follows[last[learner], course] += 1
        last[learner] = course
    return follows / follows.sum(1, keepdims=True) + popularity * often / often.sum()


def ndcg(scores: np.ndarray, train: np.ndarray, window: np.ndarray) -> float:
    """NDCG@K over all courses, a mean over learners; ties count against us. (evaluation/)"""
    last = {int(learner): int(course) for _, learner, course in train}
    gains: dict[int, list[float]] = {}
    for _, learner, course in window.astype(int):
        if learner in last:  # its history: every earlier event, those after the cut included
            rank = (scores[last[learner]] >= scores[last[learner], course]).sum()
            gains.setdefault(learner, []).append(1 / np.log2(rank + 1) if rank <= K else 0.0)
        last[learner] = course
    return float(np.mean([np.mean(g) for g in gains.values()]))


def main() -> tuple[optuna.trial.FrozenTrial, float]:
    """Search on the folds, select the best mean, open the sealed test once. (stages/)"""
    folds, sealed = make_folds(make_log())

    def trial_score(trial: optuna.Trial) -> float:  # a trial is scored on all folds: training/
        config = {
            "smoothing": trial.suggest_float("smoothing", 0.01, 10, log=True),  # search_spaces/
            "popularity": trial.suggest_float("popularity", 0.0, 2.0),
        }
        return float(np.mean([ndcg(fit(train, **config), train, seen) for train, seen in folds]))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.enqueue_trial({"smoothing": 1.0, "popularity": 0.0})  # the defaults come first: search/
    study.optimize(trial_score, n_trials=TRIALS)
    development = np.concatenate(folds[-1])
    return study.best_trial, ndcg(fit(development, **study.best_params), development, sealed)


if __name__ == "__main__":
    best, tested = main()
    print(f"trial {best.number}: NDCG@{K} {best.value:.4f} on the folds, {best.params}")
    print(f"sealed test, opened once: {tested:.4f}")
