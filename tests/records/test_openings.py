from pathlib import Path
from types import SimpleNamespace

import pytest

from recsweep.errors import BadInput
from recsweep.records.openings import Opened, read_openings, record_opening

CODE = {"commit": "abc", "changes": None}
CHOICES = {"gru": Opened(kind="gru", trial="gru-0003", config={"depth": 1}, epochs=4)}


def test_a_study_starts_with_its_test_unopened(tmp_path: Path) -> None:
    assert read_openings(tmp_path) == ()


def test_every_opening_is_kept_in_order(tmp_path: Path) -> None:
    record_opening(tmp_path, "confirm", CODE, "f00", CHOICES)
    openings = record_opening(tmp_path, "reproduce --sealed", CODE, "f00", CHOICES)
    assert [opening.why for opening in openings] == ["confirm", "reproduce --sealed"]
    assert read_openings(tmp_path) == openings
    assert openings[0].configurations == CHOICES
    assert openings[0].when.utcoffset() is not None


def test_an_opening_names_what_every_repeated_search_selected(tmp_path: Path) -> None:
    other = {"gru": CHOICES["gru"].model_copy(update={"trial": "gru-0007"})}
    record_opening(tmp_path, "confirm", CODE, "f00", CHOICES, [other, CHOICES])
    (opening,) = read_openings(tmp_path)
    assert opening.configurations == CHOICES
    assert opening.repeated == (other, CHOICES)


@pytest.mark.parametrize("content", ["{", '{"when": 1}', "[{}]", '[{"why": "curiosity"}]'])
def test_a_damaged_list_is_never_written_over(tmp_path: Path, content: str) -> None:
    path = tmp_path / "openings.json"
    path.write_text(content)
    with pytest.raises(BadInput, match=r"openings\.json"):
        record_opening(tmp_path, "confirm", CODE, "f00", CHOICES)
    assert path.read_text() == content


def test_what_is_opened_for_is_the_part_of_a_record_that_decides_it() -> None:
    keys = {**CHOICES["gru"].model_dump(), "value": 0.3, "metrics": {}}
    assert Opened.of(SimpleNamespace(**keys)) == CHOICES["gru"]
