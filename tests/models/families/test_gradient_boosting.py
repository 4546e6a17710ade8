"""`gradient_boosting` answers as scikit-learn's own trees do."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from by_hand import probabilities, purchases
from purchase_families import BOOSTING, CPU, PURCHASE_FAMILIES
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier

from recsweep.data.types import KINDS, Fold, Labels, Targets
from recsweep.models.families.gradient_boosting import Boosting
from recsweep.models.protocol import Context

CONFIG = BOOSTING | {
    "learning_rate": 0.3, "trees": 6, "leaves": 5, "min_samples_leaf": 3, "l2": 0.7,
    "columns_a_split": 0.6,
}  # fmt: skip


def asked_of(fold: Fold, config: dict[str, object], seed: int = 0) -> Boosting:
    model = PURCHASE_FAMILIES["gradient_boosting"].model(
        config, Context(fold.training, seed, CPU, "fp32")
    )
    assert isinstance(model, Boosting)
    return model


def fitted(fold: Fold, config: dict[str, object], seed: int = 0) -> Boosting:
    model = asked_of(fold, config, seed)
    model.fit_epoch()
    return model


def examples_of(fold: Fold) -> tuple[Targets, Labels]:
    examples = fold.training.examples
    assert examples is not None
    assert isinstance(examples.labels, Labels)
    return examples, examples.labels


def library_of(labels: Labels, seed: int, weights: np.ndarray | None = None) -> Any:
    library = HistGradientBoostingClassifier(
        learning_rate=0.3, max_iter=6, max_leaf_nodes=5, min_samples_leaf=3,
        l2_regularization=0.7, max_features=0.6, early_stopping=False, random_state=seed,
    )  # fmt: skip
    return library.fit(labels.inputs, labels.bought, weights)


@pytest.mark.parametrize("seed", [0, 5, (1 << 32) + 7])
def test_trees_answer_as_the_library_does(seed: int) -> None:
    fold, targets = purchases()
    library = library_of(examples_of(fold)[1], seed % (1 << 32))
    model = fitted(fold, CONFIG, seed)
    assert isinstance(targets.labels, Labels)
    inputs = targets.labels.inputs
    expected = library.predict_proba(inputs)[:, 1]
    np.testing.assert_allclose(probabilities(model, fold, targets), expected, rtol=1e-6)
    # What lies on a tree's first threshold goes the library's way, too.
    trees = {name: value.numpy() for name, value in model.state().items()}
    roots = trees["root"]
    border: Any = np.repeat(inputs[:1], len(roots), 0).astype(np.float64)
    border[np.arange(len(roots)), trees["feature"][roots]] = trees["threshold"][roots]
    expected = library.predict_proba(border)[:, 1]
    np.testing.assert_allclose(expit(trees["base"] + model._sum(border)), expected, rtol=1e-6)


def test_events_weigh_in_training_what_they_are_told_to() -> None:
    fold, targets = purchases()
    examples, labels = examples_of(fold)
    kind = np.where(np.arange(len(examples)) % 3 == 0, KINDS.index("rate"), 0).astype(np.int8)
    training = replace(fold.training, examples=replace(examples, kind=kind))
    weights = np.where(kind > 0, 3.0, 1.0)
    library = library_of(labels, 0, weights / weights.mean())
    assert isinstance(targets.labels, Labels)
    expected = library.predict_proba(targets.labels.inputs)[:, 1]
    model = fitted(replace(fold, training=training), CONFIG | {"weight_rate": 3.0})
    np.testing.assert_allclose(probabilities(model, fold, targets), expected, rtol=1e-6)


def test_a_state_is_all_that_answers_need_and_a_copy() -> None:
    fold, targets = purchases()
    model = fitted(fold, CONFIG)
    before, state = probabilities(model, fold, targets), model.state()
    other = asked_of(fold, CONFIG, 1)
    other.load_state(state)
    np.testing.assert_array_equal(probabilities(other, fold, targets), before)
    for value in model.state().values():
        value.zero_()
    np.testing.assert_array_equal(probabilities(model, fold, targets), before)


def test_the_trees_of_a_state_are_whole() -> None:
    fold, _ = purchases()
    trees = {name: value.numpy() for name, value in fitted(fold, CONFIG).state().items()}
    place = np.arange(len(trees["value"]))
    leaf = trees["left"] == place
    np.testing.assert_array_equal(trees["right"] == place, leaf)
    assert np.isinf(trees["threshold"][leaf]).all()
    assert not trees["feature"][leaf].any()
    assert not trees["value"][~leaf].any()
    # Every node but the roots is some node's child, once.
    below = np.sort(np.concatenate((trees["left"][~leaf], trees["right"][~leaf], trees["root"])))
    np.testing.assert_array_equal(below, place)
    assert len(trees["root"]) == 6
