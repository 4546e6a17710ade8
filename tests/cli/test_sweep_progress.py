import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from sweeps import spaces_of, study_of

from recsweep.cli.sweep_progress import Progress
from recsweep.config.schema import Budget
from recsweep.records.study import SweepSession, TrialRow, TrialState
from recsweep.tracking.events import (
    EpochReported,
    Event,
    SweepEnded,
    SweepStarted,
    TrialEnded,
    TrialStarted,
)
from recsweep.training.epoch import EpochReport

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SESSION = SweepSession(NOW, 10.0, 1.0, 2, 8.0, 2)


def row(number: int, state: TrialState, value: float | None, reason: str | None = None) -> TrialRow:
    epochs = () if value is None else (EpochReport(1, value, {"ndcg@10": (value,)}, (1.0,)),)
    name = f"a-{number:04d}"
    return TrialRow(name, "a", number, state, reason, {}, 0, epochs, 60.0, 5.0, NOW, NOW)


def events(folder: Path, done: tuple[TrialRow, ...] = ()) -> list[Event]:
    spaces = spaces_of(folder, "a", "floor")
    return [
        SweepStarted(study_of("a", "floor"), spaces, {"a": 4, "floor": 1}, done, 2, "u", 0),
        TrialStarted("a-0000", "a", 0, {}, 0),
        EpochReported("a-0000", EpochReport(1, 0.2, {"ndcg@10": (0.2,)}, (1.0,), 60.0, 5.0)),
        TrialEnded(row(0, "complete", 0.2)),
        TrialStarted("a-0001", "a", 0, {}, 1),
        TrialEnded(row(1, "failed", None, "diverged: [x] nan")),
        TrialEnded(row(2, "pruned", 0.9, "stopped after epoch 1")),
    ]


def test_without_a_terminal_there_is_a_line_for_each_trial_that_ends(tmp_path: Path) -> None:
    out = io.StringIO()
    progress = Progress(Console(file=out, width=60))
    for event in (*events(tmp_path), SweepEnded(SESSION, False)):
        progress(event)
    lines = out.getvalue().splitlines()
    assert lines[0] == "test: 5 trials, 2 at once"
    assert lines[1].startswith("[1/5] a-0000 complete: NDCG@10 0.2000, 1 epoch in 1 min 05 s")
    assert lines[2].startswith("[2/5] a-0001 failed: no score")
    assert lines[2].endswith("(diverged: [x] nan)")
    assert lines[3].startswith("[3/5] a-0002 stopped early: NDCG@10 0.9000")
    assert "\x1b" not in out.getvalue()


def test_a_refused_trial_gives_its_place_back_and_says_why(tmp_path: Path) -> None:
    out = io.StringIO()
    progress = Progress(Console(file=out, width=200))
    reason = "outside of limits: parameters 9 > 5"
    begin, *_ = events(tmp_path)
    for event in (begin, TrialEnded(row(0, "refused", None, reason))):
        progress(event)
    assert out.getvalue().splitlines()[1].startswith(f"[0/5] a-0000 refused: {reason}")


def test_a_resumed_sweep_says_what_is_done_already(tmp_path: Path) -> None:
    out = io.StringIO()
    Progress(Console(file=out, width=200))(events(tmp_path, (row(3, "complete", 0.1),))[0])
    assert out.getvalue() == "test: 5 trials, 1 of them done before, 2 at once\n"


@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_gets_a_table_of_families_and_colour_only_if_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_color: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=True, color_system="standard")
    progress = Progress(console)
    for event in events(tmp_path):
        progress(event)
    plain = Console(width=120)
    with plain.capture() as capture:
        plain.print(progress.table())
    progress(SweepEnded(SESSION, False))
    table = capture.get()
    (line,) = [line.split() for line in table.splitlines() if line.strip().startswith("a ")]
    # complete, stopped, failed, trials; a pruned trial's score is no family's best
    assert line == ["a", "1", "1", "1", "3/4", "0.2000", "1", "min", "05", "s"]
    assert "about" in table
    assert ("\x1b[31m" in out.getvalue()) != no_color


def test_of_a_budget_of_seconds_it_is_told_how_many_are_used(tmp_path: Path) -> None:
    started, *rest = events(tmp_path)
    assert isinstance(started, SweepStarted)
    budget = Budget(seconds=60, epochs=4)
    experiment = started.experiment.model_copy(update={"budget": budget})
    started = replace(started, experiment=experiment, targets={"a": None, "floor": 1})
    out = io.StringIO()
    progress = Progress(Console(file=out, width=60))
    for event in (started, *rest[:3]):
        progress(event)
    with (plain := Console(width=120)).capture() as capture:
        plain.print(progress.table())
    progress(SweepEnded(SESSION, False))
    lines = out.getvalue().splitlines()
    assert lines[0] == "test: 60 s a tuned family, 2 at once"
    assert lines[1].startswith("[65 of 60 s] a-0000 complete: NDCG@10 0.2000, 1 epoch")
    assert lines[2].endswith("finished, beyond the budget: a by 5.0 s")
    (line,) = [s.split() for s in capture.get().splitlines() if s.strip().startswith("a ")]
    assert line == ["a", "1", "1", "0.2000", "65", "of", "60", "s"]


def test_in_80_columns_no_number_is_cut_and_no_line_broken(tmp_path: Path) -> None:
    name = "matrix_factorization"
    spaces = {name: spaces_of(tmp_path, "a")["a"]}
    done = tuple(
        replace(row(n, "complete", 0.2), family=name, fit_seconds=1000.0) for n in range(20)
    )
    progress = Progress(Console(file=io.StringIO()), ("select", "confirm", "report"))
    progress(SweepStarted(study_of(name), spaces, {name: 120}, done, 16, "u", 0))
    for n in range(20, 36):
        progress(TrialStarted(f"{name}-{n:04d}", name, 0, {}, 0))
    with (plain := Console(width=80)).capture() as capture:
        plain.print(progress.table())
    table = capture.get()
    (line,) = [line.split() for line in table.splitlines() if name in line]
    assert line == [name, "16", "20", "20/120", "0.2000", "5", "h", "35", "min"]
    assert "…" not in table
    assert table.splitlines()[0].startswith("test: search, stage 2 of 5, 0 s")
    assert max(map(len, table.splitlines())) <= 80
