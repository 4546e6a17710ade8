"""Whole sweeps through Ray Tune, with trials that take milliseconds."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import simulated
from sweeps import folds_of, make_trials, spaces_of, study_of

from recsweep.config.schema import Experiment
from recsweep.errors import BadInput, WorkFailed
from recsweep.records.lock import study_lock
from recsweep.records.study import SweepSession, TrialRow
from recsweep.search.policy import Policy
from recsweep.search.run import run_search
from recsweep.search.sessions import read_sessions
from recsweep.search.study import build_study
from recsweep.search.worker import Shared
from recsweep.tracking.events import Event, SweepEnded, SweepStarted, TrialStarted

pytestmark = pytest.mark.usefixtures("local_ray")
Sweep = Callable[..., SweepSession | None]


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    def run(experiment: Experiment, trials: Any = None, **options: Any) -> SweepSession | None:
        return run_search(
            experiment,
            spaces_of(tmp_path, *experiment.families),
            folds_of(),
            tmp_path,
            fingerprint="data",
            make_trial=trials or make_trials(),
            **options,
        )

    return run


def rows(folder: Path, experiment: Experiment) -> tuple[TrialRow, ...]:
    spaces = spaces_of(folder, *experiment.families)
    study = build_study(
        folder, experiment, spaces, dataset="data", fingerprint="data", environment={}, folds={}
    )
    return study.trials


def counts(trials: tuple[TrialRow, ...]) -> Counter[str]:
    return Counter(trial.family for trial in trials)


def test_a_sweep_runs_every_familys_trials_and_no_more(tmp_path: Path, sweep: Sweep) -> None:
    experiment = study_of("a", "b", "floor", trials=12, resources={"cpu": 0.5})
    heard: list[Event] = []
    session = sweep(experiment, listeners=[heard.append])
    trials = rows(tmp_path, experiment)
    assert counts(trials) == {"a": 12, "b": 12, "floor": 1}
    assert [t.id for t in trials if t.family == "a"] == [f"a-{n:04d}" for n in range(12)]
    for family in ("a", "b"):
        mine = [t for t in trials if t.family == family]
        assert mine[0].config == {"x": 0.5}
        assert sum(t.state == "complete" for t in mine) >= 4
        assert all(t.state == "complete" and len(t.epochs) == 4 for t in mine[:4])
        for t in mine:
            assert (len(t.epochs) == 4) == (t.state == "complete")
    # Between two families' starts there is never a lead of more than one.
    started = [event.family for event in heard if isinstance(event, TrialStarted)]
    for n in range(len(started)):
        lead = Counter(started[:n])
        assert abs(lead["a"] - lead["b"]) <= 1
    assert isinstance(heard[0], SweepStarted)
    assert isinstance(heard[-1], SweepEnded)
    assert not heard[-1].interrupted
    assert heard[0].workers == 2
    assert session is not None
    assert session.trials == 25
    assert 0 < session.efficiency < 1
    files = {path.stem for path in (tmp_path / "user_values").iterdir()}
    assert files == {t.id for t in trials if t.state == "complete"}


@pytest.mark.usefixtures("trials_here")
def test_a_finished_sweep_has_nothing_to_do_until_it_is_extended(
    tmp_path: Path, sweep: Sweep
) -> None:
    experiment = study_of("a", "floor", trials=3, resources={"workers": 1})
    simulated.sweep(tmp_path, experiment, 1, Random(0))
    before = rows(tmp_path, experiment)
    assert sweep(experiment) is None
    session = sweep(experiment, extra_trials=2)
    after = rows(tmp_path, experiment)
    assert session is not None
    assert (session.workers, session.trials) == (1, 2)
    assert counts(after) == {"a": 5, "floor": 1}
    assert after[:3] == before[:3]
    assert read_sessions(tmp_path) == (session,)


def test_a_trial_that_diverges_or_breaks_fails_alone_with_its_reason(
    tmp_path: Path, sweep: Sweep
) -> None:
    def trouble(x: float, epoch: int) -> float | None:
        from recsweep.training.trial import Diverged

        if x == 0.5:
            raise Diverged("fold0: the training loss is nan in epoch 1")
        if x > 0.7 and epoch == 2:
            raise ValueError("shapes do not fit\nsecond line")
        return float("nan") if x < 0.4 and epoch == 3 else None

    experiment = study_of("a", trials=10, resources={"workers": 1})
    sweep(experiment, make_trials(trouble))
    trials = rows(tmp_path, experiment)
    assert len(trials) == 10
    ends = {(t.reason, len(t.epochs)) for t in trials if t.state == "failed"}
    assert ends == {
        ("diverged: fold0: the training loss is nan in epoch 1", 0),
        ("ValueError: shapes do not fit", 1),
        ("diverged: the score is nan in epoch 3", 2),
    }
    assert any(t.state == "complete" for t in trials)


def test_a_trial_whose_worker_dies_runs_once_more_and_counts_once(
    tmp_path: Path, sweep: Sweep
) -> None:
    flag = tmp_path / "died"

    def trouble(x: float, epoch: int) -> float | None:
        if x != 0.5:
            os._exit(1)  # as one that wants too much memory
        if epoch == 3 and not flag.exists():
            flag.touch()
            os._exit(1)
        return None

    experiment = study_of("a", trials=2, resources={"workers": 1})
    sweep(experiment, make_trials(trouble))
    first, second = rows(tmp_path, experiment)
    assert flag.exists()
    assert (first.state, len(first.epochs)) == ("complete", 4)
    assert second.state == "failed"
    assert second.reason is not None
    assert "its worker process has died" in second.reason


@pytest.mark.long
def test_a_sweep_none_of_whose_workers_begin_ends_with_one_line_and_goes_on_later(
    tmp_path: Path, sweep: Sweep
) -> None:
    """As on machines that lack a module: no trial's fault, and no trial is booked as failed."""
    here = os.getpid()

    class OnlyHere:
        def __reduce__(self) -> Any:
            def load() -> Any:
                if os.getpid() != here:
                    raise ModuleNotFoundError("No module named 'ours'")
                return object

            return load, ()

    experiment = study_of("a", trials=3, resources={"workers": 1})
    with pytest.raises(WorkFailed, match=r"no worker begins \(.*No module named 'ours'"):
        sweep(experiment, OnlyHere())
    assert rows(tmp_path, experiment) == ()
    sweep(experiment)
    assert [t.state for t in rows(tmp_path, experiment)] == ["complete"] * 3


@pytest.mark.parametrize("trials_left", [True, False])
def test_a_ray_that_breaks_down_after_the_last_trial_breaks_nothing(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, trials_left: bool
) -> None:
    def broken(shared: Shared, policy: Policy, workers: int, folder: Path) -> None:
        if not trials_left:
            simulated.run(policy, shared.experiment)
        raise WorkFailed("Ray broke down")

    monkeypatch.setattr("recsweep.search.run._tune", broken)
    experiment = study_of("a", trials=1)
    if trials_left:
        with pytest.raises(WorkFailed, match="Ray broke down"):
            sweep(experiment)
    else:
        session = sweep(experiment)
        assert session is not None
        assert session.trials == 1


def test_a_study_that_another_process_sweeps_is_left_alone(tmp_path: Path, sweep: Sweep) -> None:
    with study_lock(tmp_path), pytest.raises(BadInput, match="recsweep sweep is running"):
        sweep(study_of("a"))


def test_a_trial_that_no_machine_can_hold_is_refused(sweep: Sweep) -> None:
    with pytest.raises(BadInput, match=r"a trial asks for 64 CPU and 0 GPU, but .* 1 CPU"):
        sweep(study_of("a", resources={"cpu": 64}))
