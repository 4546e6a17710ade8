from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import dataset_of, events_of

from recsweep.data.features.columns import FAR, MOST
from recsweep.data.features.fit import Encoder, fit_features
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


@given(st.lists(st.one_of(st.none(), st.sampled_from("abcdefg")), max_size=6))
def test_rows_outside_training_never_change_the_encoding(others: list[str | None]) -> None:
    training = codes(0, 1, 2)
    alone = fit_users(["a", "b", None], training)
    joined = fit_users(["a", "b", None, *others], training)
    assert joined.of_users.names == alone.of_users.names
    assert np.array_equal(joined.users(training), alone.users(training))


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
