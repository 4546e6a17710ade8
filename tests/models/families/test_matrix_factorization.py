"""`matrix_factorization` trained by gradient, against its formulas by plain loops."""

import numpy as np
import pytest
import torch
from by_hand import State, classifier_of, faded_mean, looks, probabilities, purchases, shaken
from families import CPU, FAMILIES, asked
from pydantic import ValidationError
from scipy.special import expit
from worlds import training_of

from recsweep.data.types import Float64
from recsweep.models.als import AlternatingLeastSquares
from recsweep.models.families.matrix_factorization import (
    FactorizationConfig,
    FactorLogOdds,
    HistoryFactors,
)
from recsweep.models.protocol import Context
from recsweep.models.ranker import GradientRanker

ALS = {"loss": "als", "factors": 4, "regularization": 0.1, "alpha": 1.0}
GRADIENT = {
    "loss": "bpr", "factors": 4, "learning_rate": 0.1, "weight_decay": 0.0, "batch_size": 8,
    "window": 5, "history_exponent": 0.5, "dropout": 0.0,
}  # fmt: skip
ANSWERS = {name: value for name, value in GRADIENT.items() if name not in ("loss", "window")}
HALF = {"fading": "step", "fading_weight": 0.5}
HISTORIES = [[0, 1, 2, 3], [4, 2, 0], [2, 2, 1]]


@pytest.mark.parametrize("keys", [ALS, GRADIENT])
def test_what_a_loss_needs_is_asked_for_by_name_and_nothing_else(keys: dict[str, object]) -> None:
    assert FactorizationConfig.model_validate(keys).loss == keys["loss"]
    for name in set(keys) - {"loss", "factors"}:
        rest = {key: value for key, value in keys.items() if key != name}
        with pytest.raises(ValidationError, match=f"loss {keys['loss']} needs {name}"):
            FactorizationConfig.model_validate(rest)


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ValidationError, match="loss als needs regularization, alpha"):
        FactorizationConfig.model_validate({"loss": "als", "factors": 4})


def ranks(config: dict[str, object]) -> object:
    context = Context(training_of(HISTORIES, 5), 0, CPU, "fp32")
    return FAMILIES["matrix_factorization"].model(config, context)


@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_a_score_is_the_normalised_sum_of_the_historys_factors_by_the_courses(
    exponent: float,
) -> None:
    model = ranks(GRADIENT | HALF | {"history_exponent": exponent})
    assert isinstance(model, GradientRanker)
    state = shaken(model.network)
    queries = [[0], [3, 1, 4], [2, 2, 0, 1]]
    expected = [
        state["output"] @ faded_mean(state["embedding"], query, 0.5, exponent) + state["bias"]
        for query in queries
    ]
    np.testing.assert_allclose(model.score(asked(*queries)), expected, rtol=1e-5, atol=1e-6)


def test_a_configurations_values_reach_the_factors_that_are_trained() -> None:
    values = {"negatives": 3, "weight_ema_epochs": 0.5, "batch_unit": "events", "dropout": 0.25}
    model = ranks(GRADIENT | values)
    assert isinstance(model, GradientRanker)
    found = model.config.model_dump()
    assert {name: found[name] for name in GRADIENT | values} == GRADIENT | values
    assert isinstance(model.network.encoder, HistoryFactors)
    assert model.network.encoder.dropout.p == 0.25
    assert model.config.score_penalty == 1  # what isn't given is as in every family


def test_als_gets_its_own_numbers() -> None:
    model = ranks(ALS | {"regularization": 3.0, "alpha": 7.0} | HALF)
    assert isinstance(model, AlternatingLeastSquares)
    assert (model.regularization, model.alpha, model.items.shape) == (3, 7, (5, 4))
    assert model.fading.fading_weight == 0.5


def plain(state: State, exponent: float, history: list[int], course: int, inputs: Float64) -> float:
    learner = faded_mean(state["of_history.weight"], history, 0.5, exponent)
    product = learner @ state["of_course.weight"][course]
    biases = state["course_bias.weight"][course, 0] + state["known_bias.weight"][0] @ inputs
    return float(expit(state["base"] + product + biases))


@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_log_odds_are_biases_and_a_product_of_factors(exponent: float) -> None:
    fold, targets = purchases()
    config = ANSWERS | HALF | {"history_exponent": exponent}
    model = classifier_of("matrix_factorization", config, fold)
    state = shaken(model.network)
    expected = [plain(state, exponent, *look) for look in looks(targets, fold.n_items)]
    np.testing.assert_allclose(probabilities(model, fold, targets), expected, rtol=1e-5)


def test_at_first_biases_say_nothing_and_factors_little() -> None:
    fold, targets = purchases()
    model = classifier_of("matrix_factorization", ANSWERS | {"factors": 64}, fold)
    network = model.network
    assert isinstance(network, FactorLogOdds)
    assert not network.course_bias.weight.any()
    assert not network.known_bias.weight.any()
    for table in (network.of_history, network.of_course):
        assert 0.09 < float(table.weight[:-1].detach().std()) < 0.11
        assert not table.weight[-1].any()  # a course that training doesn't know has no vector
    unknown = targets.item < 0
    share = float(torch.sigmoid(network.base))
    np.testing.assert_allclose(probabilities(model, fold, targets)[unknown], share, rtol=1e-6)
