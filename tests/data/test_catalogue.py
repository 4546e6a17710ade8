"""Candidates that only the item table knows."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import Row, dataset_of, events_of, experiment_of

from recsweep.data.types import UNKNOWN, Fold
from recsweep.tasks.folds import make_fold

CUT, END = 100, 200
EARLY: list[Row] = [(u, (u + k) % 3, 10 * u + k) for u in range(4) for k in range(2)]
TABLE = [("c0", 0), ("c1", 0), ("c2", 0), ("new", CUT), ("late", CUT + 1), ("idle", 5)]
ITEMS = {"items": {"path": "x", "key": "id", "valid_from": "since"}}


def fold_of(
    window: Sequence[Row], table: Sequence[tuple[str, int]] = TABLE, **targets: object
) -> Fold:
    """Raw ids of the log's items by code: c0, c1, c2, then `late` and `new` as they appear."""
    events = events_of([*EARLY, *window])
    dataset = dataset_of(events)
    ids = ["c0", "c1", "c2", "late", "new"][: dataset.n_items]
    columns = {"_id": pl.String, "_valid_from": pl.Int64}
    rows = pl.DataFrame(table, schema=columns, orient="row")
    rows = rows.with_columns(price=pl.int_range(pl.len()).cast(pl.Float64))
    dataset = replace(dataset, items=pl.DataFrame({"_id": ids}), item_rows=rows)
    data = experiment_of().data.model_dump() | ITEMS
    rule = {"candidates": "catalogue", **targets}
    return make_fold("fold0", events, (CUT, END), dataset, experiment_of(data=data, targets=rule))


def test_courses_that_the_table_knows_by_the_cut_come_after_those_with_events() -> None:
    fold = fold_of([(0, 3, 110), (0, 4, 120)])
    assert fold.n_items == 5
    assert fold.training.n_cold == 2
    assert fold.items.tolist() == [0, 1, 2, 5, 4]  # idle, which has no event at all, then new
    assert fold.training.item_features.shape[0] == 5


def test_a_target_on_a_cold_course_can_be_ranked_and_one_added_later_is_a_miss() -> None:
    fold = fold_of([(0, 3, 110), (0, 4, 120)])
    assert fold.validation.item.tolist() == [UNKNOWN, 4]
    counts = fold.validation.counts
    assert counts["course unknown to training"] == 2
    assert counts["of these in the catalogue"] == 1


def test_a_cold_course_of_the_history_is_in_it_and_no_target_again() -> None:
    fold = fold_of([(0, 4, 110), (0, 2, 120), (0, 4, 130)])
    assert fold.validation.item.tolist() == [4, 2]
    history = fold.validation.histories.item
    assert history[: int(fold.validation.length[1])].tolist()[-1] == 4


def test_a_course_with_too_few_events_is_a_cold_candidate_and_not_trained_on() -> None:
    data = experiment_of().data.model_dump() | ITEMS
    experiment = experiment_of(
        data=data, targets={"candidates": "catalogue"}, folds={"min_item_events": 2}
    )
    events = events_of([*EARLY, (0, 3, 50), (1, 3, 110)])
    ids = pl.DataFrame({"_id": ["c0", "c1", "c2", "late"]})
    rows = pl.DataFrame(
        {"_id": ["late"], "_valid_from": [None]}, schema_overrides={"_valid_from": pl.Int64}
    )
    dataset = replace(dataset_of(events), items=ids, item_rows=rows)
    fold = make_fold("fold0", events, (CUT, END), dataset, experiment)
    assert fold.items.tolist() == [0, 1, 2, 3]
    assert fold.training.n_cold == 1
    assert 3 not in fold.training.sequences.item
    assert fold.validation.item.tolist() == [3]


def test_known_candidates_are_what_they_were() -> None:
    fold = fold_of([(0, 3, 110), (0, 4, 120)], candidates="known")
    assert fold.items.tolist() == [0, 1, 2]
    assert fold.training.n_cold == 0
    assert "of these in the catalogue" not in fold.validation.counts


windows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(CUT, END + 50)), max_size=8
)
later_rows = st.lists(
    st.tuples(st.sampled_from(["c0", "new", "zzz"]), st.integers(CUT + 1, 999)),
    unique=True,
    max_size=4,
)


@given(windows, later_rows)
def test_what_happens_after_the_cut_never_changes_the_catalogue(
    late: list[Row], rows: list[tuple[str, int]]
) -> None:
    """Neither events (a cold course that is taken) nor rows (a course that is added)."""
    anchor = [(0, 2, 110), (0, 3, 150), (0, 4, 151)]
    one = fold_of(anchor)
    other = fold_of([*anchor, *late], [*TABLE, *rows])
    assert one.n_items == other.n_items
    assert one.training.n_cold == other.training.n_cold
    assert np.array_equal(one.training.item_features, other.training.item_features)
    assert np.array_equal(one.training.sequences.item, other.training.sequences.item)


def test_a_catalogue_needs_a_table_that_says_since_when() -> None:
    with pytest.raises(ValueError, match=r"catalogue needs data\.items with valid_from"):
        experiment_of(targets={"candidates": "catalogue"})
