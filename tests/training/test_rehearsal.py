from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from clocks import Clock
from treatments import uplift_experiment
from worlds import experiment_of

from recsweep.config.schema import Experiment
from recsweep.config.values import RecordedConfiguration
from recsweep.errors import BadInput
from recsweep.models.protocol import Context
from recsweep.models.registry import families, families_of
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


@pytest.mark.parametrize("way", ["s", "t", "class_transformation"])
def test_networks_of_an_uplift_tell_all_before_they_are_trained(way: str) -> None:
    asked = next(cases_of(families()["gru"], "uplift"))
    experiment = uplift_experiment(limits=ALL)
    config = {**asked.config, "meta_learner": way}
    found = rehearse("gru", config, [asked.fold, asked.fold], experiment, CPU)
    assert found.keys() == ALL.keys()
    assert found["seconds_per_epoch"] > 0


def test_an_uplift_by_boosted_trees_is_measured_by_its_first_epoch() -> None:
    asked = next(cases_of(families()["gradient_boosting"], "uplift"))
    experiment = uplift_experiment(limits=ALL)
    assert rehearse("gradient_boosting", asked.config, [asked.fold], experiment, CPU) == {}


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


@pytest.mark.parametrize(
    ("in_epoch", "trained"),
    [(40, [1, 5]), (5, [1, 5]), (2, [1, 2]), (1, [1, 1]), (0, [1, 0])],
)
def test_an_epoch_is_timed_by_five_batches_after_one_that_warms_up(
    monkeypatch: pytest.MonkeyPatch, in_epoch: int, trained: list[int]
) -> None:
    clock, seen = Clock(monkeypatch, "recsweep.training.rehearsal"), list[int]()

    def fit_epoch(steps: int) -> None:
        clock.now += 0.25 * steps if seen else 1000
        seen.append(steps)

    model: Any = SimpleNamespace(steps=in_epoch, fit_epoch=fit_epoch)
    assert rehearsal.seconds_per_epoch(model) == 0.25 * in_epoch
    assert seen == trained


def test_the_largest_fold_is_rehearsed_and_the_others_take_their_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, trained = case("gru"), list[int]()
    small = asked.fold
    large = replace(small, training=replace(small.training))
    sizes = {id(small): 2, id(large): 4}
    monkeypatch.setattr(rehearsal, "events_in", lambda fold: sizes[id(fold)])
    monkeypatch.setattr(rehearsal, "largest", lambda folds: folds[1])

    def seconds(model: Any) -> float:
        trained.append(id(model.training))
        return 3.0

    gru = families_of("next_item")["gru"]

    def build(config: RecordedConfiguration, context: Context) -> Any:
        assert context.seed == 0
        model: Any = gru.model(config, context)
        model.training = context.training
        return model

    made = SimpleNamespace(model=build)
    monkeypatch.setattr(rehearsal, "families_of", lambda task: {"gru": made})
    monkeypatch.setattr(rehearsal, "seconds_per_epoch", seconds)
    limits = limited(seconds_per_epoch=1e6)
    found = rehearse("gru", asked.config, [small, large, small], limits, CPU)
    assert found == {"seconds_per_epoch": 3.0 * (2 + 4 + 2) / 4}
    assert trained == [id(large.training)]


def test_two_seconds_go_into_answers_where_they_are_limited_and_none_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[float] = []

    def p99(task: object, model: object, fold: object, device: object, seconds: float) -> float:
        given.append(seconds)
        return 7.0

    monkeypatch.setattr(rehearsal, "p99_ms", p99)
    assert rehearsed("gru", parameters=1e9).keys() == {"parameters"}
    assert rehearsed("gru", seconds_per_epoch=1e6).keys() == {"seconds_per_epoch"}
    assert given == []
    assert rehearsed("gru", p99_ms=1e6) == {"p99_ms": 7.0}
    assert given == [2.0]


def test_a_peak_is_what_was_held_beyond_what_was_there_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear, status = tmp_path / "clear_refs", tmp_path / "status"
    monkeypatch.setattr(rehearsal, "_CLEAR", clear)
    monkeypatch.setattr(rehearsal, "_STATUS", status)
    given_back: list[bool] = []
    monkeypatch.setattr(rehearsal, "give_back_memory", lambda: given_back.append(True))
    monkeypatch.setattr(rehearsal, "memory_in_use", lambda device: 30.0)
    status.write_text("VmPeak:\t 999999 kB\nVmHWM:\t 40960 kB\nVmRSS:\t 1 kB\n")
    peak = rehearsal._Peak(CPU)
    assert (clear.read_text(), given_back) == ("5", [True])
    assert peak.growth() == 10.0
    status.write_text("VmRSS:\t 1 kB\n")
    assert peak.growth() is None
    status.write_text("VmHWM:\t 2048 kB\n")
    monkeypatch.setattr(rehearsal, "memory_in_use", lambda device: None)
    assert rehearsal._Peak(CPU).growth() == 2.0


def test_a_gpu_tells_its_own_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu, asked = torch.device("cuda", 1), list[tuple[str, torch.device]]()

    def says(name: str, mebibytes: float) -> None:
        def told(device: torch.device) -> float:
            asked.append((name, device))
            return mebibytes * 1024 * 1024

        monkeypatch.setattr(torch.cuda, name, told)

    says("reset_peak_memory_stats", 0)
    says("memory_allocated", 5)
    says("max_memory_allocated", 12.5)
    monkeypatch.setattr(rehearsal, "give_back_memory", None)
    assert rehearsal._Peak(gpu).growth() == 7.5
    names = ("reset_peak_memory_stats", "memory_allocated", "max_memory_allocated")
    assert asked == [(name, gpu) for name in names]


def test_of_a_first_epoch_only_what_is_limited_and_known_is_told() -> None:
    report = EpochReport(1, 0.5, {}, (), fit_seconds=2.5, parameters=9, memory_mb=4.0)
    assert rehearsal.of_epoch(report, ALL) == {"parameters": 9.0, "seconds_per_epoch": 2.5}
    assert rehearsal.of_epoch(report, {"parameters": 1.0}) == {"parameters": 9.0}
    answered = replace(report, p99_ms=1.5)
    assert rehearsal.of_epoch(answered, {"p99_ms": 1.0}) == {"p99_ms": 1.5}
