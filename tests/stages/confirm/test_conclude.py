"""Rows of a comparison: seeds of one search, or searches."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.testing import assert_array_equal

from recsweep.stages.confirm.conclude import _by_search, _rows

VALUES = np.random.default_rng(0).random((6, 4))  # of runs and learners


def searched(searches: int, seeds: int) -> Any:
    one = SimpleNamespace(seeds=tuple(range(seeds)))
    return SimpleNamespace(searches=[one] * searches)


def test_rows_of_a_single_search_are_its_seeds_and_of_several_their_means_over_seeds() -> None:
    assert_array_equal(_rows(_by_search(VALUES, searched(1, 6))), VALUES)
    found = _rows(_by_search(VALUES, searched(3, 2)))
    assert_array_equal(found, (VALUES[::2] + VALUES[1::2]) / 2)


def test_what_was_trained_once_a_search_stands_for_every_seed() -> None:
    found = _by_search(VALUES[:2], searched(2, 3))
    assert_array_equal(found, np.repeat(VALUES[:2, None], 3, axis=1))
    assert_array_equal(_rows(_by_search(VALUES[:1], searched(1, 3))), np.repeat(VALUES[:1], 3, 0))
