"""Texts that count once, labels that contradict, and parts that share nothing."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from recsweep.config.schema import Folds, TextTable, TimeLimits
from recsweep.data.features.dated import ANSWER, COPIES, GROUP, ID, TEXT
from recsweep.data.texts import Texts, label_counts, plain, read_texts, text_features
from recsweep.data.types import KINDS
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


def test_a_text_is_a_learner_with_one_comment_and_those_of_the_test_come_last(
    tmp_path: Path,
) -> None:
    found = read(tmp_path, MANY)
    events = found.indexed.events
    assert events.user.tolist() == list(range(40))
    assert set(events.item) == {0}
    assert {KINDS[kind] for kind in events.kind} == {"comment"}
    assert events.user.dtype == events.item.dtype == np.int32
    assert events.kind.dtype == np.int8
    assert events.time.tolist() == sorted(events.time)
    assert np.bincount(events.time).tolist() == [16, 16, 8]
    assert found.indexed.users.to_list() == found.table[ID].to_list()
    assert found.indexed.items.to_list() == ["text"]
    assert found.indexed.duplicates == 0
    assert (found.cuts.validation, found.cuts.test) == (((0, 1), (1, 2)), (2, 3))
    for text, given in found.table.select(TEXT, ID).iter_rows():
        assert given == hashlib.sha256(text.encode()).hexdigest()[:20]
    for part in range(3):
        ids = found.table[ID].to_numpy()[events.time == part]
        assert ids.tolist() == sorted(ids)
    assert found.table["_label"].to_list() == [None] * 40
    assert found.table.columns == [ID, GROUP, TEXT, ANSWER, COPIES, "_label"]
    assert found.odd_values == ()


def test_runs_of_spaces_and_line_ends_are_one_space() -> None:
    texts = pl.Series(["  a \n\t b ", "a b", " ", None])
    assert plain(texts).to_list() == ["a b", "a b", "", None]


def test_every_table_counts_its_own_rows_and_their_texts_count_once(tmp_path: Path) -> None:
    """The second bears one label throughout, and says otherwise of two texts of the first."""
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    odd = ["", "fine 0", "fine 0", "fine 1", "dull 0"]
    first.write_text("\n".join(["text,label", *(",".join(row) for row in MANY)]) + "\n")
    second.write_text("\n".join(["words,size", *(f'"{text}",1' for text in odd)]) + "\n")
    tables = [
        TextTable.model_validate({"path": "1", "text": "text", "label": {"column": "label"}}),
        TextTable.model_validate(
            {"path": "2", "text": "words", "label": {"constant": "bad"}, "numeric": ["size"]}
        ),
    ]
    found = read_texts(tables, [first, second], STRATIFIED, TimeLimits())
    counts = [
        (rows.path, rows.rows, rows.dropped["no text"], rows.dropped["text with two labels"],
         rows.kept)
        for rows in found.rows
    ]  # fmt: skip
    assert counts == [("1", 40, 0, 2, 38), ("2", 5, 1, 3, 1)]
    assert {"fine 0", "fine 1"}.isdisjoint(found.table[TEXT])
    assert found.indexed.duplicates == 1
    sizes = dict(found.table.select(TEXT, "size").iter_rows())
    assert {text for text, size in sizes.items() if size == 1} <= {"dull 0"}


def test_a_table_of_which_nothing_is_left_is_counted_too(tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("\n".join(["text,label", *(",".join(row) for row in MANY)]) + "\n")
    second.write_text("text,label\nnothing said,\n")
    keys = {"text": "text", "label": {"column": "label"}}
    tables = [TextTable.model_validate({"path": name, **keys}) for name in "12"]
    found = read_texts(tables, [first, second], STRATIFIED, TimeLimits())
    assert [(rows.rows, rows.kept) for rows in found.rows] == [(40, 40), (1, 0)]
    many = Folds(rule="stratified", count=20, test=0.2)
    with pytest.raises(
        BadInput, match=r"first\.csv: 20 distinct texts with the label 'bad' are too"
    ):
        read_texts(tables, [first, second], many, TimeLimits())


def test_columns_of_several_tables_are_those_of_one(tmp_path: Path) -> None:
    keys = {"path": "x", "text": "t", "label": {"column": "l"}, "missing": ["-"]}
    tables = [
        TextTable.model_validate({**keys, "categorical": ["a", "b"], "numeric": ["n"]}),
        TextTable.model_validate(
            {**keys, "text": "u", "categorical": ["b", "c"], "numeric": ["m", "n"]}
        ),
    ]
    columns = text_features(*tables)
    assert (columns.categorical, columns.numeric) == (("a", "b", "c"), ("n", "m"))
    assert (columns.key, columns.missing) == ("t", ("-",))
    assert columns.text == ()


def test_a_row_counts_for_the_first_rule_that_it_breaks(tmp_path: Path) -> None:
    more = [
        (None, None, None),
        ("no label", None, None),
        ("other label", "unsure", None),
        ("no time", "good", None),
        ("early", "good", "1969-12-31"),
        ("late", "good", "2999-01-01"),
    ]
    label = {"column": "label", "values": {"good": "good", "bad": "bad"}}
    found = read(
        tmp_path, [*dated(MANY), *more], Folds(count=2, validation=0.2, test=0.2),
        header="text,label,day", time="day", time_format="%Y-%m-%d", label=label,
    )  # fmt: skip
    (rows,) = found.rows
    assert rows.dropped == {
        "no text": 1, "no label": 1, "label not in the mapping": 1, "no time": 1,
        "time outside the limits": 2, "text with two labels": 0,
    }  # fmt: skip
    assert (rows.rows, rows.kept, len(found.table)) == (46, 40, 40)


def test_times_limits_hold_their_start_and_not_their_end(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    days = ["2019-12-31", *(f"2020-01-{day:02}" for day in range(1, 31)), "2020-01-31"]
    rows = [f"text {day},{'good' if n % 2 else 'bad'},{day}" for n, day in enumerate(days)]
    path.write_text("\n".join(["text,label,day", *rows]) + "\n")
    table = TextTable.model_validate(
        {"path": "x", "text": "text", "label": {"column": "label"}, "time": "day",
         "time_format": "iso"}
    )  # fmt: skip
    limits = TimeLimits.model_validate({"earliest": "2020-01-01", "latest": "2020-01-31"})
    found = read_texts([table], [path], Folds(count=2, validation=0.2, test=0.2), limits)
    assert sorted(found.table[TEXT]) == [f"text {day}" for day in days[1:-1]]
    assert found.rows[0].dropped["time outside the limits"] == 2


def test_of_copies_the_row_of_the_first_group_is_kept_and_without_a_group_a_text_is_its_own(
    tmp_path: Path,
) -> None:
    rows: list[Row] = [(text, label, None) for text, label in MANY]
    rows += [("fine 0", "good", "b"), ("seen", "good", "b"), ("seen", "good", "a")]
    rule = Folds(rule="group", count=2, test=0.2)
    found = read(tmp_path, rows, rule, header="text,label,who", group="who")
    groups = dict(found.table.select(TEXT, GROUP).iter_rows())
    assert groups["seen"] == "a"
    assert set(groups.values()) == {None, "a"}
    assert np.bincount(found.indexed.events.time).min() >= 6


def test_a_log_of_which_no_text_is_left_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"texts\.csv: no text with a label is left"):
        read(tmp_path, [("both", "good"), ("both", "bad"), (None, "bad")])


def test_marks_that_nobody_declared_are_pointed_out_by_the_words_of_a_table(
    tmp_path: Path,
) -> None:
    rows = [(text, label, "NA" if n % 9 == 0 else n % 9) for n, (text, label) in enumerate(MANY)]
    rule = Folds(rule="group", count=2, test=0.2)
    found = read(tmp_path, rows, rule, header="text,label,who", group="who")
    assert [line.split(" holds ")[0] for line in found.odd_values] == ["Column 'group'"]
