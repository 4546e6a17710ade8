"""What is told of a trial's costs where some of its epochs, or all, say nothing."""

from types import SimpleNamespace
from typing import Any

import pytest

from recsweep.records.costs import cost_so_far, costs_of, energy_of
from recsweep.training.epoch import EpochReport


def epoch(number: int, **told: Any) -> EpochReport:
    return EpochReport(epoch=number, value=0.5, metrics={}, losses=(), **told)


def trial(*epochs: EpochReport, fit_seconds: float = 0.0) -> Any:
    return SimpleNamespace(epochs=epochs, fit_seconds=fit_seconds)


@pytest.mark.parametrize(
    ("epochs", "seconds", "expected"), [(4, 6.0, 1.5), (4, 0.0, None), (0, 6.0, None)]
)
def test_an_epoch_takes_its_share_of_the_seconds_if_somebody_kept_them(
    epochs: int, seconds: float, expected: float | None
) -> None:
    run = [epoch(n) for n in range(1, epochs + 1)]
    assert cost_so_far(run, seconds, "seconds_per_epoch") == expected


@pytest.mark.parametrize(
    ("joules", "expected"),
    [([3.6e6, 1.8e6], 1.5), ([3.6e6, None], 1.0), ([0.0], 0.0), ([None], None), ([], None)],
)
def test_energy_is_that_of_all_epochs_that_tell_theirs(
    joules: list[float | None], expected: float | None
) -> None:
    run = [epoch(n, joules=of) for n, of in enumerate(joules, start=1)]
    assert cost_so_far(run, 1.0, "kwh") == expected


def test_a_models_size_is_told_by_the_first_epoch() -> None:
    run = [epoch(1, parameters=30), epoch(2)]
    assert cost_so_far(run, 0.0, "parameters") == 30
    assert cost_so_far([], 0.0, "parameters") is None


def test_of_all_costs_those_that_were_recorded_are_kept_be_they_nothing() -> None:
    told = trial(epoch(1, parameters=0, joules=3.6e6), fit_seconds=2.0)
    assert costs_of(told) == {"parameters": 0, "seconds_per_epoch": 2.0, "kwh": 1.0}
    assert costs_of(trial()) == {}


def test_energy_of_trials_is_the_sum_over_their_epochs_and_what_of_it_is_estimated() -> None:
    counted = trial(epoch(1, joules=3.6e6), epoch(2, joules=3.6e6, joules_estimated=1.8e6))
    assert energy_of([counted, trial(epoch(1)), counted]) == (4.0, 1.0)
    assert energy_of([]) == (0.0, 0.0)
