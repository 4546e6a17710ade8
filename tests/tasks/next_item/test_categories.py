"""Diversity and calibration against plain loops."""

import math
from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from worlds import dataset_of, events_of, experiment_of

from recsweep.config.schema import Experiment
from recsweep.data.types import Dataset, Fold
from recsweep.tasks.next_item import categories
from recsweep.tasks.next_item.categories import SMOOTHING, Categories, categories_of

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


def fold_of(codes: list[int], cut: int = 50) -> Fold:
    """Of some courses in the catalogue; nothing else of it is read."""
    fold: Any = SimpleNamespace(items=np.array(codes, np.int32), n_items=len(codes), cut=cut)
    return fold  # type: ignore[no-any-return]


def asked_of(**columns: object) -> Experiment:
    log = {"path": "x", "user": "u", "item": "i", "time": "t"}
    items = {"path": "x", "key": "id", **columns}
    return experiment_of(data={"name": "test", "events": [log], "items": items})


def catalogue_of(n: int, **columns: list[object]) -> Dataset:
    table = pl.DataFrame({"_id": [f"c{k}" for k in range(n)], **columns})
    return replace(dataset_of(events_of([(0, n - 1, 1)])), items=table)


def sets(found: Categories | None) -> list[set[int]]:
    assert found is not None
    table = found.of_item.toarray()
    assert set(table.ravel().tolist()) <= {0.0, 1.0}
    return [set(np.flatnonzero(row).tolist()) for row in table]


def test_categories_are_tags_in_the_order_of_their_names_by_catalogue_index() -> None:
    dataset = catalogue_of(4, tags=[["y", "x", "y"], ["z"], None, []], kind=list("abca"))
    asked = asked_of(tags={"tags": " "}, categorical=["kind"])
    found = categories_of(fold_of([1, 0, 3, 2]), dataset, asked)
    assert sets(found) == [{2}, {0, 1}, set(), set()]
    assert found is not None
    assert found.of_item.shape == (4, 3)


def test_without_tags_they_are_the_columns_of_categories_each_for_itself() -> None:
    dataset = catalogue_of(3, kind=["a", "b", None], level=["b", "b", "a"])
    found = categories_of(fold_of([0, 1, 2]), dataset, asked_of(categorical=["kind", "level"]))
    # In the order of their names: two kinds, and then two levels.
    assert sets(found) == [{0, 3}, {1, 3}, {2}]


def test_a_column_that_the_table_lacks_and_a_table_without_any_tell_nothing() -> None:
    dataset = catalogue_of(2, kind=["a", "b"])
    fold = fold_of([0, 1])
    assert categories_of(fold, dataset, asked_of(categorical=["gone"])) is None
    assert categories_of(fold, dataset, asked_of()) is None
    some = categories_of(fold, dataset, asked_of(categorical=["gone", "kind"]))
    assert sets(some) == [{0}, {1}]
    bare = catalogue_of(2, kind=[None, None])
    found = categories_of(fold, bare, asked_of(categorical=["kind"]))
    assert found is not None
    assert found.of_item.shape == (2, 0)


def test_of_a_dated_table_what_was_known_at_the_cut_counts() -> None:
    rows = pl.DataFrame(
        {
            "_id": ["c0", "c1", "c1", "c2"],
            "_valid_from": [0, 0, 50, 51],
            "kind": ["a", "a", "b", "a"],
        }
    )
    dataset = replace(catalogue_of(3), item_rows=rows)
    found = categories_of(fold_of([2, 1, 0]), dataset, asked_of(categorical=["kind"]))
    assert sets(found) == [set(), {1}, {0}]


def test_shares_deal_a_course_to_its_categories_alike() -> None:
    shares = made([{0}, {0, 1}, set(), {1, 2, 3}, {3}, {2}]).shares.toarray()
    third = 1 / 3
    assert shares[:4] == pytest.approx(
        np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0, 0], [0, third, third, third]])
    )
