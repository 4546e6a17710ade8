"""The watch is driven by hand here; `tests/faults` has real workers that hang and die."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recsweep.errors import WorkFailed
from recsweep.search import watch
from recsweep.search.deaths import BEGINNINGS, WORKERS
from recsweep.search.watch import Watch

DEATH = "Traceback\nray.exceptions.ActorDiedError: The actor died\nits process was killed"


@dataclass
class Told:
    """A policy that takes note of failures alone."""

    failures: list[tuple[str, str]] = field(default_factory=list)

    def failed(self, proposal: Any, reason: str) -> None:
        self.failures.append((proposal.id, reason))


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


class World:
    """A watch, what it told, whom it killed, and a clock."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, silence: float = 10.0
    ) -> None:
        self.folder, self.clock, self.killed = folder, Clock(), []  # type: ignore[var-annotated]
        self.stop, self.policy = threading.Event(), Told()
        monkeypatch.setattr(watch, "time", self.clock)
        monkeypatch.setattr("ray.kill", self.killed.append)
        self.watch = Watch(self.policy, folder, silence, self.stop)  # type: ignore[arg-type]

    def trial(self, name: str, error: str = DEATH) -> Any:
        file = self.folder / f"{name}.txt"
        file.write_text(error)
        return SimpleNamespace(
            trial_id=name, status="RUNNING", error_file=str(file),
            config={"proposal": SimpleNamespace(id=name)},
            temporary_state=SimpleNamespace(ray_actor=f"actor of {name}"),
        )  # fmt: skip

    def step(self, *trials: Any, seconds: float = 0.0) -> None:
        self.clock.now += seconds
        self.watch.on_step_end(1, list(trials))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_a_trial_that_says_nothing_for_too_long_is_ended_and_not_run_again(world: World) -> None:
    trial = world.trial("a")
    world.step(trial)
    world.step(trial, seconds=9.9)
    assert world.killed == []
    world.step(trial, seconds=2.6)
    assert world.killed == ["actor of a"]
    world.watch.on_trial_error(2, [trial], trial)
    assert world.policy.failures == [
        ("a", "silent: no report for 10 s (resources.silence_seconds)")
    ]
    assert world.watch.deaths.next() is None  # what hung once would hang again


def test_every_report_is_a_sign_of_life_and_one_that_stands_by_needs_none(world: World) -> None:
    heard, waiting = world.trial("a"), world.trial("b")
    waiting.status = "PAUSED"
    result = {"value": 0.1, "report": "large", "best": "large"}
    for _ in range(5):
        world.step(heard, waiting, seconds=6)
        world.watch.on_trial_result(1, [heard], heard, result)
    assert world.killed == []
    assert result == {"value": 0.1}  # learners' scores stay out of Ray's own books
    waiting.status = "RUNNING"
    world.step(heard, waiting, seconds=6)  # its time begins now
    assert world.killed == []


def test_a_worker_that_died_is_replaced_so_often_and_then_its_trial_has_failed(
    world: World,
) -> None:
    trial = world.trial("a")
    for _ in range(WORKERS):
        world.watch.on_trial_error(1, [trial], trial)
        assert world.watch.deaths.next() is trial.config["proposal"]
    assert world.policy.failures == []
    world.watch.on_trial_error(1, [trial], trial)
    assert world.policy.failures == [("a", "its worker died: its process was killed")]
    assert world.watch.deaths.next() is None


def test_a_trial_that_ray_says_nothing_of_is_told_so(world: World) -> None:
    trial = world.trial("a", "")
    for _ in range(WORKERS + 1):
        world.watch.on_trial_error(1, [trial], trial)
    assert world.policy.failures == [("a", "its worker died: Ray doesn't say of what")]


def test_where_no_worker_begins_the_sweep_ends_and_nobody_has_failed(world: World) -> None:
    trial = world.trial("a", "the actor never ran: no such image")
    for _ in range(BEGINNINGS):
        world.watch.on_trial_error(1, [trial], trial)
        world.step(trial)
    world.watch.on_trial_error(1, [trial], trial)
    with pytest.raises(WorkFailed, match=r"no worker begins \(the actor never ran: no such image"):
        world.step(trial)
    assert world.policy.failures == []


def test_a_journal_that_cannot_be_written_to_ends_the_sweep_and_takes_nothing_more(
    world: World,
) -> None:
    with world.watch.writing():
        raise OSError(28, "No space left on device")
    trial = world.trial("a")
    for _ in range(WORKERS + 1):
        world.watch.on_trial_error(1, [trial], trial)
    assert world.policy.failures == []  # nothing may follow half a line
    with pytest.raises(WorkFailed, match="No space left on device"):
        world.step(trial)


def test_who_asks_for_the_end_gets_it_between_two_steps(world: World) -> None:
    world.step(world.trial("a"))
    world.stop.set()
    with pytest.raises(KeyboardInterrupt):
        world.step(world.trial("a"))


@pytest.mark.parametrize(("silence", "pause"), [(10.0, 1.0), (2.0, 0.5)])
def test_who_is_silent_is_looked_for_once_a_second_or_in_a_quarter_of_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silence: float, pause: float
) -> None:
    world = World(tmp_path, monkeypatch, silence)
    trial = world.trial("a")
    world.step(trial)
    for seconds in (silence, 0.875 * pause):  # just as long as it may be, and between two looks
        world.step(trial, seconds=seconds)
        assert world.killed == []
    world.step(trial, seconds=0.125 * pause)
    assert world.killed == ["actor of a"]
    world.step(trial, seconds=silence)  # its end takes its time
    assert world.killed == ["actor of a"]


def test_a_trial_that_stood_by_has_its_whole_time_again(world: World) -> None:
    trial = world.trial("a")
    for status, seconds in (("RUNNING", 0), ("PAUSED", 9), ("RUNNING", 11), ("RUNNING", 10)):
        trial.status = status
        world.step(trial, seconds=seconds)
        assert world.killed == []
    world.step(trial, seconds=1)
    assert world.killed == ["actor of a"]


def test_a_trial_that_has_no_worker_yet_is_not_ended(world: World) -> None:
    trial = world.trial("a")
    trial.temporary_state.ray_actor = None
    for _ in range(3):
        world.step(trial, seconds=11)
    assert world.killed == []


def test_a_death_of_which_ray_has_no_file_and_one_of_many_words_are_told_in_few(
    world: World,
) -> None:
    for name, error_file in (("a", None), ("b", str(world.folder / "nowhere.txt"))):
        trial = world.trial(name)
        trial.error_file = error_file
        for _ in range(WORKERS + 1):
            world.watch.on_trial_error(1, [trial], trial)
    long = world.trial("c", "Traceback\n" + "x" * 300)
    for _ in range(WORKERS + 1):
        world.watch.on_trial_error(1, [long], long)
    assert world.policy.failures == [
        ("a", "its worker died: Ray doesn't say of what"),
        ("b", "its worker died: Ray doesn't say of what"),
        ("c", "its worker died: " + "x" * 200),
    ]


def test_a_failure_that_cannot_be_booked_ends_the_sweep(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(world.policy, "failed", full)
    trial = world.trial("a")
    for _ in range(WORKERS + 1):
        world.watch.on_trial_error(1, [trial], trial)
    with pytest.raises(WorkFailed, match="No space left on device"):
        world.step(trial)
