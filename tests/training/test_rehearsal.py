from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from worlds import experiment_of

from recsweep.config.schema import Experiment
from recsweep.errors import BadInput
from recsweep.models.registry import families
from recsweep.testing.cases import CPU, Case, cases_of
from recsweep.training import rehearsal
from recsweep.training.epoch import EpochReport
from recsweep.training.rehearsal import rehearse
from recsweep.training.trial import Trial

ALL = {"parameters": 1e9, "p99_ms": 1e6, "memory_mb": 1e6, "seconds_per_epoch": 1e6}


def case(kind: str) -> Case:
    return next(cases_of(families()[kind], "next_item"))


def limited(**limits: float) -> Experiment:
    return experiment_of(limits=limits)


def rehearsed(kind: str, **limits: float) -> dict[str, float]:
    asked = case(kind)
    return rehearse(kind, asked.config, [asked.fold, asked.fold], limited(**limits), CPU)


def first_epoch(kind: str) -> EpochReport:
    asked = case(kind)
    trial = Trial(kind, asked.config, [asked.fold], limited(), epochs=2, seed=0, device=CPU)
    return trial.advance()


def test_a_network_tells_all_before_it_is_trained() -> None:
    found = rehearsed("gru", **ALL)
    assert found.keys() == ALL.keys()
    assert found["parameters"] == first_epoch("gru").parameters
    assert found["p99_ms"] > 0
    assert found["seconds_per_epoch"] > 0


def test_one_that_is_too_large_is_not_trained_on_a_single_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("recsweep.models.gradient.GradientModel.fit_epoch", None)
    found = rehearsed("gru", **ALL | {"parameters": 10})
    assert found.keys() == {"parameters"}
    said = f"parameters {found['parameters']:,.0f} > 10"
    assert rehearsal.outside(found, {"parameters": 10}) == [said]


def test_a_family_that_is_fitted_in_one_go_is_measured_by_that() -> None:
    assert rehearsed("item_knn", **ALL) == {}
    report = first_epoch("item_knn")
    assert rehearsal.of_epoch(report, ALL) == {
        "parameters": report.parameters,
        "seconds_per_epoch": report.fit_seconds,
    }


@pytest.mark.parametrize(("kind", "before"), [("ease", True), ("item_knn", False)])
def test_what_is_too_large_by_being_built_is_not_fitted(kind: str, before: bool) -> None:
    size = first_epoch(kind).parameters
    assert size is not None
    found = rehearsed(kind, parameters=size - 1)  # neighbours are known once they are found
    assert found == ({"parameters": size} if before else {})
    assert rehearsed(kind, parameters=size) == {}


def test_a_hundred_mebibytes_more_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before = rehearsed("gru", memory_mb=1e6)
    measure = rehearsal.seconds_per_epoch

    def greedy(model: object) -> float:
        torch.ones(100 << 18)  # let go of at once
        return measure(model)  # type: ignore[arg-type]

    monkeypatch.setattr(rehearsal, "seconds_per_epoch", greedy)
    more = rehearsed("gru", memory_mb=1e6)["memory_mb"] - before["memory_mb"]
    assert more == pytest.approx(100, abs=20)


def test_a_value_at_its_limit_is_inside_and_one_over_it_is_shown_with_it() -> None:
    measured = {"parameters": 3e6, "p99_ms": 2.5, "seconds_per_epoch": 12.3456}
    assert rehearsal.outside(measured, measured) == []
    assert rehearsal.outside(measured, {"parameters": 2e6, "p99_ms": 2.4999}) == [
        "parameters 3,000,000 > 2,000,000",
        "p99_ms 2.5 > 2.5",
    ]
    assert rehearsal.outside({"memory_mb": 1000, "p99_ms": 999}, {"memory_mb": 9, "p99_ms": 8}) == [
        "memory_mb 1,000 > 9",
        "p99_ms 999 > 8",
    ]


@pytest.mark.parametrize(
    ("limits", "gpu", "told", "refused"),
    [
        ({"memory_mb": 9}, 0, False, True),
        ({"memory_mb": 9}, 0.5, False, False),  # which tells it itself
        ({"memory_mb": 9}, 0, True, False),
        ({"p99_ms": 9}, 0, False, False),
    ],
)
def test_a_limit_of_memory_needs_a_system_that_tells_a_peak(
    limits: dict[str, float],
    gpu: float,
    told: bool,
    refused: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rehearsal, "_CLEAR", tmp_path if told else tmp_path / "none")
    experiment = experiment_of(limits=limits, resources={"gpu": gpu})
    expected = pytest.raises(BadInput, match="doesn't tell a process's peak")
    with expected if refused else nullcontext():
        rehearsal.check_measurable(experiment)


def test_an_epoch_takes_as_long_as_all_folds_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "seconds_per_epoch", lambda model: 3.0)
    assert rehearsed("gru", seconds_per_epoch=1e6) == {"seconds_per_epoch": 6.0}


def test_where_a_system_tells_no_peak_memory_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "_STATUS", tmp_path / "none")
    assert rehearsed("gru", memory_mb=1e6) == {}
