"""Metrics that no single learner has a value of, such as an area under a curve, as a table."""

from collections.abc import Callable, Mapping

import numpy as np

from recsweep.data.types import Float64, Int32, Int64

GROUPS = 10


def pseudo_values(
    metrics: Callable[[Int64], Mapping[str, Float64]], sequence: Int32
) -> dict[str, Float64]:
    """Metric -> (n_runs, n_groups), whose mean over groups is each run's metric.

    Pseudo-values of the delete-a-group jackknife (Tukey 1958; Kott 2001): with theta the metric of
    all G groups of learners and theta_g that without group g, group g counts with
    theta + (G - 1) (mean of theta_g - theta_g). Their variance over groups, divided by G, is the
    jackknife's. So groups stand for learners in `variance.py`, and runs for seeds: an interval
    counts both. Learners are dealt into groups at random, the same ones for the same number.

    Args:
        metrics: of the examples at some positions, one value a run.
        sequence: (n_examples,) which learner an example belongs to.
    """
    group = groups_of(int(sequence.max()) + 1)[sequence]
    whole = metrics(np.arange(len(sequence)))
    held = [np.flatnonzero(group != g) for g in range(GROUPS) if (group == g).any()]
    if len(held) < 2:
        return {name: values[:, None] for name, values in whole.items()}
    parts = [metrics(positions) for positions in held]
    found = {}
    for name, values in whole.items():
        found[name] = apart(values, np.stack([part[name] for part in parts], axis=1))
    return found


def groups_of(learners: int) -> Int64:
    """(n_learners,) the group of each."""
    dealt: Int64 = np.random.default_rng(0).permutation(learners) % GROUPS
    return dealt


def apart(values: Float64, without: Float64) -> Float64:
    """(n_runs, n_groups) pseudo-values from (n_runs,) values and those without each group."""
    away = without.mean(axis=1, keepdims=True) - without
    found: Float64 = values[:, None] + (without.shape[1] - 1) * away
    return found
