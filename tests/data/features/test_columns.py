"""Columns as numbers, cell by cell."""

import numpy as np
import polars as pl
import pytest

from recsweep.data.features.columns import FAR, Scale, Values, fit_scale, fit_values


def test_a_number_is_so_many_deviations_from_the_mean_and_a_missing_one_is_the_mean() -> None:
    scale = fit_scale(pl.Series("age", [10.0, None, 30.0]))
    assert (scale.mean, scale.deviation) == (20, 10)
    assert scale.encode(pl.Series([35, None, 20])).tolist() == [[1.5, 0], [0, 1], [0, 0]]
    assert scale.names == ["age", "age missing"]


def test_a_number_that_training_has_none_to_compare_with_is_taken_as_it_stands() -> None:
    scale = fit_scale(pl.Series("age", [None, None], dtype=pl.Float64))
    assert scale == Scale("age", 0.0, 1.0)
    assert scale.encode(pl.Series([2.5, None, 99.0])).tolist() == [[2.5, 0], [0, 1], [FAR, 0]]


def test_numbers_that_are_all_the_same_are_only_moved() -> None:
    assert fit_scale(pl.Series("age", [7, 7])).encode(pl.Series([7, 9])).tolist() == [
        [0, 0],
        [2, 0],
    ]


@pytest.mark.parametrize("kind", ["categories", "tags"])
def test_a_value_has_a_column_of_its_own_up_to_fifty_and_the_rest_share_one(kind: str) -> None:
    names = [f"{n:02}" for n in range(52)]
    often = [name for n, name in enumerate(names) for _ in range(60 - n)]
    cells = pl.Series("kind", [[name] for name in often] if kind == "tags" else often)
    values = fit_values(cells)
    assert values.own == tuple(names[:50])
    assert values.names[-2:] == ["kind=49", "kind (2 rarer)"]
    asked = ["00", "49", "50", "51", "new", None]
    found = values.encode(
        pl.Series([None if a is None else [a] for a in asked] if kind == "tags" else asked)
    )
    assert [np.flatnonzero(row).tolist() for row in found] == [[0], [49], [50], [50], [], []]


def test_a_column_of_nothing_has_no_values() -> None:
    values = fit_values(pl.Series("kind", [None, None], dtype=pl.String))
    assert (values.own, values.rest, values.names) == ((), (), [])
    assert values.encode(pl.Series(["a", None])).shape == (2, 0)


def test_no_cells_are_no_rows() -> None:
    values = fit_values(pl.Series("kind", ["a", "b", "a"]))
    assert values.names == ["kind=a", "kind=b"]
    assert values.encode(pl.Series([], dtype=pl.String)).shape == (0, 2)
    assert values.encode(pl.Series(["b", "a"])).tolist() == [[0, 1], [1, 0]]


def test_tags_of_a_cell_each_have_their_column_and_rare_ones_share_a_single_one() -> None:
    values = Values("tag", ("x", "y"), ("p", "q"))
    found = values.encode(pl.Series([["y", "x", "new"], ["p", "q"], [], None]))
    assert found.tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert found.dtype == np.float32


def test_the_more_frequent_value_comes_first_and_of_two_as_frequent_the_earlier_name() -> None:
    assert fit_values(pl.Series("k", ["c", "b", "a", "c"])).own == ("c", "a", "b")


def test_numbers_ten_deviations_away_are_cut_off() -> None:
    scale = Scale("age", 100.0, 2.0)
    found = scale.encode(pl.Series([119.0, 121.0, 81.0, -1e300, None]))
    assert found.tolist() == [[9.5, 0], [10, 0], [-9.5, 0], [-10, 0], [0, 1]]
    assert found.dtype == np.float32


@pytest.mark.filterwarnings("error")
def test_neither_unknown_tags_nor_numbers_beyond_measure_are_warned_of() -> None:
    assert Values("tag", ("x",), ()).encode(pl.Series([["new"]])).tolist() == [[0]]
    assert np.isfinite(fit_scale(pl.Series("age", [1.0, 2.0])).encode(pl.Series([1e300]))).all()
    fit_scale(pl.Series("age", [1e300, -1e300]))
