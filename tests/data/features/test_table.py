"""Tables as numbers, column by column."""

import numpy as np
import polars as pl
import pytest

from recsweep.config.schema import Text
from recsweep.data.features.columns import Scale, Values
from recsweep.data.features.dated import NOTHING, DatedTable
from recsweep.data.features.table import EncodedTable, encode_rows, fit_column, fit_table
from recsweep.data.features.text import TextVectors
from recsweep.data.types import Int32

TABLE = pl.DataFrame(
    {
        "age": [10.0, 30.0, None, 50.0],
        "kind": ["a", "b", "a", "c"],
        "about": ["red tea", "red car", "blue tea", "blue car"],
        "same": [1, 1, 1, 1],
    }
)
IDS = pl.Series(["u0", "u1", "u2", "u3"])
KNOWN = DatedTable(TABLE, IDS)
# The first code's rows are valid from 0 and from 10, the second's from 5, the third has none, the
# fourth's is valid from 20.
DATED = DatedTable(TABLE, IDS, np.array([0, 2, 3, 3, 4]), np.array([0, 10, 5, 20]))


def codes(*values: int) -> Int32:
    return np.array(values, np.int32)


def test_columns_come_in_the_order_in_which_they_are_named_and_constant_ones_not_at_all() -> None:
    fitted = fit_table(KNOWN, ["kind", "same", "age"], codes(0, 1), 0)
    assert fitted.names == ("kind=a", "kind=b", "age")
    assert fitted.sources == ("kind", "kind", "age")
    found = fitted.encode(codes(1, 3, 2), 0)
    assert found.tolist() == [[0, 1, 1], [0, 0, 3], [1, 0, 0]]
    assert found.flags["C_CONTIGUOUS"]
    assert found.dtype == np.float32


def test_a_code_that_stands_there_twice_counts_twice() -> None:
    fitted = fit_table(KNOWN, ["age"], codes(0, 0, 0, 1), 0)
    assert fitted.parts == (Scale("age", 15.0, np.sqrt(75.0)),)


def test_without_training_there_is_no_column() -> None:
    fitted = fit_table(KNOWN, ["age", "kind"], codes(), 0)
    assert (fitted.names, fitted.sources) == ((), ())
    assert fitted.encode(codes(0, 1), 0).shape == (2, 0)


def test_only_what_was_known_by_then_is_fitted_on_and_encoded() -> None:
    early = fit_table(DATED, ["age", "kind"], codes(0, 1, 2), 5)
    assert early.names == ("age missing", "kind=a")  # rows 0 and 2, and of one course nothing
    late = fit_table(DATED, ["age"], codes(0, 3), np.array([10, 20]))
    assert late.parts == (Scale("age", 40.0, 10.0),)
    assert late.encode(codes(0, 0, 3, 3, 2), np.array([9, 10, 19, 20, 99])).tolist() == [
        [-3], [-1], [0], [1], [0],
    ]  # fmt: skip


def test_declared_texts_become_vectors_and_other_words_values() -> None:
    codes_of_all = codes(0, 1, 2, 3)
    fitted = fit_table(KNOWN, ["about", "kind"], codes_of_all, 0, ["about"], Text(size=2))
    about, kind = fitted.parts
    assert isinstance(about, TextVectors)
    assert isinstance(kind, Values)
    assert about.names == ["about text 1", "about text 2"]
    by_default = fit_table(KNOWN, ["about"], codes_of_all, 0, ["about"]).parts[0]
    assert isinstance(by_default, TextVectors)
    assert by_default.size == 3  # of 32 that are asked for, as four texts and terms can tell
    plain = fit_table(KNOWN, ["about"], codes_of_all, 0)
    assert plain.names[0] == "about=blue car"


@pytest.mark.parametrize(
    ("cells", "kind"),
    [([1, 2], Scale), ([1.5, None], Scale), (["1", "2"], Values), ([["a"], []], Values)],
)
def test_numbers_are_scaled_and_all_else_are_values(cells: list[object], kind: type) -> None:
    assert isinstance(fit_column(pl.Series("x", cells)), kind)


def test_no_columns_are_still_so_many_rows() -> None:
    assert encode_rows(TABLE, (), np.array([0, NOTHING, 2])).shape == (3, 0)


def test_where_nothing_is_known_no_column_has_a_value() -> None:
    parts = (Values("kind", ("a", "b"), ()), Scale("age", 10.0, 1.0))
    found = encode_rows(TABLE, parts, np.array([NOTHING, 0, 3]))
    assert found.tolist() == [[0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 10, 0]]


@pytest.mark.parametrize("known", [KNOWN, DATED], ids=["plain", "dated"])
def test_what_is_encoded_beforehand_is_a_row_of_the_table_each_and_one_of_nothing(
    known: DatedTable,
) -> None:
    fitted = fit_table(known, ["age", "kind"], codes(0, 1, 2), 7)
    stored = EncodedTable.of(fitted)
    assert stored.matrix.shape == (5, len(fitted.names))
    assert stored.matrix.flags["C_CONTIGUOUS"]
    assert (stored.names, stored.sources) == (fitted.names, fitted.sources)
    nothing = encode_rows(TABLE, fitted.parts, np.array([NOTHING]))[:, fitted.kept]
    np.testing.assert_array_equal(stored.matrix[-1:], nothing)
    for at in (-1, 0, 5, 10, 25):
        found = stored.encode(codes(3, 0, 2, 1), at)
        np.testing.assert_array_equal(found, fitted.encode(codes(3, 0, 2, 1), at))


def test_what_is_printed_of_an_encoder_is_its_columns_and_not_its_data() -> None:
    fitted = fit_table(KNOWN, ["age"], codes(0, 1), 0)
    assert repr(fitted) == f"TableEncoder(parts={fitted.parts!r}, kept={fitted.kept!r})"
    assert repr(EncodedTable.of(fitted)) == "EncodedTable(names=('age',), sources=('age',))"
