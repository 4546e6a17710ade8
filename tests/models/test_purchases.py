"""Families that are asked about purchases find what is in the data."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from purchase_families import CONFIGS, CPU, PURCHASE_FAMILIES
from purchases import fold_of, random_log
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier

from recsweep.data.types import UNKNOWN, Fold, Labels, Targets
from recsweep.evaluation.probability import log_losses
from recsweep.models.cases import CaseBook
from recsweep.models.families.gradient_boosting import Boosting
from recsweep.models.protocol import Classifier, Context

every_case = pytest.mark.parametrize("case", CONFIGS)


@pytest.fixture(scope="module")
def fold() -> Fold:
    return fold_of(random_log(3, users=60))


def build(case: str, fold: Fold, seed: int = 0) -> Classifier:
    kind, config = CONFIGS[case]
    model: Classifier = PURCHASE_FAMILIES[kind].model(
        config, Context(fold.training, seed, CPU, "fp32")
    )
    return model


def fitted(case: str, fold: Fold, epochs: int = 6, seed: int = 0) -> Classifier:
    model = build(case, fold, seed)
    for _ in range(PURCHASE_FAMILIES[CONFIGS[case][0]].epochs or epochs):
        model.fit_epoch()
    return model


def asked(model: Classifier, fold: Fold, targets: Targets | None = None) -> np.ndarray:
    return model.probability(CaseBook(targets or fold.validation, fold.n_items, CPU))


@every_case
def test_what_is_in_the_data_is_learned(case: str, fold: Fold) -> None:
    labels = fold.validation.labels
    assert isinstance(labels, Labels)
    losses, model = [], build(case, fold)
    for _ in range(PURCHASE_FAMILIES[CONFIGS[case][0]].epochs or 6):
        model.fit_epoch()
        losses.append(log_losses(asked(model, fold), labels.bought).mean())
    loss = min(losses)  # with so little data some overfit soon
    floor = log_losses(asked(fitted("base_rate", fold), fold), labels.bought).mean()
    if case == "base_rate":
        assert loss == floor
    elif case not in {"logistic_regression", "gradient_boosting"}:
        assert loss < floor - 0.02  # even courses are bought: courses' ids tell
    else:
        assert loss < floor + 0.05


@every_case
def test_an_unknown_course_and_an_empty_history_get_a_probability(case: str, fold: Fold) -> None:
    n = len(fold.validation)
    cold = replace(
        fold.validation,
        item=np.full(n, UNKNOWN, np.int32),
        length=np.zeros(n, np.int32),
    )
    assert np.isfinite(asked(fitted(case, fold, 1), fold, cold)).all()


def test_trees_answer_as_the_library_does(fold: Fold) -> None:
    examples = fold.training.examples
    assert examples is not None
    assert isinstance(examples.labels, Labels)
    assert fold.validation.labels is not None
    library = HistGradientBoostingClassifier(
        learning_rate=0.1, max_iter=20, max_leaf_nodes=7, min_samples_leaf=5,
        early_stopping=False, random_state=0,
    )  # fmt: skip
    library.fit(examples.labels.inputs, examples.labels.bought)
    expected = library.predict_proba(fold.validation.labels.inputs)[:, 1]
    model = fitted("gradient_boosting", fold)
    np.testing.assert_allclose(asked(model, fold), expected, rtol=1e-6)
    # What lies on a tree's first threshold goes the library's way, too.
    assert isinstance(model, Boosting)
    trees = {name: value.numpy() for name, value in model.state().items()}
    roots = trees["root"]
    border: Any = np.repeat(fold.validation.labels.inputs[:1], len(roots), 0).astype(np.float64)
    border[np.arange(len(roots)), trees["feature"][roots]] = trees["threshold"][roots]
    expected = library.predict_proba(border)[:, 1]
    np.testing.assert_allclose(expit(trees["base"] + model._sum(border)), expected, rtol=1e-6)


@pytest.mark.parametrize("case", ["gru", "lstm", "gru both ways"])
def test_the_dwell_of_a_historys_events_reaches_the_probability(case: str, fold: Fold) -> None:
    def with_dwell(targets: Targets, sign: float) -> Targets:
        dwell = np.sin(np.arange(len(targets.histories.item)))[:, None] * sign
        timed = replace(targets.histories, event_features=dwell.astype(np.float32))
        return replace(targets, histories=timed)

    examples = fold.training.examples
    assert examples is not None
    training = replace(
        fold.training, examples=with_dwell(examples, 1), event_columns=("event.dwell",)
    )
    model = fitted(case, replace(fold, training=training), epochs=2)
    one, other = (
        model.probability(CaseBook(with_dwell(fold.validation, sign), fold.n_items, CPU))
        for sign in (1, -1)
    )
    assert np.isfinite(one).all()
    assert not np.array_equal(one, other)
