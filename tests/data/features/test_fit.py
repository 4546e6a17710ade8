from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import dataset_of, events_of

from recsweep.config.schema import FeatureTable, Text
from recsweep.data.features.columns import FAR, MOST
from recsweep.data.features.events import fit_events
from recsweep.data.features.fit import (
    Encoder,
    check_names,
    declared_names,
    fit_features,
    known_items,
    known_users,
    text_names,
)
from recsweep.data.features.text import TextVectors
from recsweep.data.types import Dataset, Int32
from recsweep.errors import BadInput


def world(
    users: dict[str, object] | None = None, items: dict[str, object] | None = None
) -> Dataset:
    tables = [
        pl.DataFrame({"_id": ["?"] * len(next(iter(table.values()))), **table}, strict=False)  # type: ignore[arg-type]
        if table
        else None
        for table in (users, items)
    ]
    return replace(dataset_of(events_of([(0, 0, 1)])), users=tables[0], items=tables[1])


def codes(*values: int) -> Int32:
    return np.array(values, np.int32)


def fit_users(column: Sequence[object], training: Int32, name: str = "x") -> Encoder:
    return fit_features(world(users={name: column}), None, training, codes())


def test_categories_become_zeros_and_ones_the_most_frequent_first() -> None:
    encoder = fit_users(["b", "a", "a"], codes(0, 1, 2))
    assert encoder.of_users.names == ("x=a", "x=b")
    assert encoder.users(codes(0, 2, 0)).tolist() == [[0, 1], [1, 0], [0, 1]]


def test_equally_frequent_categories_are_ordered_by_name() -> None:
    assert fit_users(["b", "c", "a"], codes(0, 1, 2)).of_users.names == ("x=a", "x=b", "x=c")


def test_missing_and_unseen_categories_are_all_zeros() -> None:
    encoder = fit_users(["a", "b", None, "late"], codes(0, 1, 2))
    assert encoder.users(codes(2, 3)).tolist() == [[0, 0], [0, 0]]


def test_only_training_rows_decide_the_columns() -> None:
    few = fit_users(["a", "b", "c", "d"], codes(0, 1))
    assert few.of_users.names == ("x=a", "x=b")


@settings(max_examples=30)
@given(st.lists(st.one_of(st.none(), st.sampled_from("abcdefg")), max_size=6))
def test_rows_outside_training_never_change_the_encoding(others: list[str | None]) -> None:
    training = codes(0, 1, 2)
    alone = fit_users(["a", "b", None], training)
    joined = fit_users(["a", "b", None, *others], training)
    assert joined.of_users.names == alone.of_users.names
    assert np.array_equal(joined.users(training), alone.users(training))


@settings(max_examples=30)
@given(st.lists(st.one_of(st.none(), st.floats(-1e300, 1e300)), max_size=6))
def test_numbers_outside_training_never_change_the_encoding(others: list[float | None]) -> None:
    training = codes(0, 1, 2)
    alone = fit_users([1.0, 2.0, None], training)
    joined = fit_users([1.0, 2.0, None, *others], training)
    assert np.array_equal(joined.users(training), alone.users(training))
    everyone = joined.users(np.arange(3 + len(others), dtype=np.int32))
    assert np.isfinite(everyone).all()


def test_rare_categories_share_one_column_and_the_number_of_columns_is_bounded() -> None:
    column = [f"c{n:03}" for n in range(MOST + 10)] + ["c000"]
    encoder = fit_users([*column, "late"], codes(*range(len(column))))
    assert len(encoder.of_users.names) == MOST + 1
    assert encoder.of_users.names[-1] == "x (10 rarer)"
    found = encoder.users(codes(0, MOST, MOST + 9, MOST + 11))
    assert found.argmax(axis=1).tolist()[:3] == [0, MOST, MOST]
    assert found.sum(axis=1).tolist() == [1, 1, 1, 0]


def test_tags_may_hold_several_values_or_none() -> None:
    tags = [["x", "y"], ["y"], None, ["z", "x"]]
    encoder = fit_features(world(items={"tag": tags}), None, codes(), codes(0, 1, 2))
    assert encoder.of_items.names == ("tag=y", "tag=x")
    assert encoder.items(codes(0, 1, 2, 3)).tolist() == [[1, 1], [1, 0], [0, 0], [0, 1]]


def test_numbers_are_standardised_by_training_alone() -> None:
    encoder = fit_users([1.0, 3.0, 5.0], codes(0, 1))
    assert encoder.of_users.names == ("x",)
    assert encoder.users(codes(0, 1, 2)).tolist() == [[-1], [1], [3]]


def test_a_missing_number_is_zero_and_marked_where_training_has_missing_ones() -> None:
    encoder = fit_users([1.0, 3.0, None], codes(0, 1, 2))
    assert encoder.of_users.names == ("x", "x missing")
    assert encoder.users(codes(0, 2)).tolist() == [[-1, 0], [0, 1]]
    without = fit_users([1.0, 3.0, None], codes(0, 1))
    assert without.of_users.names == ("x",)
    assert without.users(codes(2)).tolist() == [[0]]


def test_far_values_are_cut_off() -> None:
    encoder = fit_users([1.0, 3.0, 1e300, -1e300], codes(0, 1))
    assert encoder.users(codes(2, 3)).tolist() == [[FAR], [-FAR]]


@pytest.mark.parametrize(
    "column",
    [[7.0, 7.0, 9.0], [None, None, 1.0], ["a", "a", "b"], [None, None, "a"], [["t"], ["t"], ["u"]]],
)
def test_columns_that_are_the_same_all_through_training_are_left_out(column: list[object]) -> None:
    encoder = fit_users(column, codes(0, 1))
    assert encoder.of_users.names == ()
    assert encoder.users(codes(0, 1, 2)).shape == (3, 0)


def test_a_table_whose_values_are_all_missing_has_no_features() -> None:
    dataset = world(users={"x": pl.Series([None, None], dtype=pl.String)})
    assert fit_features(dataset, None, codes(0, 1), codes()).users(codes(1)).shape == (1, 0)


def test_without_tables_or_training_rows_there_are_no_features() -> None:
    nothing = fit_features(world(), None, codes(0), codes(0))
    assert nothing.users(codes(0, 1)).shape == (2, 0)
    assert nothing.items(codes()).shape == (0, 0)
    assert fit_users(["a", "b"], codes()).users(codes(0, 1)).shape == (2, 0)


def test_raw_ids_and_labels_are_no_features() -> None:
    dataset = world(users={"_label": ["a", "b"], "x": ["a", "b"]})
    assert fit_features(dataset, None, codes(0, 1), codes()).of_users.names == ("x=a", "x=b")


def test_names_choose_among_both_tables_and_no_names_mean_no_features() -> None:
    dataset = world(users={"x": ["a", "b"], "y": ["a", "b"]}, items={"z": [1.0, 2.0]})
    some = fit_features(dataset, ["z", "y"], codes(0, 1), codes(0, 1))
    assert (some.of_users.names, some.of_items.names) == (("y=a", "y=b"), ("z",))
    none = fit_features(dataset, [], codes(0, 1), codes(0, 1))
    assert (none.of_users.names, none.of_items.names) == ((), ())


def test_a_name_that_is_not_declared_is_refused_with_the_nearest() -> None:
    dataset = world(users={"job": ["a", "b"]})
    with pytest.raises(BadInput, match=r"features: 'jobs' .* did you mean 'job'\?"):
        fit_features(dataset, ["jobs"], codes(0, 1), codes())
    with pytest.raises(BadInput, match="the data declares no features"):
        fit_features(world(), ["job"], codes(0), codes())


def test_matrices_are_float32_and_contiguous() -> None:
    found = fit_users([1.0, 3.0, None], codes(0, 1)).users(codes(0, 1))
    assert found.dtype == np.float32
    assert found.flags["C_CONTIGUOUS"]


def dated_items() -> Dataset:
    """A course whose price goes up at 10, and one that only the table has, from 20 on."""
    rows = pl.DataFrame(
        {"_id": ["a", "a", "z"], "_valid_from": [0, 10, 20], "price": [1.0, 3.0, 8.0]}
    )
    dataset = replace(dataset_of(events_of([(0, 0, 1)])), items=pl.DataFrame({"_id": ["a"]}))
    return replace(dataset, item_rows=rows)


def test_where_no_time_is_given_that_of_the_cut_is_meant() -> None:
    dataset = dated_items()
    encoder = fit_features(dataset, None, codes(), codes(0, 1), cut=20)
    assert encoder.cut == 20
    assert encoder.items(codes(0, 1)).tolist() == [[-1], [1]]
    early = encoder.items(codes(0, 0, 1), np.array([0, 10, 19]))
    assert early[:, 0] == pytest.approx([-1.8, -1, 0])
    assert fit_features(dataset, None, codes(), codes(0, 1), cut=9).of_items.names == (
        "price missing",
    )


def test_learners_rows_are_asked_at_a_time_too() -> None:
    rows = pl.DataFrame({"_id": ["u", "v", "u"], "_valid_from": [0, 0, 50], "job": ["a", "b", "b"]})
    users = pl.DataFrame({"_id": ["u", "v"]})
    dataset = replace(dataset_of(events_of([(0, 0, 1), (1, 0, 1)])), users=users, user_rows=rows)
    encoder = fit_features(dataset, None, codes(0, 1), codes(), cut=49)
    assert encoder.users(codes(0, 1)).tolist() == [[1, 0], [0, 1]]
    assert encoder.users(codes(0), 0).tolist() == [[1, 0]]
    assert encoder.users(codes(0), 50).tolist() == [[0, 1]]


def test_courses_that_only_the_table_has_are_known_after_those_of_the_log() -> None:
    known = known_items(dated_items())
    assert known.ids.to_list() == ["a", "z"]
    assert known.rows(codes(0, 1), 20).tolist() == [1, 2]


def test_without_a_table_there_is_a_code_for_each_of_the_log() -> None:
    dataset = dataset_of(events_of([(0, 1, 1), (2, 1, 1)]))
    assert (len(known_users(dataset).ids), len(known_items(dataset).ids)) == (3, 2)
    assert known_users(dataset).rows(codes(2, 0), 5).tolist() == [2, 0]


def test_a_table_without_raw_ids_goes_by_codes() -> None:
    dataset = replace(
        dataset_of(events_of([(0, 0, 1), (1, 0, 1)])), users=pl.DataFrame({"x": [5, 9]})
    )
    assert known_users(dataset).ids.to_list() == [0, 1]
    assert fit_features(dataset, None, codes(0, 1), codes()).users(codes(1)).tolist() == [[1]]


def test_events_have_the_features_that_were_fitted_or_none() -> None:
    encoder = fit_users([1, 2], codes(0, 1))
    events = events_of([(0, 0, 1), (0, 0, 3_000_000)])
    assert encoder.events(events, 5) is None
    timed = replace(encoder, of_events=fit_events(events, ["event.gap"], 5))
    found = timed.events(events, 5)
    assert found is not None
    assert found.tolist() == [[1], [0]]  # whether there is no gap


def test_columns_are_declared_by_kind_table_after_table() -> None:
    users = FeatureTable.model_validate(
        {"path": "u", "key": "id", "categorical": ["job"], "numeric": ["age"], "text": ["bio"]}
    )
    items = FeatureTable.model_validate(
        {"path": "i", "key": "id", "tags": {"themes": "|"}, "text": ["title", "about"]}
    )
    assert declared_names(users, None, items) == ["job", "age", "bio", "themes", "title", "about"]
    assert text_names(users, None, items) == ["bio", "title", "about"]
    assert declared_names(None) == text_names(None) == []


def test_texts_are_made_vectors_by_what_is_declared() -> None:
    titles = ["red tea", "red car", "blue tea", "blue car"]
    dataset = world(items={"title": titles})
    some = {"texts": ["title"], "text": Text(size=2)}
    vectors = fit_features(dataset, None, codes(), codes(0, 1, 2, 3), **some)  # type: ignore[arg-type]
    assert [*map(type, vectors.of_items.parts)] == [TextVectors]  # type: ignore[union-attr]
    assert vectors.items(codes(0, 1)).shape[1] in (1, 2)  # the first may be the same for all
    values = fit_features(dataset, None, codes(), codes(0, 1, 2, 3))
    assert values.of_items.names == tuple(f"title={title}" for title in sorted(titles))


def test_names_of_features_of_events_are_let_pass_and_hinted_at() -> None:
    check_names(["event.gap", "job"], ["job"])
    check_names(None, [])
    check_names(["event.gap"], [])
    with pytest.raises(BadInput, match=r"features: 'event.gaps' .* did you mean 'event.gap'\?"):
        check_names(["event.gaps"], ["job"])
