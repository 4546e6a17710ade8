"""Which files a path stands for, in which order, and which of them are copies."""

import gzip
from pathlib import Path

import pytest

from recsweep.data.formats.parts import check_order, parts, refuse_copies
from recsweep.errors import BadInput


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def test_a_folder_stands_for_its_files_by_name_but_for_those_that_begin_with_a_mark(
    tmp_path: Path,
) -> None:
    make(tmp_path, "b.csv", "a/z.csv", "a/_x.csv", "_SUCCESS", ".crc", "_tmp/q.csv", "a/.c/d.csv")
    make(tmp_path, "c_d.e")
    found = [str(path.relative_to(tmp_path)) for path in parts(tmp_path)]
    assert found == ["a/z.csv", "b.csv", "c_d.e"]


def test_marks_in_the_names_of_the_folders_above_mean_nothing(tmp_path: Path) -> None:
    make(tmp_path, "_export/.here/log.csv")
    assert parts(tmp_path / "_export/.here") == (tmp_path / "_export/.here/log.csv",)


def test_a_folder_with_nothing_to_read_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "_SUCCESS")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=f"^{tmp_path}: is a folder without a file to read$"):
        parts(tmp_path)


def test_a_delta_table_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "part.parquet", "_delta_log/0.json")
    with pytest.raises(BadInput, match=f"^{tmp_path}: is a Delta table, whose folder holds del"):
        parts(tmp_path)


def test_a_name_stands_for_itself_there_or_not(tmp_path: Path) -> None:
    make(tmp_path, "log[1].csv", "log1.csv")
    for name in ("log1.csv", "log[1].csv", "missing.csv"):
        assert parts(tmp_path / name) == (tmp_path / name,)


def test_a_pattern_stands_for_the_files_that_match_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "day-2.csv", "day-1.csv", "day-3.csv/log", "other.csv")
    want = (tmp_path / "day-1.csv", tmp_path / "day-2.csv")
    assert parts(tmp_path / "day-*.csv") == want
    monkeypatch.chdir(tmp_path)
    assert parts(Path("day-*.csv")) == tuple(path.relative_to(tmp_path) for path in want)
    with pytest.raises(BadInput, match=r"day-\*\.txt: no file matches this pattern$"):
        parts(tmp_path / "day-*.txt")


@pytest.mark.parametrize(
    "names",
    [
        ["day-2", "day-10"],
        ["p01", "p1", "p2"],
        ["p", "p0", "p1"],
        ["a1b2", "a1b10", "b0"],
        ["a"],
        [],
    ],
)
def test_files_in_the_order_of_the_numbers_in_their_names_pass(names: list[str]) -> None:
    check_order([Path(name) for name in names])


@pytest.mark.parametrize("names", [["day-10", "day-2"], ["p0", "p"], ["a1b10", "a1b2"]])
def test_numbers_against_the_order_are_told_with_both_names(names: list[str]) -> None:
    with pytest.raises(BadInput, match=f"^{names[1]}: is read after {names[0]}, by their names"):
        check_order([Path(name) for name in ["", *names]])


def copies(tmp_path: Path, contents: dict[str, bytes], rows: list[int]) -> None:
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    refuse_copies([tmp_path / name for name in contents], rows)


def test_a_file_of_the_same_bytes_is_refused_even_if_packed(tmp_path: Path) -> None:
    for other in (b"a\n1\n", gzip.compress(b"a\n1\n")):
        contents = {"one": b"a\n1\n", "two": b"a\n2\n", "three": other}
        with pytest.raises(BadInput) as refused:
            copies(tmp_path, contents, [1, 1, 1])
        assert str(refused.value) == (
            f"{tmp_path / 'three'}: is a copy of {tmp_path / 'one'}; leave one of them out"
        )


def test_files_without_rows_and_those_of_other_bytes_are_no_copies(tmp_path: Path) -> None:
    copies(tmp_path, {"one": b"a\n", "two": b"a\n"}, [0, 0])
    copies(tmp_path, {"one": b"a\n1\n", "two": b"a\n2\n"}, [1, 1])
    copies(tmp_path, {"one": b"a\n1\n"}, [1])


def test_all_of_a_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsweep.data.formats.parts.BLOCK", 2)
    copies(tmp_path, {"one": b"same1", "two": b"same2"}, [1, 1])
    with pytest.raises(BadInput, match="is a copy of"):
        copies(tmp_path, {"one": b"same1", "two": b"same1"}, [1, 1])


def test_files_with_other_numbers_of_rows_need_not_be_opened(tmp_path: Path) -> None:
    refuse_copies([tmp_path / "none", tmp_path / "nowhere"], [3, 4])


def test_one_file_named_twice_is_no_copy(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a\n1\n")
    refuse_copies([tmp_path / "log"] * 2, [1, 1])
