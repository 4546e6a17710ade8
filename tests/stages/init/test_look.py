"""A first look at a file: its rows as they stand, and as text."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from recsweep.config.schema import Table
from recsweep.errors import BadInput
from recsweep.stages.init import look as looking
from recsweep.stages.init.look import Look, look_at
from recsweep.stages.init.questions import Answers


def test_text_is_what_is_there_without_spaces_and_lists_and_bytes_have_none() -> None:
    rows = pl.DataFrame(
        {
            "text": [" a", "", None, "  ", "b "],
            "number": [1.5, 2.0, None, 4.0, float("nan")],
            "list": [["a"], [], None, None, None],
            "bytes": [b"a", b"b", None, None, None],
        }
    )
    look = Look(Table(path="a.parquet", format="parquet"), Path("a.parquet"), rows)
    assert look.names == ["text", "number", "list", "bytes"]
    assert look.text("text").to_list() == ["a", "b"]
    assert look.text("number").to_list() == ["1.5", "2.0", "4.0"]
    for name in ("list", "bytes"):
        assert (look.text(name).name, look.text(name).to_list()) == (name, [])
        assert look.text(name).dtype == pl.String


def test_a_folder_is_looked_at_by_its_first_file(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("user_id;x\n3;4\n")
    (tmp_path / "a.csv").write_text("user_id;x\n1;2\n")
    look = look_at(tmp_path, Answers(None))
    assert look.path == tmp_path / "a.csv"
    assert (look.table.path, look.table.separator) == (str(tmp_path), ";")
    assert look.rows.rows() == [("1", "2")]


def test_a_header_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user_id,item_id\n")
    with pytest.raises(BadInput, match=r"a\.csv: has no row below its header$"):
        look_at(tmp_path / "a.csv", Answers(None))


@pytest.mark.parametrize(
    ("limit", "read", "kept"), [(3, 2, 3), (4, 2, 4), (5, 3, 5), (2, 1, 2), (9, 3, 6)]
)
def test_no_more_batches_are_read_and_no_more_rows_kept_than_are_looked_at(
    limit: int, read: int, kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_text("user_id,item_id\n0,0\n")
    taken: list[int] = []

    def batches(table: Table, path: Path, columns: list[str]) -> Iterator[pl.DataFrame]:
        assert columns == ["user_id", "item_id"]
        for n in range(3):
            taken.append(n)
            yield pl.DataFrame({"user_id": [2 * n, 2 * n + 1], "item_id": ["a", "b"]})

    monkeypatch.setattr(looking, "read_batches", batches)
    monkeypatch.setattr(looking, "ROWS", limit)
    look = look_at(tmp_path / "a.csv", Answers(None))
    assert taken == list(range(read))
    assert look.rows["user_id"].to_list() == list(range(kept))
