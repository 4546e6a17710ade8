"""A verb that adds to a study's folder renews the study's mirror."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

import recsweep
from recsweep.cli import review
from recsweep.mirror import study
from recsweep.mirror.copy import Mirror

STUDY = Path("results/mine")
BEST = STUDY / "best/gru.yaml"
STAGES = (
    *("select.stage.select_stage", "confirm.stage.confirm_stage", "fuse.stage.fuse_stage"),
    *("report.report_stage", "portrait.stage.portrait_stage", "reproduce.stage.reproduce_stage"),
    *("backtest.stage.backtest_stage", "confirm.searches.repeat_searches"),
    *("tracked.track_selection", "tracked.track_confirmation", "tracked.track_report"),
    *("tracked.publish_report", "tracked.track_portrait", "tracked.track_reproduction"),
)
ADDING: dict[str, Callable[[], object]] = {
    "select": lambda: recsweep.select(STUDY),
    "fuse": lambda: recsweep.fuse(STUDY),
    "confirm": lambda: recsweep.confirm(STUDY),
    "report": lambda: recsweep.report(STUDY),
    "portrait": lambda: recsweep.portrait(STUDY),
    "backtest": lambda: recsweep.backtest(BEST),
    "reproduce --sealed": lambda: recsweep.reproduce(BEST, sealed=True),
    "sync": lambda: review.sync(STUDY, 10),
}


@pytest.fixture
def mirrored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """Folders of studies whose mirrors were renewed; the stages themselves do nothing."""
    renewed: list[Path] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(study, "mirror_study", renewed.append)
    for place in STAGES:
        module, _, name = f"recsweep.stages.{place}".rpartition(".")
        nothing = SimpleNamespace(portrait=None)
        monkeypatch.setattr(import_module(module), name, lambda *_, n=nothing, **__: n)
    sync = import_module("recsweep.tracking.wandb_sync")
    monkeypatch.setattr(sync, "sync", lambda folder, seconds: SimpleNamespace(sent=1))
    return renewed


@pytest.mark.parametrize("verb", ADDING)
def test_what_is_added_to_a_study_is_in_its_mirror_at_the_end(
    verb: str, mirrored: list[Path]
) -> None:
    ADDING[verb]()
    assert mirrored == [STUDY]


def test_a_best_file_that_is_rebuilt_on_its_folds_needs_no_study_around_it(
    mirrored: list[Path],
) -> None:
    recsweep.reproduce(BEST)
    assert mirrored == []


def test_run_files_without_a_study_have_no_mirror_and_no_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Mirror, "push", lambda self: pytest.fail("nothing says where"))
    study.mirror_study(tmp_path)
    assert not caplog.records
