import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import optuna
import pytest
from markupsafe import escape
from studies import study_with, trial_row

import recsweep
from recsweep.dashboard.page import live_part
from recsweep.dashboard.reader import Reader, holder_lives
from recsweep.dashboard.state import FamilyState, Places, Running
from recsweep.records.checked import write_record
from recsweep.records.confirmation_files import VERDICTS, read_confirmation
from recsweep.records.files import write_study
from recsweep.records.live import at_stage, myself, read_live, write_live
from recsweep.records.study import EarlyEnd, TrialRow
from recsweep.search.enough import mark_end
from recsweep.search.storage import open_storage

REFERENCE = Path(__file__).parents[2] / "examples/reference/default"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def ended(
    number: int, value: float | None, seconds: float = 10.0, state: Any = "complete"
) -> TrialRow:
    values = () if value is None else (value,)
    row = trial_row(number, values, family="a", state=state)
    return replace(row, fit_seconds=seconds, evaluate_seconds=0.0, ended=NOW)


def test_a_folder_without_a_sweep_waits_for_one(tmp_path: Path) -> None:
    state = Reader(tmp_path / "nowhere").look()
    assert state.phase == "waiting"
    assert state.families == ()
    assert not (tmp_path / "nowhere").exists()


def test_a_sweep_is_seen_trial_by_trial_while_it_runs(
    tmp_path: Path, sweep: Callable[[], Any]
) -> None:
    running = sweep()
    reader = Reader(tmp_path)
    assert (reader.look().phase, reader.look().target) == ("running", 5)
    done = running.finish(0.25)
    other = running.begin()
    running.report(other, 1, 0.1)
    broken = running.begin()
    running.ledger.fail(broken, "diverged: nan")
    state = reader.look()
    a, floor = state.families
    assert [(t.id, t.state, t.value) for t in a.ended] == [
        (done, "complete", 0.25),
        (broken, "failed", None),
    ]
    assert a.ended[1].reason == "diverged: nan"
    assert [(t.id, t.values, t.value) for t in a.running] == [(other, (0.1,), 0.1)]
    assert floor.ended == ()
    assert state.best is not None
    assert state.best.id == done


def test_the_stage_and_the_end_are_those_that_the_sweep_wrote_down(
    tmp_path: Path, sweep: Callable[[], Any]
) -> None:
    sweep().let_go()
    live = read_live(tmp_path)
    assert live is not None
    later = ("select", "confirm", "report")
    write_live(live.model_copy(update={"later": later, **myself()}), tmp_path)
    with at_stage(tmp_path, "select"):
        state = Reader(tmp_path).look()
        assert (state.phase, state.stage, state.later) == ("running", "select", later[1:])
    with at_stage(tmp_path, "confirm") as far:
        far(3, 23, 50.0)
        state = Reader(tmp_path).look()
        assert (state.stage, state.done, state.total) == ("confirm", 3, 23)
        assert 45 < (state.seconds_left or 0) < 60
        page = live_part(state, Places(tmp_path, "", ""), "en")
        assert "refits: 3 of 23" in page
    with pytest.raises(ValueError, match="broken"), at_stage(tmp_path, "report"):
        raise ValueError("broken")
    assert Reader(tmp_path).look().phase == "stopped"


def test_the_answer_is_shown_once_the_verdicts_are_there_and_only_of_what_is_selected(
    tmp_path: Path, sweep: Callable[[], Any]
) -> None:
    sweep().let_go()
    shutil.copytree(REFERENCE / "best", tmp_path / "best")
    shutil.copy(REFERENCE / "verdicts.json", tmp_path)
    reader, places = Reader(tmp_path), Places(tmp_path, "", "")
    answer = recsweep.load_study(REFERENCE).answer
    assert str(escape(answer.sentence)) in live_part(reader.look(), places, "en")
    best = tmp_path / "best/gru.yaml"
    best.write_text(re.sub(r"^trial: .*", "trial: gru-0099", best.read_text(), flags=re.M))
    assert str(escape(answer.sentence)) not in live_part(reader.look(), places, "en")


def test_the_answer_is_shown_where_ends_of_fronts_were_tested_beside_what_is_selected(
    tmp_path: Path, sweep: Callable[[], Any]
) -> None:
    sweep().let_go()
    shutil.copytree(REFERENCE / "best", tmp_path / "best")
    found = read_confirmation(REFERENCE)
    assert found is not None
    end = found.families["gru"].model_copy(update={"trial": "gru-0000"})
    update = {"families": {**found.families, "gru+cheapest": end}}
    write_record(tmp_path / VERDICTS, found.model_copy(update=update))
    evidence = Reader(tmp_path).look().evidence
    assert evidence is not None
    assert "gru+cheapest" in evidence.confirmation.families  # type: ignore[union-attr]


def test_a_running_trial_has_its_curve(tmp_path: Path, sweep: Callable[[], Any]) -> None:
    running = sweep()
    trial = running.begin()
    running.report(trial, 1, 0.125)
    page = live_part(Reader(tmp_path).look(), Places(tmp_path, "", ""), "en")
    assert f"<title>{trial} 0.1250</title>" in page


@pytest.mark.parametrize(("epochs", "marked"), [(12, "2 4 6 8 10 12"), (14, "4 8 12")])
def test_the_curves_of_running_trials_have_three_to_six_whole_epochs_marked(
    epochs: int, marked: str, tmp_path: Path, sweep: Callable[[], Any]
) -> None:
    running = sweep()
    running.report(running.begin(), 1, 0.125)
    state = replace(Reader(tmp_path).look(), epochs=epochs)
    page = live_part(state, Places(tmp_path, "", ""), "en")
    assert re.findall(r'class="tick middle">([0-9.]+)<', page) == marked.split()


def test_a_sweep_that_was_killed_is_stopped_and_runs_nothing(
    tmp_path: Path, sweep: Callable[[], Any]
) -> None:
    killed = sweep()
    killed.begin()
    killed.let_go()
    state = Reader(tmp_path).look()
    assert (state.phase, state.running, state.seconds_left) == ("stopped", [], None)


@pytest.mark.parametrize(
    ("budget", "seen"), [(4, ("finished", "1/1")), (3, ("stopped", "1/4"))], ids=["it", "extended"]
)
def test_a_search_that_ended_before_its_budget_is_finished_unless_it_has_a_larger_one_since(
    tmp_path: Path, sweep: Callable[[], Any], budget: int, seen: tuple[str, str]
) -> None:
    ended_early = sweep()
    ended_early.finish(0.2)
    ended_early.ledger.fail(ended_early.ledger.ask("floor").id, "whatever")
    ended_early.let_go()
    assert Reader(tmp_path).look().phase == "stopped"
    study = optuna.load_study(study_name="a", storage=open_storage(tmp_path))
    mark_end(study, EarlyEnd(1, budget))
    state = Reader(tmp_path).look()
    assert (state.phase, state.families[0].so_far) == seen


def test_looking_changes_nothing_in_the_folder(tmp_path: Path, sweep: Callable[[], Any]) -> None:
    sweep().finish(0.2)
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in tmp_path.rglob("*")}
    Reader(tmp_path).look()
    assert {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in tmp_path.rglob("*")} == before


def test_a_finished_study_is_read_from_its_files_alone(tmp_path: Path) -> None:
    trials = [trial_row(0, (0.1, 0.3)), trial_row(1, (0.2,), state="pruned", reason="stopped")]
    write_study(study_with(*trials), tmp_path)
    (tmp_path / "report.html").write_text("x")
    state = Reader(tmp_path).look()
    assert state.phase == "finished"
    assert [t.value for t in state.families[0].ended] == [0.3, 0.2]
    assert state.best is not None
    assert state.best.id == "gru-0000"
    assert state.files == ("report.html",)


def test_a_stopped_trial_is_no_familys_best_however_high_it_stood() -> None:
    family = FamilyState("a", 2, (ended(0, 0.2), ended(1, 0.9, state="pruned")), ())
    assert family.best is not None
    assert family.best.id == "a-0000"
    assert FamilyState("a", 1, (ended(0, None, state="failed"),), ()).best is None


@pytest.mark.parametrize("text", ["", "{", '{"pid": 4194999, "host": "HOST", "since": ""}'])
def test_a_lock_that_nobody_holds_is_free(tmp_path: Path, text: str) -> None:
    import platform

    (tmp_path / "sweep.lock").write_text(text.replace("HOST", platform.node()))
    assert not holder_lives(tmp_path)


def test_of_a_budget_of_seconds_progress_is_what_is_used_of_them() -> None:
    begun = Running("a-0002", "a", (0.1,), 15.0)
    family = FamilyState("a", None, (ended(0, 0.1), ended(1, 0.2)), (begun,), budget=40.0)
    assert (family.so_far, family.shares) == ("35/40 s", (0.5, 0.875))
    assert not family.over
    done = replace(family, ended=(*family.ended, ended(2, 0.1, 25.0)), running=())
    assert (done.so_far, done.shares, done.over) == ("45/40 s", (1.0, 1.0), True)
