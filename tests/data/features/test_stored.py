"""Fitted columns that were written and read back encode as before, bit for bit."""

import json

import numpy as np
import polars as pl
import pytest

from recsweep.config.schema import Text
from recsweep.data.features.columns import Scale, Values
from recsweep.data.features.dated import NOTHING, DatedTable
from recsweep.data.features.events import EventEncoder
from recsweep.data.features.stored import (
    restored_events,
    restored_parts,
    stored_events,
    stored_parts,
)
from recsweep.data.features.table import EncodedTable, Part, fit_table
from recsweep.data.features.text import Embedding, TextVectors, Tfidf

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


def test_each_kind_of_column_is_written_as_its_numbers_and_words() -> None:
    arrays: dict[str, np.ndarray] = {}
    components, idf = np.ones((1, 2)), np.array([1.0, 2.0])
    parts: list[Part] = [
        Values("level", ("a",), ("b", "c")),
        Scale("age", 1.5, 2.5),
        TextVectors("about", 1, Tfidf(("art", "maths"), idf, True), components, 3.0),
        TextVectors("title", 1, Embedding("models/small"), components + 1, 1.0),
        TextVectors("empty", 0),
    ]
    assert stored_parts(parts, arrays, "items.") == [
        {"values": "level", "own": ["a"], "rest": ["b", "c"]},
        {"number": "age", "mean": 1.5, "deviation": 2.5},
        {"text": "about", "size": 1, "scale": 3.0, "terms": ["art", "maths"], "chinese": True},
        {"text": "title", "size": 1, "scale": 1.0, "model": "models/small"},
        {"text": "empty", "size": 0, "scale": 1.0},
    ]
    assert {name: array.tolist() for name, array in arrays.items()} == {
        "items.2.components": [[1, 1]],
        "items.2.idf": [1, 2],
        "items.3.components": [[2, 2]],
    }
    again = restored_parts(stored_parts(parts, {}, ""), {k[6:]: a for k, a in arrays.items()}, "")
    assert again[:2] == tuple(parts[:2])
    about, title, empty = again[2:]
    assert isinstance(about, TextVectors)
    assert isinstance(about.vectorize, Tfidf)
    assert about.vectorize.terms == ("art", "maths")
    assert about.vectorize.idf is idf
    assert about.vectorize.chinese
    assert (about.column, about.size, about.components, about.scale) == ("about", 1, components, 3)
    assert isinstance(title, TextVectors)
    assert title.vectorize == Embedding("models/small")
    assert title.components is arrays["items.3.components"]
    assert empty == TextVectors("empty", 0)


def test_an_entry_of_another_kind_is_an_error() -> None:
    with pytest.raises(KeyError):
        restored_parts([{"colour": "red"}], {}, "")
    with pytest.raises(KeyError):
        restored_parts([{"text": "a", "size": 1, "scale": 1, "terms": [], "chinese": True}], {}, "")


def test_features_of_events_come_back_from_json_or_there_are_none() -> None:
    assert stored_events(EventEncoder()) is None
    assert restored_events(None) == EventEncoder()
    parts = (Values("event.type", ("browse", "purchase"), ()), Scale("event.gap", 1.0, 2.0))
    kept = np.array([True, False, True, True])
    entry = json.loads(json.dumps(stored_events(EventEncoder(parts, kept))))
    assert entry["kept"] == [True, False, True, True]
    again = restored_events(entry)
    assert again.parts == parts
    assert again.kept is not None
    assert again.kept.dtype == bool
    assert again.sources == ("event.type", "event.gap", "event.gap")
