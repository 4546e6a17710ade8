"""Meta-learners: who is moved by a treatment, told from what a table says of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from treatments import treated_log, uplift_fold

from recsweep.data.types import Fold, Mask
from recsweep.models.cases import examples_of, labels_of
from recsweep.models.protocol import Context
from recsweep.models.registry import families_of
from recsweep.models.uplift import TREATMENT, UpliftBook, treatments_of

CPU = torch.device("cpu")
TREES = {
    "learning_rate": 0.1, "trees": 30, "leaves": 7, "min_samples_leaf": 20, "l2": 0.0,
    "columns_a_split": 1.0,
}  # fmt: skip


def planted(coin: bool) -> tuple[Fold, Mask]:
    """Half of the examples, told by their first input, buy because of the treatment alone; where
    there is no coin, they are treated more often, and the data say how often.
    """
    fold, random = uplift_fold(treated_log(0)), np.random.default_rng(0)
    training = fold.training
    examples = examples_of(training).at(np.tile(np.arange(len(examples_of(training))), 20))
    order = np.argsort(examples.sequence, kind="stable")
    examples = examples.at(order)
    labels = labels_of(examples)
    moved = random.random(len(examples)) < 0.5
    chance = np.full(len(moved), 0.5) if coin else np.where(moved, 0.8, 0.3)
    treated = random.random(len(moved)) < chance
    bought = random.random(len(moved)) < np.where(moved & treated, 0.7, 0.2)
    treatments = replace(treatments_of(labels), treated=treated, propensity=chance)
    labels = replace(
        labels,
        bought=bought,
        inputs=np.stack((moved, random.random(len(moved))), axis=1).astype(np.float32),
        columns=("moved", "noise"),
        treatments=treatments,
    )
    examples = replace(examples, labels=labels)
    return replace(fold, training=replace(training, examples=examples)), moved


@pytest.mark.parametrize("coin", [True, False])
@pytest.mark.parametrize("way", ["s", "t", "class_transformation"])
def test_every_meta_learner_finds_a_difference_that_is_there(way: str, coin: bool) -> None:
    fold, moved = planted(coin)
    build = families_of("uplift")["gradient_boosting"]
    model = build.model({**TREES, "meta_learner": way}, Context(fold.training, 0, CPU, "fp32"))
    model.fit_epoch()
    found = model.uplift(UpliftBook(examples_of(fold.training), fold.n_items, CPU))
    assert found[moved].mean() == pytest.approx(0.5, abs=0.08)
    assert found[~moved].mean() == pytest.approx(0.0, abs=0.08)


def test_the_predicted_outcome_has_no_word_on_treatment() -> None:
    fold, _ = planted(coin=True)
    examples = examples_of(fold.training)
    labels = labels_of(examples)
    treatments = treatments_of(labels)
    turned = replace(labels, treatments=replace(treatments, treated=~treatments.treated))
    build = families_of("uplift")["predicted_outcome"]
    found = []
    for each in (labels, turned):
        training = replace(fold.training, examples=replace(examples, labels=each))
        model = build.model(TREES, Context(training, 0, CPU, "fp32"))
        model.fit_epoch()
        found.append(model.uplift(UpliftBook(examples, fold.n_items, CPU)))
    np.testing.assert_array_equal(*found)


def test_all_are_asked_about_as_treated_and_as_not() -> None:
    fold, _ = planted(coin=True)
    book = UpliftBook(examples_of(fold.training), fold.n_items, CPU)
    for asked, value in ((book.treated, 1), (book.untreated, 0)):
        column = asked.labels.columns.index(TREATMENT)
        assert set(asked.labels.inputs[:, column]) == {value}
