"""The mirror follows a sweep in a thread of its own, and is nobody's trouble when it fails."""

import logging
import time
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import pytest
from studies import NOW, trial_row

from recsweep.mirror.copy import Mirror
from recsweep.mirror.listener import MirrorListener
from recsweep.records.study import SweepSession
from recsweep.tracking.events import EpochReported, SweepEnded, TrialEnded
from recsweep.training.epoch import EpochReport

ENDED = SweepEnded(SweepSession(NOW, 1.0, 0.1, 1, 0.5, 1), interrupted=False)


def until(true: Any) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


EPOCH = EpochReported("gru-0000", EpochReport(1, 0.1, {}, (), 1.0, 0.1))


def listening(push: Any, epochs: float = 30.0) -> MirrorListener:
    mirror = cast(Mirror, SimpleNamespace(push=push))
    return MirrorListener(mirror, close_seconds=5, pause=0.0, epochs=epochs)


def test_a_finished_trial_is_copied_while_the_sweep_goes_on(tmp_path: Path) -> None:
    study = tmp_path / "mine"
    study.mkdir()
    (study / "optuna.log").write_text("{}\n")
    listener = MirrorListener(Mirror(str(tmp_path / "nfs"), study), 5, pause=0.0)
    listener(TrialEnded(trial_row(0, [0.1])))
    until((tmp_path / "nfs/mine/optuna.log").exists)
    began = time.monotonic()
    listener(ENDED)
    assert time.monotonic() - began < 5


def test_a_store_that_fails_is_told_of_once_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries: list[int] = []

    def push() -> int:
        tries.append(1)
        if len(tries) != 3:
            raise OSError("no route to host\nand more")
        return 1

    listener = listening(push)
    with caplog.at_level(logging.WARNING):
        for n in range(1, 5):
            listener(TrialEnded(trial_row(n, [0.1])))
            until(lambda n=n: len(tries) == n)
        listener(ENDED)
    assert [r.message for r in caplog.records] == [
        "the mirror was not brought up to date: no route to host"
    ] * 2  # the first time, and again after it had worked


def test_a_slow_store_holds_no_trial_up_and_many_ends_are_one_copy() -> None:
    tries: list[int] = []
    copied = Event()

    def push() -> int:
        tries.append(1)
        copied.wait(30)
        return 1

    listener = listening(push)
    listener(TrialEnded(trial_row(0, [0.1])))
    until(lambda: tries)
    for n in range(1, 50):
        listener(TrialEnded(trial_row(n, [0.1])))
    assert len(tries) == 1
    copied.set()
    until(lambda: len(tries) == 2)
    listener(ENDED)
    assert len(tries) == 2


def test_epochs_that_end_while_a_slow_copy_is_made_ask_for_no_other() -> None:
    tries: list[int] = []

    def push() -> int:
        tries.append(1)
        time.sleep(0.2)
        return 1

    listener = listening(push, epochs=0.0)
    for _ in range(40):
        listener(EPOCH)
        time.sleep(0.01)
    assert len(tries) == 1
    listener(ENDED)


def test_an_epoch_is_worth_a_copy_when_the_last_one_was_long_ago() -> None:
    tries: list[int] = []

    def push() -> int:
        time.sleep(0.02)
        tries.append(1)
        return 1

    listener = listening(push, epochs=0.2)
    listener(EPOCH)
    time.sleep(0.1)
    assert not tries
    time.sleep(0.1)
    listener(EPOCH)
    until(lambda: len(tries) == 1)
    listener(EPOCH)
    time.sleep(0.25)
    listener(EPOCH)  # a copy took .02 s: the next one waits for 20 times that
    time.sleep(0.05)
    assert len(tries) == 1
    time.sleep(0.2)
    listener(EPOCH)
    until(lambda: len(tries) == 2)
    listener(ENDED)
