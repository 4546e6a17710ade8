"""Estimates by hand: one worker; an epoch of all folds takes 10 s, and a full trial has four."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from studies import trial_row
from sweeps import spaces_of, study_of

from recsweep.config.schema import Experiment, Folds
from recsweep.records.live import seconds_after
from recsweep.records.study import TrialRow
from recsweep.tracking.events import EpochReported, SweepStarted, TrialEnded, TrialStarted
from recsweep.tracking.remaining import Remaining
from recsweep.training.epoch import EpochReport

FILES = seconds_after("search", ())
STUDY = study_of("a", trials=3, epochs=4)


def ended(number: int, *values: float, seconds: float = 10.0) -> TrialRow:
    """A trial whose epochs took so long."""
    row = trial_row(number, values, family="a", fit_seconds=seconds * len(values))
    return replace(row, evaluate_seconds=0.0)


class Search:
    """Hands events to an estimate, on a clock of its own."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        experiment: Experiment = STUDY,
        later: tuple[str, ...] = (),
        workers: int = 1,
    ) -> None:
        self.now = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        self.estimate = Remaining(later)
        targets: dict[str, int | None] = {"a": experiment.budget.trials}
        self.estimate(
            SweepStarted(experiment, spaces_of(folder, "a"), targets, (), workers, "u", 0)
        )

    def train(self, number: int, epochs: int) -> None:
        """So many epochs of a trial, each of 10 s."""
        self.estimate(TrialStarted(f"a-{number:04d}", "a", 0, {}, 0))
        for epoch in range(1, epochs + 1):
            self.now += 10.0
            report = EpochReport(epoch, 0.1, {}, (), 10.0)
            self.estimate(EpochReported(f"a-{number:04d}", report))

    def end(self, trial: TrialRow) -> None:
        """It is over."""
        self.estimate(TrialEnded(trial))


def test_before_the_first_epoch_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Search(tmp_path, monkeypatch).estimate.seconds() is None


def test_what_runs_is_counted_to_its_end_beside_what_is_to_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Search(tmp_path, monkeypatch)
    search.train(0, 1)
    assert search.estimate.seconds() == pytest.approx(30 + 2 * 40 + FILES)
    search.end(ended(0, 0.1, 0.2, 0.3, 0.4))
    search.train(1, 3)
    assert search.estimate.seconds() == pytest.approx(10 + 40 + FILES)


def test_trials_that_were_stopped_early_make_those_to_come_shorter_but_not_one_that_got_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Search(tmp_path, monkeypatch)
    search.train(0, 2)
    search.end(ended(0, 0.1, 0.2))
    search.train(1, 1)
    assert search.estimate.seconds() == pytest.approx(10 + 20 + FILES)
    search.train(1, 3)
    assert search.estimate.seconds() == pytest.approx(10 + 20 + FILES)


def test_the_last_trial_takes_one_worker_its_own_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = study_of("a", trials=1, epochs=4)
    search = Search(tmp_path, monkeypatch, experiment, workers=2)
    search.train(0, 2)
    assert search.estimate.seconds() == pytest.approx(20 + FILES)


def test_refits_and_the_report_are_counted_where_they_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folds = Folds(count=3, validation=0.1, test=0.2)
    experiment = STUDY.model_copy(update={"folds": folds})
    later = ("confirm", "report")
    search = Search(tmp_path, monkeypatch, experiment, later)
    for number in range(3):
        search.train(number, 4)
        search.end(ended(number, 0.1, 0.2, 0.9 - number / 10, 0.3))
    # The folds train on 0.7, 0.6 and 0.5 of all events, a refit on 0.8, for the best three epochs.
    refit = 3 * 10 * 0.8 / (0.7 + 0.6 + 0.5)
    seeds = experiment.confirm.seeds
    assert search.estimate.seconds() == pytest.approx(
        seeds * refit + seconds_after("search", later)
    )


def test_of_a_budget_of_seconds_what_is_not_used_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = STUDY.budget.model_copy(update={"trials": None, "seconds": 100.0})
    search = Search(tmp_path, monkeypatch, STUDY.model_copy(update={"budget": budget}))
    search.train(0, 1)
    assert search.estimate.seconds() == pytest.approx(90 + FILES)
