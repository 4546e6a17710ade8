import numpy as np
import pytest
from purchase_families import BOOSTING, CPU
from treatments import treated_log, uplift_fold

from recsweep.models.cases import CaseBook
from recsweep.models.protocol import Context
from recsweep.models.registry import families_of
from recsweep.models.uplift import UpliftBook

FLOORS = families_of("uplift")


@pytest.mark.parametrize(("name", "value"), [("treat_all", 1), ("treat_none", 0)])
def test_a_constant_says_the_same_of_everybody(name: str, value: int) -> None:
    fold = uplift_fold(treated_log(0))
    model = FLOORS[name].model({}, Context(fold.training, 0, CPU, "fp32"))
    model.fit_epoch()
    state = model.state()
    assert state == {}
    model.load_state(state)
    found = model.uplift(UpliftBook(fold.validation, fold.n_items, CPU))
    assert found.tolist() == [value] * len(fold.validation)


def test_the_predicted_outcome_is_that_of_trees_that_know_no_treatment() -> None:
    fold = uplift_fold(treated_log(0))
    context = Context(fold.training, 0, CPU, "fp32")
    floor = FLOORS["predicted_outcome"].model(BOOSTING, context)
    trees = families_of("purchase")["gradient_boosting"].model(BOOSTING, context)
    for model in (floor, trees):
        model.fit_epoch()
    expected = trees.probability(CaseBook(fold.validation, fold.n_items, CPU))
    found = floor.uplift(UpliftBook(fold.validation, fold.n_items, CPU))
    np.testing.assert_array_equal(found, expected)
    assert len(set(found)) > 2


def test_floors_read_no_order() -> None:
    configs: dict[str, dict[str, object]] = {
        "treat_all": {}, "treat_none": {}, "predicted_outcome": BOOSTING
    }  # fmt: skip
    assert not any(FLOORS[name].sees_order(config) for name, config in configs.items())
