"""Fitted columns that were written and read back encode as before, bit for bit."""

import json

import numpy as np
import polars as pl
import pytest

from recsweep.config.schema import Text
from recsweep.data.features.columns import Scale
from recsweep.data.features.dated import NOTHING, DatedTable
from recsweep.data.features.stored import restored_parts, stored_parts
from recsweep.data.features.table import EncodedTable, fit_table

TABLE = pl.DataFrame(
    {
        "level": ["a", "b", None, "a", "c"],
        "age": [31.0, None, 17.5, 44.0, 1e9],
        "tags": [["x", "y"], ["y"], None, ["z"], ["x"]],
        "about": ["maths algebra", "maths algebra art", "art painting", "painting", None],
    }
)
IDS = pl.Series(["u0", "u1", "u2", "u3", "u4"])


def test_columns_of_every_kind_come_back_from_json() -> None:
    fitted = fit_table(
        DatedTable(TABLE, IDS),
        TABLE.columns,
        np.arange(5, dtype=np.int32),
        0,
        ["about"],
        Text(size=2),
    )
    arrays: dict[str, np.ndarray] = {}
    entries = json.loads(json.dumps(stored_parts(fitted.parts, arrays, "p.")))
    parts = restored_parts(entries, arrays, "p.")
    assert len(parts) == 4
    for part, again in zip(fitted.parts, parts, strict=True):
        cells = TABLE[part.column]
        assert again.names == part.names
        np.testing.assert_array_equal(again.encode(cells), part.encode(cells))
    assert fitted.parts[-1].encode(TABLE["about"]).any()


def test_a_column_of_an_older_bundle_that_training_had_no_number_of_comes_back_too() -> None:
    (part,) = restored_parts([{"number": "age", "mean": None, "deviation": 1.0}], {}, "")
    assert part == Scale("age", 0.0, 1.0)


@pytest.mark.parametrize("dated", [False, True])
def test_a_table_that_is_encoded_beforehand_gives_the_same_rows(dated: bool) -> None:
    known = DatedTable(TABLE, IDS)
    if dated:  # the second course has no row, the last one two
        start = np.array([0, 1, 1, 2, 3, 5])
        known = DatedTable(TABLE, IDS, start, np.array([0, 10, 20, 0, 30]))
    fitted = fit_table(known, ["level", "age", "tags"], np.array([0, 2, 3], np.int32), 25)
    encoded = EncodedTable.of(fitted)
    codes = np.arange(5, dtype=np.int32)
    for at in (-1, 5, 15, 100):
        np.testing.assert_array_equal(encoded.encode(codes, at), fitted.encode(codes, at))
    if dated:
        assert (known.rows(codes, -1) == NOTHING).all()
