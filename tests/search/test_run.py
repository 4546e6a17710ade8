"""Whole sweeps through Ray Tune, with trials that take milliseconds."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
import simulated
from ray.exceptions import RayError
from ray.tune.error import TuneError
from sweeps import folds_of, make_trials, spaces_of, study_of

from recsweep.config.schema import Experiment
from recsweep.errors import BadInput, WorkFailed
from recsweep.records.earlier import EarlierStudy, EarlierTrial
from recsweep.records.lock import study_lock
from recsweep.records.study import SweepSession, TrialRow
from recsweep.search.policy import Policy
from recsweep.search.run import _tune, run_search
from recsweep.search.sessions import read_sessions
from recsweep.search.storage import JOURNAL
from recsweep.search.study import build_study
from recsweep.search.worker import Shared
from recsweep.tracking.events import Event, SweepEnded, SweepStarted, TrialEnded, TrialStarted

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
        heard: list[Event] = []
        session = sweep(experiment, listeners=[heard.append])
        assert session is not None
        assert session.trials == 1
        assert heard[-1] == SweepEnded(session, interrupted=False)


def test_a_study_that_another_process_sweeps_is_left_alone(tmp_path: Path, sweep: Sweep) -> None:
    with study_lock(tmp_path), pytest.raises(BadInput, match="recsweep sweep is running"):
        sweep(study_of("a"))


def test_a_trial_that_no_machine_can_hold_is_refused(sweep: Sweep) -> None:
    with pytest.raises(BadInput, match=r"a trial asks for 64 CPU and 0 GPU, but .* 1 CPU"):
        sweep(study_of("a", resources={"cpu": 64}))


@pytest.mark.usefixtures("trials_here")
def test_listeners_hear_first_what_a_session_sets_out_to_do(tmp_path: Path, sweep: Sweep) -> None:
    experiment = study_of("a", "floor", trials=2, resources={"workers": 1})
    first: list[Event] = []
    sweep(experiment, listeners=[first.append], dataset="data-0123")
    second: list[Event] = []
    sweep(experiment, listeners=[second.append], extra_trials=1)
    begun, again = first[0], second[0]
    assert isinstance(begun, SweepStarted)
    assert isinstance(again, SweepStarted)
    assert begun.experiment == experiment
    assert begun.spaces == spaces_of(tmp_path, "a", "floor")
    assert [begun.targets, again.targets] == [{"a": 2, "floor": 1}, {"a": 3, "floor": 1}]
    assert begun.done == ()
    assert [row.id for row in again.done] == ["a-0000", "a-0001", "floor-0000"]
    assert [begun.session, again.session] == [0, 1]
    assert (begun.workers, begun.dataset, begun.fingerprint) == (1, "data-0123", "data")
    assert begun.uid == again.uid
    ended = second[-1]
    assert isinstance(ended, SweepEnded)
    assert (ended.interrupted, ended.session.trials) == (False, 1)
    assert [each.trials for each in read_sessions(tmp_path)] == [3, 1]


@pytest.mark.usefixtures("trials_here")
def test_a_session_is_known_after_each_of_its_trials(tmp_path: Path, sweep: Sweep) -> None:
    """So that one that is killed has left its times."""
    known: list[int] = []

    def look(event: Event) -> None:
        if isinstance(event, TrialEnded):
            known.append(read_sessions(tmp_path)[0].trials)
        elif isinstance(event, TrialStarted | SweepStarted) and not known:
            assert read_sessions(tmp_path) == ()

    sweep(study_of("a", trials=3, resources={"workers": 1}), listeners=[look])
    assert known == [1, 2, 3]


@pytest.mark.usefixtures("trials_here")
def test_what_begins_late_is_told_by_the_seconds_that_it_took(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((100.0, 103.5)).__next__
    monkeypatch.setattr("recsweep.search.run.time", SimpleNamespace(monotonic=clock))
    session = sweep(study_of("a", trials=1, resources={"workers": 1}))
    assert session is not None
    assert session.start_seconds == 3.5


@pytest.mark.usefixtures("trials_here")
def test_a_grid_has_to_be_large_enough_for_what_is_added_too(tmp_path: Path, sweep: Sweep) -> None:
    grid = {"sampler": "grid", "levels": 3}
    with pytest.raises(BadInput, match="1 are tried before it, too few for 5 trials"):
        sweep(study_of("a", "floor", trials=5, search=grid, resources={"workers": 1}))
    experiment = study_of("a", "floor", trials=4, search=grid, resources={"workers": 1})
    assert sweep(experiment) is not None
    assert sweep(experiment) is None  # done, so nothing is asked of the grid
    with pytest.raises(BadInput, match="too few for 5 trials"):
        sweep(experiment, extra_trials=1)
    assert len(rows(tmp_path, experiment)) == 4 + 1


@pytest.mark.usefixtures("trials_here")
def test_what_earlier_studies_found_is_tried_by_a_study_that_has_not_begun(
    tmp_path: Path, sweep: Sweep
) -> None:
    known = EarlierTrial("a-0000", "complete", {"x": 0.125}, {1: 0.5})
    experiment = study_of("a", "floor", trials=2, resources={"workers": 1})
    sweep(experiment, earlier={"a": (EarlierStudy("results/before", "f00", 0, (known,)),)})
    assert [row.config for row in rows(tmp_path, experiment)] == [{"x": 0.5}, {"x": 0.125}, {}]


@pytest.mark.usefixtures("trials_here")
def test_a_checkpoint_of_a_trial_that_is_over_goes_when_the_next_session_begins(
    tmp_path: Path, sweep: Sweep
) -> None:
    experiment = study_of("a", trials=1, resources={"workers": 1})
    sweep(experiment)
    left = tmp_path / "checkpoints" / "a-0000.safetensors"
    left.parent.mkdir(exist_ok=True)
    left.touch()
    sweep(experiment, extra_trials=1)
    assert not left.exists()


@pytest.mark.usefixtures("trials_here")
def test_an_end_that_a_crash_left_unsaid_is_written_by_who_finds_nothing_to_do(
    tmp_path: Path, sweep: Sweep
) -> None:
    rule = {"when": "expected_gain", "below": 100.0}
    stopping = {"grace_epochs": 1, "reduction": 2, "full_trials": 9, "study": rule}
    experiment = study_of("a", trials=9, epochs=1, stopping=stopping, resources={"workers": 1})
    sweep(experiment)
    journal = tmp_path / JOURNAL
    lines = journal.read_text().splitlines(keepends=True)
    (mark,) = (line for line in lines if '"enough"' in line)
    journal.write_text("".join(line for line in lines if line != mark))
    assert sweep(experiment) is None
    assert journal.read_text().count('"enough"') == 1


@pytest.mark.usefixtures("trials_here")
def test_a_sweep_that_ray_ends_before_its_time_says_how_much_is_left(
    tmp_path: Path, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(shared: Shared, policy: Policy, workers: int, folder: Path) -> None:
        policy.next()  # one is open, another lacking

    monkeypatch.setattr("recsweep.search.run._tune", ends)
    heard: list[Event] = []
    with pytest.raises(WorkFailed, match="Ray ended the sweep with 2 trials to go; run it again"):
        sweep(study_of("a", trials=2), listeners=[heard.append])
    assert isinstance(heard[-1], SweepEnded)
    assert not heard[-1].interrupted


@pytest.mark.usefixtures("trials_here")
def test_who_is_interrupted_is_told_so_and_an_open_trial_counts_as_left(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(shared: Shared, policy: Policy, workers: int, folder: Path) -> None:
        policy.next()
        raise WorkFailed("Ray broke down")

    monkeypatch.setattr("recsweep.search.run._tune", breaks)
    heard: list[Event] = []
    with pytest.raises(WorkFailed, match="Ray broke down"):
        sweep(study_of("a", trials=1), listeners=[heard.append])
    assert isinstance(heard[-1], SweepEnded)
    assert heard[-1].interrupted


@pytest.mark.usefixtures("trials_here")
def test_times_that_cannot_be_written_are_still_told(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object, *given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("recsweep.search.sessions.SessionClock.save", full)
    session = sweep(study_of("a", trials=2, resources={"workers": 1}))
    assert session is not None
    assert session.trials == 2


@pytest.mark.usefixtures("trials_here")
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device", "/disk/optuna.log"), "/disk/optuna.log: No space"),
        (OSError(28, "No space left on device"), "{folder}: No space left on device; nothing"),
        (OSError("odd"), "{folder}: odd; nothing that was booked is lost: see to the disk"),
    ],
)
def test_a_disk_that_is_full_is_one_line(
    tmp_path: Path, sweep: Sweep, monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
) -> None:
    def full(*given: object) -> None:
        raise error

    monkeypatch.setattr("recsweep.search.run._tune", full)
    heard: list[Event] = []
    with pytest.raises(WorkFailed) as told:
        sweep(study_of("a", trials=2), listeners=[heard.append])
    assert words.format(folder=tmp_path) in str(told.value)
    assert isinstance(heard[-1], SweepEnded)
    assert heard[-1].interrupted


@pytest.mark.parametrize("breaks", [None, TuneError("a head\nthat is gone"), RayError("a head")])
def test_ray_tune_is_asked_for_no_more_than_it_is_needed_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breaks: Exception | None
) -> None:
    asked: dict[str, Any] = {}

    def run(worker: object, **options: Any) -> None:
        asked.update(options, folder_is_there=Path(options["storage_path"]).is_dir())
        if breaks is not None:
            raise breaks

    monkeypatch.setattr("ray.tune.run", run)
    monkeypatch.setattr("ray.tune.with_parameters", lambda worker, **shared: worker)
    shared: Any = SimpleNamespace(experiment=study_of("a", resources={"cpu": 2}))
    policy: Any = object()
    if breaks is None:
        _tune(shared, policy, 3, tmp_path)
    else:
        with pytest.raises(WorkFailed, match=r"Ray broke down \(a head\); run the sweep again"):
            _tune(shared, policy, 3, tmp_path)
    assert asked["num_samples"] >= 10**9  # the searcher says when it is over
    assert (asked["max_concurrent_trials"], asked["max_failures"], asked["verbose"]) == (3, 0, 0)
    assert (asked["reuse_actors"], asked["raise_on_failed_trial"]) == (True, False)
    assert asked["resources_per_trial"].bundles == [{"CPU": 2}]
    trial: Any = SimpleNamespace(config={"proposal": SimpleNamespace(id="a-0003")})
    assert [asked[f"trial_{n}_creator"](trial) for n in ("name", "dirname")] == ["a-0003"] * 2
    assert asked["folder_is_there"]
    assert not Path(asked["storage_path"]).exists()  # Optuna's journal is all that is kept
