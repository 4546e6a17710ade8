"""The page, the leaderboard and the board of a study, and which confirmation they tell of."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny import CONFIGS, World

from recsweep.records.board import read_board
from recsweep.records.confirmation import Confirmation
from recsweep.records.confirmation_files import read_confirmation
from recsweep.records.openings import Opened
from recsweep.records.selection import ENSEMBLE
from recsweep.reporting.page import page_name
from recsweep.stages import report
from recsweep.stages.report import current_confirmation, define_board, report_stage

FUSED = Path(__file__).parents[2] / "examples" / "ensembles" / "default"


def test_a_page_is_written_in_the_language_asked_for_and_in_those_that_are_there(
    world: World,
) -> None:
    def pages() -> list[str]:
        return sorted(page.name for page in world.study.glob("*.html"))

    found = report_stage(world.study, world.root)
    assert found.page.name == "report.html"
    assert pages() == ["report.html"]
    assert read_board(world.study).study == "tiny"
    assert (world.study / "leaderboard.md").read_text("utf-8").startswith("# ")
    assert (found.study.experiment.study, found.confirmation) == ("tiny", None)
    assert {*found.selection.families} == {*CONFIGS}


@pytest.mark.parametrize(
    ("lang", "there", "written"),
    [
        ("en", (), [("en", [])]),
        ("zh", (), [("zh", ["en"]), ("en", ["zh"])]),
        ("en", ("zh",), [("en", ["zh"]), ("zh", ["en"])]),
        (
            "zh",
            ("fr", "zh"),
            [("zh", ["en", "fr"]), ("en", ["zh", "fr"]), ("fr", ["zh", "en"])],
        ),
    ],
)
def test_every_page_that_is_there_is_renewed_and_leads_to_the_others(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    lang: str,
    there: tuple[str, ...],
    written: list[tuple[str, list[str]]],
) -> None:
    pages: list[tuple[str, list[str]]] = []
    said: list[tuple[object, ...]] = []

    def write(*given: Any) -> Path:
        *_, folder, which, manifest, beside, portraits = given
        pages.append((which, beside))
        said.append((manifest.name if manifest else None, portraits))
        return Path(folder / page_name(which))

    monkeypatch.setattr(report, "PAGE_WORDS", dict.fromkeys(("en", "zh", "fr")))
    monkeypatch.setattr(report, "write_page", write)
    portrait = SimpleNamespace(family="gru")
    monkeypatch.setattr(report, "current_portraits", lambda selection, folder: [portrait])
    monkeypatch.setattr(report, "read_map", lambda folder, family: (f"map of {family}", "groups"))
    monkeypatch.setattr(report, "Drawn", lambda *given: given)
    for each in there:
        (world.study / page_name(each)).write_text("of yesterday")
    found = report_stage(world.study, world.root, lang)
    assert pages == written
    assert said == [("tiny", [(portrait, "map of gru", "groups")])] * len(written)
    assert found.page == world.study / page_name(lang)
    said.clear()
    report_stage(world.study, world.root / "elsewhere", lang)  # which has no prepared data
    assert {name for name, _ in said} == {None}


def test_a_board_can_be_written_alone(world: World) -> None:
    board = define_board(world.study)
    assert read_board(world.study) == board
    assert not [*world.study.glob("*.html")]


class Known:
    """What a confirmation is held against; each part may be set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = read_confirmation(FUSED)
        assert found is not None
        self.found: Confirmation | None = found
        self.inputs = found.inputs
        self.fused = Opened.of(found.families[ENSEMBLE])
        self.entrants: dict[str, Opened] = {ENSEMBLE: self.fused}
        self.asked: list[tuple[object, object]] = []
        self.ends = found.families["gru"]

        def inputs(study: object, opened: object, repeated: object) -> str:
            self.asked.append((opened, repeated))
            return self.inputs

        monkeypatch.setattr(report, "read_confirmation", lambda folder: self.found)
        monkeypatch.setattr(report, "confirmation_inputs", inputs)
        monkeypatch.setattr(report, "entrants", lambda study, selection, folder: self.entrants)
        monkeypatch.setattr(report, "front_ends", lambda study, selection: {"end": self.ends})

    def current(self, *families: str) -> Confirmation | None:
        names = families or ("gru",)
        selection: Any = SimpleNamespace(
            families=dict.fromkeys(names), opened={name: f"opened {name}" for name in names}
        )
        study: Any = None
        return current_confirmation(study, selection, Path("nowhere"))


def test_a_confirmation_tells_of_the_selection_that_it_was_made_of_and_of_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = Known(monkeypatch)
    found = known.found
    assert known.current() == found
    opened = {"gru": "opened gru", "end": known.ends, ENSEMBLE: known.fused}
    assert known.asked == [(opened, ())]
    known.inputs = "of an earlier selection"
    assert known.current() is None
    known.found = None
    assert known.current() is None


def test_a_family_of_the_study_that_is_called_like_the_ensemble_counts_as_selected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = Known(monkeypatch)
    known.current(ENSEMBLE)
    assert known.asked == [({ENSEMBLE: f"opened {ENSEMBLE}", "end": known.ends}, ())]


def test_without_an_ensemble_in_it_nothing_is_added_to_the_selection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = Known(monkeypatch)
    assert known.found is not None
    rest = {n: f for n, f in known.found.families.items() if n != ENSEMBLE}
    known.found = known.found.model_copy(update={"families": rest})
    found = known.current()
    assert known.asked == [({"gru": "opened gru", "end": known.ends}, ())]
    assert found is not None
    assert found.newer_ensemble  # made since


def test_an_ensemble_that_was_made_since_is_told_to_be_newer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def newer() -> bool:
        found = known.current()
        assert found is not None
        return found.newer_ensemble

    known = Known(monkeypatch)
    assert not newer()
    known.entrants = {}
    assert not newer()
    known.entrants = {ENSEMBLE: known.fused.model_copy(update={"epochs": 99})}
    assert newer()
    assert known.found is not None
    known.found = known.found.model_copy(update={"repeated": ({},)})
    assert not newer()  # of several searches, which make none
    assert known.asked[-1] == ({"gru": "opened gru", ENSEMBLE: known.fused}, ({},))
