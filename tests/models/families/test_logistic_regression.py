"""`logistic_regression` is the minimum of what it minimises."""

from dataclasses import replace

import numpy as np
import pytest
from by_hand import probabilities, purchases
from purchase_families import CPU, PURCHASE_FAMILIES
from scipy.special import expit

from recsweep.data.types import KINDS, Float64, Fold, Labels
from recsweep.models.families.logistic_regression import Logistic
from recsweep.models.protocol import Context


def model_of(fold: Fold, **config: float) -> Logistic:
    model = PURCHASE_FAMILIES["logistic_regression"].model(
        config, Context(fold.training, 0, CPU, "fp32")
    )
    assert isinstance(model, Logistic)
    return model


def gradient(model: Logistic, labels: Labels, weights: Float64, penalty: float) -> Float64:
    """Of ½|w|² + C Σ w_n loss_n (scikit-learn's user guide, 1.1.11.1), by weights and intercept."""
    state = {name: value.numpy() for name, value in model.state().items()}
    inputs = labels.inputs.astype(np.float64)
    missed = weights * (expit(inputs @ state["weight"] + state["intercept"]) - labels.bought)
    return np.append(state["weight"] + penalty * inputs.T @ missed, penalty * missed.sum())


@pytest.mark.parametrize("penalty", [0.01, 3.0])
@pytest.mark.parametrize("dear", [1.0, 4.0])
def test_no_weight_can_move_and_make_the_penalised_loss_less(penalty: float, dear: float) -> None:
    fold, targets = purchases()
    examples = fold.training.examples
    assert examples is not None
    assert isinstance(examples.labels, Labels)
    kind = np.where(np.arange(len(examples)) % 3 == 0, KINDS.index("rate"), 0).astype(np.int8)
    training = replace(fold.training, examples=replace(examples, kind=kind))
    model = model_of(replace(fold, training=training), inverse_penalty=penalty, weight_rate=dear)
    model.fit_epoch()
    weights = np.where(kind > 0, dear, 1.0)
    found = gradient(model, examples.labels, weights / weights.mean(), penalty)
    np.testing.assert_allclose(found, 0, atol=0.01)
    assert isinstance(targets.labels, Labels)
    state = {name: value.numpy() for name, value in model.state().items()}
    log_odds = targets.labels.inputs.astype(np.float64) @ state["weight"] + state["intercept"]
    np.testing.assert_allclose(probabilities(model, fold, targets), expit(log_odds))


def test_before_training_it_says_a_half_and_a_state_is_all_that_it_needs() -> None:
    fold, targets = purchases()
    other = model_of(fold, inverse_penalty=1.0)
    assert set(probabilities(other, fold, targets)) == {0.5}
    model = model_of(fold, inverse_penalty=1.0)
    model.fit_epoch()
    before = probabilities(model, fold, targets)
    other.load_state(model.state())
    np.testing.assert_array_equal(probabilities(other, fold, targets), before)
    model.state()["weight"].zero_()
    np.testing.assert_array_equal(probabilities(model, fold, targets), before)
