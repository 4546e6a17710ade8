import json
from pathlib import Path

import pytest

from recsweep.errors import BadInput
from recsweep.records.checked import read_checked, write_checked

CONTENT = {"mean": 0.1 + 0.2, "name": "naïve", "families": {"gru": [1, 2]}, "none": None}


def test_a_record_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    write_checked(path, CONTENT)
    assert read_checked(path, "run it again") == CONTENT
    assert list(json.loads(path.read_text("utf-8"))) == [*CONTENT, "digest"]


@pytest.mark.parametrize(("old", "new"), [("0.3000", "0.3001"), ("gru", "lstm"), ('"naïve"', "1")])
def test_a_record_that_was_changed_is_refused_with_what_to_do(
    tmp_path: Path, old: str, new: str
) -> None:
    path = tmp_path / "record.json"
    write_checked(path, CONTENT)
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(BadInput, match=r"record\.json: was changed .*; run it again"):
        read_checked(path, "run it again")


def test_a_record_from_before_there_were_digests_is_read(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(CONTENT), "utf-8")
    assert read_checked(path, "") == CONTENT


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": ', b"\xff", b"[" * 100_000])
def test_what_is_no_record_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(content)
    with pytest.raises(BadInput) as refused:
        read_checked(path, "run it again")
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_a_record_that_is_not_there_is_not_an_error_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_checked(tmp_path / "record.json", "")
