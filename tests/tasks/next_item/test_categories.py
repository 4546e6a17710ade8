"""Diversity and calibration against plain loops."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from recsweep.tasks.next_item import categories
from recsweep.tasks.next_item.categories import SMOOTHING, Categories

N_ITEMS, N_CATEGORIES = 6, 4
catalogues = st.lists(
    st.sets(st.integers(0, N_CATEGORIES - 1), max_size=3), min_size=N_ITEMS, max_size=N_ITEMS
)
items = st.integers(0, N_ITEMS - 1)


def made(catalogue: list[set[int]]) -> Categories:
    return Categories(
        csr_matrix([[float(c in of) for c in range(N_CATEGORIES)] for of in catalogue])
    )


@given(catalogues, st.lists(items, min_size=1, max_size=5, unique=True))
def test_diversity_is_the_mean_jaccard_distance_of_pairs(
    catalogue: list[set[int]], shown: list[int]
) -> None:
    distances = []
    for a, b in combinations(shown, 2):
        either = catalogue[a] | catalogue[b]
        both = catalogue[a] & catalogue[b]
        distances.append(1 - len(both) / len(either) if either else 0)
    expected = sum(distances) / len(distances) if distances else 0
    padded = np.array([[*shown, *[0] * (5 - len(shown))]])
    found = made(catalogue).diversity(padded, np.array([len(shown)]))
    assert found == pytest.approx([expected])


def test_diversity_is_the_same_however_few_lists_are_held_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalogue = made([{0}, {0, 1}, {1}, {2}, set(), {3}])
    shown, filled = np.array([[0, 1, 2], [1, 3, 5], [0, 2, 4], [3, 4, 1]]), np.array([3, 2, 3, 1])
    expected = catalogue.diversity(shown, filled)
    for places in (1, 12, 30):  # less than a list, one, and two of the four
        monkeypatch.setattr(categories, "PLACES", places)
        np.testing.assert_array_equal(catalogue.diversity(shown, filled), expected)


def test_where_no_course_has_a_category_all_are_alike() -> None:
    bare, lists = Categories(csr_matrix((2, 0))), csr_matrix(np.eye(2))
    assert bare.diversity(np.array([[0, 1]]), np.array([2])).tolist() == [0]
    assert bare.miscalibration(lists, lists).tolist() == [0, 0]


def plain(catalogue: list[set[int]], courses: list[int]) -> list[float]:
    """p(category): each course deals its weight to its categories alike (Steck 2018, eq. 2)."""
    known = [c for c in courses if catalogue[c]]
    return [
        sum((category in catalogue[c]) / len(catalogue[c]) for c in known) / max(len(known), 1)
        for category in range(N_CATEGORIES)
    ]


@given(catalogues, st.sets(items, min_size=1), st.lists(items, min_size=1, max_size=9))
def test_miscalibration_is_the_divergence_of_a_list_from_the_history(
    catalogue: list[set[int]], shown: set[int], history: list[int]
) -> None:
    p, q = plain(catalogue, history), plain(catalogue, sorted(shown))
    expected = sum(
        a * math.log2(a / ((1 - SMOOTHING) * b + SMOOTHING * a))
        for a, b in zip(p, q, strict=True)
        if a
    )
    lists = csr_matrix(np.bincount(sorted(shown), minlength=N_ITEMS)[None].astype(float))
    before = csr_matrix(np.bincount(history, minlength=N_ITEMS)[None].astype(float))
    assert made(catalogue).miscalibration(lists, before) == pytest.approx([expected])


def test_a_list_with_the_mix_of_the_history_is_calibrated() -> None:
    categories = made([{0}, {0}, {1}, {1}, set(), set()])
    lists, history = csr_matrix([[1.0, 0, 1, 0, 0, 0]]), csr_matrix([[0.0, 2, 0, 2, 5, 0]])
    assert categories.miscalibration(lists, history) == pytest.approx([0])
