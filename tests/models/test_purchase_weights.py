"""An example of weight two is an example that came twice, in every family."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from purchase_families import CONFIGS, CPU, GRADIENT_CASES, PURCHASE_FAMILIES
from purchases import fold_of, random_log

from recsweep.data.types import KINDS, Fold, Targets, Training
from recsweep.models.cases import CaseBook, Cases, examples_of, labels_of, weights_of
from recsweep.models.classifier import GradientClassifier
from recsweep.models.protocol import Classifier, Context
from recsweep.models.weights import TrainingWeights

BROWSE, WATCH = KINDS.index("browse"), KINDS.index("watch")
BY_TYPE: dict[str, Any] = {"weight_watch": 3.0}
BY_AGE: dict[str, Any] = {"training_fading": "time", "training_half_life_days": 10.0}


@pytest.fixture(scope="module")
def fold() -> Fold:
    """Its examples are of two types, whatever their answer."""
    found = fold_of(random_log(3, users=30))
    examples = examples_of(found.training)
    kind = np.random.default_rng(0).choice([BROWSE, WATCH], len(examples)).astype(np.int8)
    return replace(found, training=replace(found.training, examples=replace(examples, kind=kind)))


def times_of(examples: Targets) -> np.ndarray:
    return np.where(examples.kind == WATCH, 3, 1)


def repeated(training: Training) -> Targets:
    examples = examples_of(training)
    return examples.at(np.repeat(np.arange(len(examples)), times_of(examples)))


def new(case: str, weights: dict[str, Any], training: Training) -> Classifier:
    kind, config = CONFIGS[case]
    context = Context(training, 0, CPU, "fp32")
    model: Classifier = PURCHASE_FAMILIES[kind].model({**config, **weights}, context)
    return model


def asked(case: str, weights: dict[str, Any], fold: Fold) -> np.ndarray:
    model = new(case, weights, fold.training)
    for _ in range(PURCHASE_FAMILIES[CONFIGS[case][0]].epochs or 2):
        model.fit_epoch()
    return model.probability(CaseBook(fold.validation, fold.n_items, CPU))


@pytest.mark.parametrize("case", CONFIGS)
def test_weights_by_type_and_by_age_reach_every_family_and_equal_ones_change_no_bit(
    case: str, fold: Fold
) -> None:
    as_it_was = asked(case, {}, fold)
    equal = {"weight_watch": 2.5, "weight_browse": 2.5, "weight_comment": 7.0}
    assert np.array_equal(as_it_was, asked(case, equal, fold))
    for weights in (BY_TYPE, BY_AGE):
        found = asked(case, weights, fold)
        assert ((found > 0) & (found < 1)).all()
        assert not np.array_equal(as_it_was, found)


@pytest.mark.parametrize("case", GRADIENT_CASES)
def test_the_gradient_of_a_heavier_example_is_that_of_one_that_comes_more_often(
    case: str, fold: Fold, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, config = CONFIGS[case]
    monkeypatch.setitem(CONFIGS, case, (kind, {**config, "batch_size": 99}))
    weighted, plain = (new(case, weights, fold.training) for weights in (BY_TYPE, {}))
    assert isinstance(weighted, GradientClassifier)
    assert isinstance(plain, GradientClassifier)
    often = repeated(fold.training)
    share = labels_of(often).bought.mean()
    assert float(weighted.network.base) == pytest.approx(np.log(share / (1 - share)))
    plain.network.base.copy_(weighted.network.base)
    (batch,) = weighted.training_batches(0)
    (again,) = CaseBook(often, fold.n_items, CPU).epoch(99, 0)
    found, expected = _step(weighted, batch), _step(plain, again)
    assert found.keys() == expected.keys()
    for name in found:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-3, atol=1e-6)


def _step(model: GradientClassifier, cases: Cases) -> dict[str, torch.Tensor]:
    """The loss and its gradients."""
    loss, _ = model.loss(cases)
    loss.backward()  # type: ignore[no-untyped-call]
    named = model.network.named_parameters()
    return {"loss": loss.detach()} | {n: p.grad for n, p in named if p.grad is not None}


@pytest.mark.parametrize("case", ["base_rate", "logistic_regression", "gradient_boosting"])
def test_a_floor_takes_a_heavier_example_for_several(
    case: str, fold: Fold, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, config = CONFIGS[case]
    mean = times_of(examples_of(fold.training)).mean()
    # Penalties are held against the sum of the weights, and a leaf counts its examples.
    of_weighted = {"inverse_penalty": mean, "min_samples_leaf": 1}
    of_repeated = {"inverse_penalty": 1.0, "min_samples_leaf": 1}
    often = replace(fold, training=replace(fold.training, examples=repeated(fold.training)))
    found = []
    for changes, weights, world in ((of_weighted, BY_TYPE, fold), (of_repeated, {}, often)):
        mine = {name: changes[name] for name in changes.keys() & config.keys()}
        monkeypatch.setitem(CONFIGS, case, (kind, {**config, **mine}))
        found.append(asked(case, weights, world))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)


def test_where_only_one_answer_weighs_anything_training_starts_at_half_an_example(
    fold: Fold,
) -> None:
    examples = examples_of(fold.training)
    kind = np.where(labels_of(examples).bought, WATCH, BROWSE).astype(np.int8)
    training = replace(fold.training, examples=replace(examples, kind=kind))
    model = new("gru", {"weight_watch": 0.0}, training)
    assert isinstance(model, GradientClassifier)
    half = 0.5 / len(examples)
    assert float(model.network.base) == pytest.approx(np.log(half / (1 - half)))
    assert np.isfinite(asked("gru", {"weight_watch": 0.0}, replace(fold, training=training))).all()


def test_the_weight_of_an_example_is_by_its_own_age_and_type(fold: Fold) -> None:
    examples = examples_of(fold.training)
    found = weights_of(examples, TrainingWeights(**BY_TYPE, **BY_AGE))
    day = 86_400_000_000
    plain = times_of(examples) * 0.5 ** ((examples.time.max() - examples.time) / day / 10)
    assert found is not None
    np.testing.assert_allclose(found, plain / plain.mean())
