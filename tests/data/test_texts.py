"""Texts that count once, labels that contradict, and parts that share nothing."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from recsweep.config.schema import Folds, TextTable, TimeLimits
from recsweep.data.features.dated import ANSWER, COPIES, GROUP, ID, TEXT
from recsweep.data.texts import Texts, label_counts, read_texts
from recsweep.errors import BadInput

Row = tuple[object, ...]
STRATIFIED = Folds(rule="stratified", count=2, test=0.2)
LABELS = (("fine", "good"), ("dull", "bad"))
MANY = [(f"{word} {n}", label) for word, label in LABELS for n in range(20)]


def read(
    folder: Path,
    rows: Sequence[Row],
    rule: Folds = STRATIFIED,
    *,
    header: str = "text,label",
    **keys: object,
) -> Texts:
    path = folder / "texts.csv"
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    path.write_text("\n".join([header, *lines]) + "\n")
    table = {"path": str(path), "text": "text", "label": {"column": "label"}, **keys}
    return read_texts([TextTable.model_validate(table)], [path], rule, TimeLimits())


def texts_by_part(found: Texts) -> dict[int, set[str]]:
    part = found.indexed.events.time
    text = found.table[TEXT].to_numpy()
    return {int(p): set(text[part == p]) for p in np.unique(part)}


def test_a_text_counts_once_and_its_copies_are_counted(tmp_path: Path) -> None:
    copies = [("fine 0", "good"), (" fine  0 ", "good"), ("dull 3", "bad")]
    found = read(tmp_path, [*MANY, *copies])
    assert found.indexed.duplicates == 3
    assert len(found.table) == len(MANY)
    counted = dict(found.table.select(TEXT, COPIES).iter_rows())
    assert {text: n for text, n in counted.items() if n} == {"fine 0": 2, "dull 3": 1}


def test_a_text_with_two_labels_is_left_out_with_all_its_rows(tmp_path: Path) -> None:
    found = read(tmp_path, [*MANY, ("both", "good"), ("both", "bad"), ("both", "good")])
    (rows,) = found.rows
    assert (rows.rows, rows.dropped["text with two labels"], rows.kept) == (43, 3, 40)
    assert "both" not in found.table[TEXT]


def test_rows_without_a_text_or_a_label_and_other_labels_are_counted(tmp_path: Path) -> None:
    more = [(None, "good"), ("nothing said", None), ("odd", "unsure"), ("well", "ok")]
    label = {"column": "label", "values": {"good": "good", "bad": "bad", "ok": "good"}}
    found = read(tmp_path, [*MANY, *more], label=label)
    dropped = found.rows[0].dropped
    assert dropped["no text"] == dropped["no label"] == dropped["label not in the mapping"] == 1
    assert dict(found.table.select(TEXT, ANSWER).iter_rows())["well"] == "good"


def test_the_order_of_rows_has_no_say(tmp_path: Path) -> None:
    one, other = read(tmp_path, MANY), read(tmp_path, MANY[::-1])
    assert one.table.equals(other.table)
    np.testing.assert_array_equal(one.indexed.events.time, other.indexed.events.time)


def test_every_part_has_the_same_share_of_each_label(tmp_path: Path) -> None:
    found = read(tmp_path, MANY)
    part, answer = found.indexed.events.time, found.table[ANSWER].to_numpy()
    shares = [float((answer[part == p] == "good").mean()) for p in range(3)]
    assert shares == [0.5, 0.5, 0.5]


def test_a_label_of_too_few_texts_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"1 distinct texts with the label 'odd' are too few"):
        read(tmp_path, [*MANY, ("once", "odd"), ("once", "odd")])


def test_no_group_is_in_two_parts(tmp_path: Path) -> None:
    rows = [(text, label, f"source {n % 9}") for n, (text, label) in enumerate(MANY)]
    rule = Folds(rule="group", count=2, test=0.2)
    found = read(tmp_path, rows, rule, header="text,label,who", group="who")
    parts = pl.DataFrame({"group": found.table[GROUP], "part": found.indexed.events.time})
    assert parts.group_by("group").agg(pl.col("part").n_unique())["part"].to_list() == [1] * 9
    assert set(parts["part"]) == {0, 1, 2}
    few = [(text, label, n % 2) for n, (text, label) in enumerate(MANY)]
    with pytest.raises(BadInput, match="2 groups are too few for 2 folds"):
        read(tmp_path, few, rule, header="text,label,who", group="who")


def timed(folder: Path, rows: Sequence[Row]) -> Texts:
    rule = Folds(count=2, validation=0.2, test=0.2)
    return read(folder, rows, rule, header="text,label,day", time="day", time_format="%Y-%m-%d")


def dated(rows: Sequence[tuple[str, str]]) -> list[Row]:
    return [(text, label, f"2024-01-{1 + n % 28:02}") for n, (text, label) in enumerate(rows)]


def test_on_a_clock_the_earliest_rows_decide(tmp_path: Path) -> None:
    first = ("seen early", "good", "2024-01-01")
    again, other = ("seen early", "good", "2024-01-20"), ("seen early", "bad", "2024-01-21")
    found = timed(tmp_path, [*dated(MANY), again, first, other])
    row = found.table.filter(pl.col(TEXT) == "seen early")
    assert row[ANSWER].to_list() == ["good"]
    assert row[COPIES].to_list() == [1]
    assert found.rows[0].dropped["text with two labels"] == 1
    at_once = ("seen early", "bad", "2024-01-01")
    assert "seen early" not in timed(tmp_path, [*dated(MANY), first, again, at_once]).table[TEXT]


def test_what_comes_later_changes_nothing_before(tmp_path: Path) -> None:
    """Texts of the sealed test are changed, repeated, contradicted; the development stays."""
    rows = dated(MANY)
    one = timed(tmp_path, rows)
    start = one.cuts.test[0]
    text = one.table[TEXT].to_numpy()
    early = set(text[one.indexed.events.time < start])
    late = [row for row in rows if row[0] not in early]
    assert late
    kept = [row for row in rows if row[0] in early]
    day = min(str(row[2]) for row in late)
    contradicting = [(row[0], "bad", day) for row in kept[:3]]
    changed = [(f"{row[0]} changed", "good", row[2]) for row in late]
    other = timed(tmp_path, [*kept, *changed, *contradicting])
    assert other.cuts.validation == one.cuts.validation
    for found in (one, other):
        assert found.cuts.test[0] == start
    before = [f.table.filter(f.indexed.events.time < start).drop(COPIES) for f in (one, other)]
    assert before[0].equals(before[1])


def test_ids_tell_nothing_but_the_text(tmp_path: Path) -> None:
    one = read(tmp_path, MANY)
    other = read(tmp_path, [*MANY, ("one more", "good")])
    ids = dict(one.table.select(TEXT, ID).iter_rows())
    assert ids.items() <= dict(other.table.select(TEXT, ID).iter_rows()).items()


def test_labels_are_counted_frequent_ones_first() -> None:
    def counts(users: pl.DataFrame | None) -> list[tuple[str, int]]:
        dataset: Any = SimpleNamespace(users=users)
        return [*label_counts(dataset).items()]

    assert counts(pl.DataFrame({ANSWER: ["c", "b", "a", "b"]})) == [("b", 2), ("a", 1), ("c", 1)]
    assert counts(pl.DataFrame({ID: ["u1"]})) == counts(None) == []
