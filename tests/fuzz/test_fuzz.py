"""A slice of `make fuzz`, and proof that the fuzzer sees what it is there to see."""

import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from fuzz import csv_dialects, times
from fuzz.command import Ended
from fuzz.configurations import Configurations
from fuzz.csv_dialects import CsvDialects
from fuzz.data_files import DataFiles, counted
from fuzz.environments import Environments
from fuzz.parquet_columns import ParquetColumns
from fuzz.results_folders import ResultsFolders
from fuzz.run import Suite
from fuzz.times import Times

SLICE = 15


def problems(suite: Suite, cases: int = SLICE) -> list[str]:
    found = []
    for number in range(cases):
        said, problem = suite.case(random.Random(f"slice {number}"))
        if problem:
            found.append(f"{said}: {problem}")
    return found


def test_a_damaged_configuration_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    assert problems(Configurations(tmp_path)) == []


def test_a_damaged_raw_table_is_one_line_or_counted_right(tmp_path: Path) -> None:
    assert problems(DataFiles(tmp_path)) == []


def test_a_damaged_study_is_one_line_or_says_what_it_said_before(tmp_path: Path) -> None:
    assert problems(ResultsFolders(tmp_path)) == []


@pytest.mark.parametrize("make", [CsvDialects, ParquetColumns, Times])
def test_a_raw_table_is_read_as_python_reads_it_or_refused(
    make: Callable[[Path], Suite], tmp_path: Path
) -> None:
    assert problems(make(tmp_path), 100) == []


def test_the_fuzzer_sees_what_is_read_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_dialects, "read_table", lambda *asked, **more: pl.DataFrame({"x": []}))
    assert len(problems(CsvDialects(tmp_path), 20)) > 10
    monkeypatch.setattr(times, "to_microseconds", lambda column, form: pl.Series([7] * len(column)))
    assert len(problems(Times(tmp_path), 20)) > 10
    monkeypatch.setattr(ParquetColumns, "_read", lambda *asked: [("u", "i", 7)])
    assert len(problems(ParquetColumns(tmp_path), 20)) > 10


def test_an_odd_environment_is_obeyed_or_one_line(tmp_path: Path) -> None:
    assert problems(Environments(tmp_path), 40) == []


@pytest.mark.parametrize(
    ("ended", "problem"),
    [
        (Ended(None, "", "ValueError: x"), "traceback"),
        (Ended(1, "", ""), "exit 1 with 0 lines"),
        (Ended(2, "", "recsweep: a\nrecsweep: b\n"), "exit 2 with 2 lines"),
        (Ended(2, "", "recsweep: a\nand more\n"), "the message goes on"),
        (Ended(0, "", "Traceback (most recent call last)"), "a traceback in the output"),
        (Ended(139, "", "recsweep: a\n"), "exit 139"),
    ],
)
def test_the_fuzzer_sees_a_command_that_ends_badly(ended: Ended, problem: str) -> None:
    assert problem in str(ended.problem())


def test_the_fuzzer_takes_one_line_for_a_good_end() -> None:
    assert Ended(2, "", "a warning\nrecsweep: a: b, expected c\n").problem() is None
    assert Ended(0, "all well", "").problem() is None


def test_the_fuzzer_counts_rows_by_itself() -> None:
    rows = [["learner", "course", "at", "what"]]
    rows += [["u", "c", "1000000000", "view"]] * 2 + [
        [" ", "c", "", "buy"],
        ["u", "c", "-1", "buy"],
    ]
    dropped, kept, unread = counted(rows)
    assert dropped == {"no user id": 1, "time outside the limits": 1}
    assert (kept, unread) == (1, False)
    assert counted([*rows, ["u", "c", "soon", "view"]])[2]
