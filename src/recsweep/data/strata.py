"""Rows without a clock, dealt out at random into folds and a test that have the same shares."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsweep.config.schema import Folds
from recsweep.data.splits import SPLIT_SEED
from recsweep.data.types import Int64
from recsweep.errors import BadInput


def dealt(answer: NDArray[np.generic], rule: Folds) -> tuple[Int64, dict[object, int]]:
    """(n,) the part of each row: a fold from 0, or the test, which is the last; and the answers
    that have too few rows for every part to get two, with their counts.

    Each answer's rows are dealt out in random order, so that parts have the same share of it.
    """
    random, few = np.random.default_rng(SPLIT_SEED), {}
    part = np.empty(len(answer), np.int64)
    for each in np.unique(answer).tolist():
        rows = random.permutation(np.flatnonzero(answer == each))
        tested = round(len(rows) * rule.test)
        if min(tested, (len(rows) - tested) // rule.count) < 2:
            few[each] = len(rows)
        part[rows[:tested]] = rule.count
        part[rows[tested:]] = np.arange(len(rows) - tested) % rule.count
    return part, few


def dealt_by_group(
    answer: NDArray[np.generic], group: NDArray[np.generic], rule: Folds, path: Path | str
) -> Int64:
    """(n,) the part of each row, none of which shares a group with another; shares of answers are
    kept as well as whole groups allow.

    Raises:
        BadInput: there are fewer groups than parts.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    n_groups = len(np.unique(group))

    def parts(rows: Int64, n: int) -> Int64:
        if len(np.unique(group[rows])) < n:
            raise BadInput(
                f"{path}: {n_groups} groups are too few for {rule.count} folds and a test of "
                f"{rule.test:.0%}; lower folds.count, change folds.test, or use "
                "folds.rule: stratified"
            )
        found = np.empty(len(rows), np.int64)
        folds = StratifiedGroupKFold(n, shuffle=True, random_state=SPLIT_SEED)
        for number, (_, inside) in enumerate(folds.split(rows, answer[rows], group[rows])):
            found[inside] = number
        return found

    part = np.full(len(answer), rule.count, np.int64)
    developed = np.flatnonzero(parts(np.arange(len(answer)), max(2, round(1 / rule.test))) > 0)
    part[developed] = parts(developed, rule.count)
    return part
