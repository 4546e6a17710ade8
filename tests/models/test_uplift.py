"""Meta-learners: who is moved by a treatment, told from what a table says of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from treatments import treated_log, uplift_fold
from worlds import labelled, training_of

from recsweep.data.types import Float64, Fold, Mask, Training, Treatments
from recsweep.models.cases import CaseBook, examples_of, labels_of
from recsweep.models.family import Build
from recsweep.models.protocol import Context, FamilyConfig, Resumable
from recsweep.models.registry import families_of
from recsweep.models.uplift import (
    TREATMENT,
    ResumableUpliftModel,
    UpliftBook,
    UpliftModel,
    treatments_of,
    uplift,
)

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


TREATED, PROPENSITY = [1, 0, 0, 1, 1, 0], [0.5, 0.25, 0.2, 0.8, 0.4, 0.6]


def treated_world() -> Training:
    """Three learners and six examples, of which the odd ones are bought; nobody treated the second
    learner.
    """
    told = [[5, 6], [7], [1, 2, 3]]
    examples = labelled([[1, 2], [1], [3, 3, 2]], told)
    treatments = Treatments(np.array(TREATED, bool), np.array(PROPENSITY), budget=0.5)
    examples = replace(examples, labels=replace(labels_of(examples), treatments=treatments))
    return replace(training_of(told, 8), sequences=examples.histories, examples=examples)


class Told:
    """A model that answers by the sum of an example's inputs, and remembers what it was given."""

    loss: float | None = 0.5
    gradient_norm: float | None = 2.0

    def __init__(self, config: FamilyConfig, context: Context) -> None:
        self.config, self.training, self.times = config, context.training, torch.tensor([1.0])

    def fit_epoch(self) -> float | None:
        return self.loss

    def probability(self, book: CaseBook) -> Float64:
        found: Float64 = self.times.item() * book.labels.inputs.astype(np.float64).sum(1)
        return found

    def state(self) -> dict[str, Tensor]:
        return {"times/of": self.times.clone()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        assert set(state) == {"times/of"}
        self.times = state["times/of"]


class Resumed(Told):
    def checkpoint(self) -> dict[str, Tensor]:
        return {"epoch": self.times + 1}

    def restore(self, checkpoint: Mapping[str, Tensor]) -> None:
        self.times = checkpoint["epoch"] - 1


def told(way: str, kind: type[Told] = Told) -> Any:
    build: Build[Any, Any] = uplift(Build(FamilyConfig, kind))
    return build.model({"meta_learner": way}, Context(treated_world(), 0, CPU, "fp32"))


def with_times(model: Any, *times: float) -> Any:
    for part, value in zip(model.parts.values(), times, strict=True):
        part.times = torch.tensor([value])
    return model


def test_s_learns_from_all_with_the_treatment_as_one_more_input() -> None:
    model = told("s")
    assert list(model.parts) == ["both"]
    labels = labels_of(examples_of(model.parts["both"].training))
    assert labels.columns == ("a", "b", TREATMENT)
    assert labels.inputs.tolist() == [[n, -n, TREATED[n]] for n in range(6)]
    assert labels.inputs.dtype == np.float32
    assert labels.weight is None


def test_t_learns_from_the_treated_and_from_the_others_each_with_its_own_learners() -> None:
    model = told("t")
    assert list(model.parts) == ["treated", "untreated"]
    for name, at, items, rows in (
        ("treated", [0, 3, 4], [5, 6, 1, 2, 3], [0, 1, 1]),
        ("untreated", [1, 2, 5], [5, 6, 7, 1, 2, 3], [0, 1, 2]),
    ):
        training = model.parts[name].training
        examples = examples_of(training)
        assert labels_of(examples).inputs[:, 0].tolist() == at
        assert examples.sequence.tolist() == rows
        assert examples.sequence.dtype == np.int32
        assert training.sequences.item.tolist() == items
        assert examples.histories is training.sequences


def test_class_transformation_learns_who_did_as_was_done_to_them_by_the_inverse_chance() -> None:
    model = told("class_transformation")
    assert list(model.parts) == ["agrees"]
    labels = labels_of(examples_of(model.parts["agrees"].training))
    # Bought and treated or neither: 1 was bought and untreated, 2 neither, and so on.
    assert labels.bought.tolist() == [False, False, True, True, False, False]
    assert labels.weight is not None
    chance = [0.5, 0.75, 0.8, 0.8, 0.4, 0.4]
    np.testing.assert_allclose(labels.weight, [1 / each for each in chance])
    assert labels.columns == ("a", "b")


def test_the_difference_is_each_ways_own() -> None:
    examples = labelled([[1, 2, 2]])
    examples = replace(
        examples,
        labels=replace(labels_of(examples), inputs=np.array([[1, 2], [0, 4], [3, 0]], np.float32)),
    )
    book = UpliftBook(examples, 8, CPU)
    sums = np.array([3.0, 4, 3])
    np.testing.assert_allclose(
        with_times(told("class_transformation"), 0.25).uplift(book), 2 * 0.25 * sums - 1
    )
    np.testing.assert_allclose(with_times(told("t"), 0.25, 0.5).uplift(book), -0.25 * sums)
    np.testing.assert_allclose(with_times(told("s"), 0.25).uplift(book), [0.25] * 3)


def test_a_book_asks_as_things_are_and_as_wide_as_it_is_told() -> None:
    book = UpliftBook(labelled([[1, 2]]), 8, CPU, width=7)
    for asked, columns in ((book.plain, 2), (book.treated, 3), (book.untreated, 3)):
        (batch,) = asked.blocks()
        assert batch.histories.items.shape == (1, 7)
        assert batch.inputs.shape == (2, columns)


def test_losses_and_norms_are_the_parts_means_as_far_as_they_have_some() -> None:
    model = told("t")
    one, other = model.parts.values()
    one.loss, other.loss, one.gradient_norm, other.gradient_norm = 0.5, 1.5, 2.0, 4.0
    assert (model.fit_epoch(), model.gradient_norm) == (1, 3)
    one.loss, one.gradient_norm = None, None
    assert (model.fit_epoch(), model.gradient_norm) == (1.5, 4)
    other.loss, other.gradient_norm = None, None
    assert (model.fit_epoch(), model.gradient_norm) == (None, None)


def test_states_and_checkpoints_are_kept_by_the_parts_names() -> None:
    model = with_times(told("t", Resumed), 0.25, 0.5)
    assert {name: value.item() for name, value in model.state().items()} == {
        "treated/times/of": 0.25, "untreated/times/of": 0.5,
    }  # fmt: skip
    assert {name: value.item() for name, value in model.checkpoint().items()} == {
        "treated/epoch": 1.25, "untreated/epoch": 1.5,
    }  # fmt: skip
    taken, restored = told("t", Resumed), told("t", Resumed)
    taken.load_state(model.state())
    restored.restore(model.checkpoint())
    for each in (taken, restored):
        assert [part.times.item() for part in each.parts.values()] == [0.25, 0.5]


def test_a_model_can_go_on_where_its_parts_can() -> None:
    assert type(told("t", Resumed)) is ResumableUpliftModel
    assert isinstance(told("t", Resumed), Resumable)
    assert type(told("t")) is UpliftModel
    assert not isinstance(told("t"), Resumable)

    def either(config: FamilyConfig, context: Context) -> Told:
        return (Resumed if len(context.training.sequences) == 2 else Told)(config, context)

    build: Build[Any, Any] = uplift(Build(FamilyConfig, either))
    mixed = build.model({"meta_learner": "t"}, Context(treated_world(), 0, CPU, "fp32"))
    assert {type(part) for part in mixed.parts.values()} == {Told, Resumed}
    assert type(mixed) is UpliftModel


def test_a_family_of_purchases_serves_uplift_with_one_hyperparameter_more() -> None:
    build: Build[Any, Any] = uplift(Build(FamilyConfig, Told, epochs=3, portrays=True))
    assert build.epochs == 3
    assert not build.portrays
    assert set(build.config.model_fields) == {"meta_learner"}
    with pytest.raises(ValidationError, match="meta_learner"):
        build.config.model_validate({})
