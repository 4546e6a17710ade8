"""Families that are asked about purchases find what is in the data."""

from dataclasses import replace

import numpy as np
import pytest
from purchase_families import CONFIGS, CPU, PURCHASE_FAMILIES
from purchases import fold_of, random_log

from recsweep.data.types import UNKNOWN, Fold, Labels, Targets
from recsweep.evaluation.probability import log_losses
from recsweep.models.cases import CaseBook
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
