import pytest
import torch
from test_trial import CONFIGS, CPU, fold_from, log, trial
from worlds import experiment_of

from recsweep.config.schema import Experiment
from recsweep.data.types import Fold
from recsweep.models.protocol import Resumable
from recsweep.models.registry import families
from recsweep.testing.cases import cases_of
from recsweep.training import rehearsal
from recsweep.training.footprint import state_size
from recsweep.training.rehearsal import rehearse

ALL = {"parameters": 1e9, "p99_ms": 1e6, "memory_mb": 1e6, "seconds_per_epoch": 1e6}


def limited(**limits: float) -> Experiment:
    return experiment_of(limits=limits)


def folds() -> list[Fold]:
    return [fold_from(log(0)), fold_from(log(1)[:200])]


def test_a_network_tells_all_before_it_is_trained() -> None:
    found = rehearse("gru", CONFIGS["gru"], folds(), limited(**ALL), CPU)
    assert found.keys() == ALL.keys()
    of_trial = trial("gru", folds()).advance()
    assert found["parameters"] == of_trial.parameters
    assert all(value > 0 for name, value in found.items() if name != "memory_mb")


def test_one_that_is_too_large_is_not_trained_on_a_single_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("recsweep.models.gradient.GradientModel.fit_epoch", None)
    found = rehearse("gru", CONFIGS["gru"], folds(), limited(**ALL | {"parameters": 10}), CPU)
    assert found.keys() == {"parameters"}
    assert rehearsal.outside(found, {"parameters": 10}) == [
        f"parameters {found['parameters']:,.0f} > 10"
    ]


def test_a_family_that_is_fitted_in_one_go_is_measured_by_that() -> None:
    assert rehearse("item_knn", CONFIGS["item_knn"], folds(), limited(**ALL), CPU) == {}
    report = trial("item_knn", folds()).advance()
    found = rehearsal.of_epoch(report, ALL)
    assert found["parameters"] == report.parameters
    assert found["seconds_per_epoch"] == report.fit_seconds


def test_a_hundred_mebibytes_more_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    found = rehearse("gru", CONFIGS["gru"], folds(), limited(memory_mb=1e6), CPU)
    held: list[torch.Tensor] = []
    build = rehearsal._seconds_per_epoch

    def greedy(model: object) -> float:
        held.append(torch.ones(100 << 18))
        held.clear()
        return build(model)  # type: ignore[arg-type]

    monkeypatch.setattr(rehearsal, "_seconds_per_epoch", greedy)
    more = rehearse("gru", CONFIGS["gru"], folds(), limited(memory_mb=1e6), CPU)
    assert more["memory_mb"] - found["memory_mb"] == pytest.approx(100, abs=20)


@pytest.mark.parametrize("kind", ["gru", "matrix_factorization"])
def test_what_is_known_by_building_is_what_the_fitted_model_has(kind: str) -> None:
    case = next(cases_of(families()[kind], "next_item"))
    assert isinstance(case.built(), Resumable)
    assert state_size(case.built()) == state_size(case.fitted())
