import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recsweep.search.scheduler import PolicyScheduler
from recsweep.search.watch import Watch

GOES_ON, ENDS = "CONTINUE", "STOP"


@dataclass
class Books:
    """A policy that writes down what it is told."""

    lets_pass: bool = True
    goes_on: bool = True
    told: list[tuple[Any, ...]] = field(default_factory=list)

    def measured(self, proposal: Any, found: Any) -> bool:
        self.told.append(("measured", found))
        return self.lets_pass

    def reported(self, proposal: Any, report: Any, best: Any) -> bool:
        self.told.append(("reported", report, best))
        return self.goes_on

    def failed(self, proposal: Any, reason: str) -> None:
        self.told.append(("failed", reason))


def brought(policy: Any, watch: Watch | None = None, **result: Any) -> str:
    watch = watch or Watch(policy, Path("study"), 60, threading.Event())
    trial: Any = SimpleNamespace(config={"proposal": SimpleNamespace(id="gru-0000")})
    return PolicyScheduler(policy, watch).on_trial_result(None, trial, result)


@pytest.mark.parametrize(("goes_on", "answer"), [(True, GOES_ON), (False, ENDS)])
def test_an_epoch_is_booked_and_the_policy_says_whether_its_trial_goes_on(
    goes_on: bool, answer: str
) -> None:
    books = Books(goes_on=goes_on)
    assert brought(books, report="epoch 2", best="epoch 1") == answer
    assert books.told == [("reported", "epoch 2", "epoch 1")]


def test_what_a_configuration_takes_is_booked_before_its_epoch() -> None:
    books = Books()
    assert brought(books, measured={"memory_mb": 5.0}, report="epoch 1", best=None) == GOES_ON
    assert books.told == [("measured", {"memory_mb": 5.0}), ("reported", "epoch 1", None)]


def test_a_refused_configuration_ends_and_its_epoch_is_not_booked() -> None:
    books = Books(lets_pass=False)
    assert brought(books, measured={"memory_mb": 5.0}, report="epoch 1", best=None) == ENDS
    assert books.told == [("measured", {"memory_mb": 5.0})]


def test_a_trial_that_has_nothing_to_report_yet_goes_on() -> None:
    books = Books()
    assert brought(books, measured={}) == GOES_ON
    assert books.told == []


def test_a_failure_ends_the_trial_whatever_else_was_reported() -> None:
    books = Books()
    assert brought(books, failure="diverged: nan", report="epoch 1", best=None) == ENDS
    assert books.told == [("failed", "diverged: nan")]


def test_a_journal_that_cannot_be_written_to_ends_the_trial_and_nothing_is_booked_after() -> None:
    class Full(Books):
        def reported(self, proposal: Any, report: Any, best: Any) -> bool:
            raise OSError(28, "No space left on device")

    watch = Watch(Full(), Path("study"), 60, threading.Event())  # type: ignore[arg-type]
    assert brought(Full(), watch, report="epoch 1", best=None) == ENDS
    assert watch.broken is not None
    books = Books()
    assert brought(books, watch, report="epoch 2", best=None) == ENDS
    assert brought(books, watch, failure="diverged: nan") == ENDS
    assert books.told == []
