"""Any family that gives the probability of an answer, asked for the difference a treatment makes.

Three ways, known as meta-learners:

- `s`: one model, to which the treatment is one more input; the difference is that of its
  probabilities with and without (Hill 2011; the S-learner of Künzel et al. 2019);
- `t`: a model of the treated and a model of the others (the T-learner);
- `class_transformation`: one model of whether an example is a treated yes or an untreated no;
  twice its probability less one is the difference where the treatment was a fair coin (Jaskowski &
  Jaroszewicz 2012, eq. 1-5). Where it was not, examples weigh the inverse of the probability of
  what was done to them, which makes it one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from pydantic import create_model
from torch import Tensor

from recsweep.data.types import Float64, Int64, Labels, Targets, Training, Treatments
from recsweep.models.cases import CaseBook, examples_of, labels_of
from recsweep.models.family import Build
from recsweep.models.protocol import Classifier, Context, FamilyConfig, Resumable

TREATMENT = "treatment"
"""The name of the input that says who was treated."""

C = TypeVar("C", bound=FamilyConfig)
MetaLearner = Literal["s", "t", "class_transformation"]


class UpliftConfig(FamilyConfig):
    """The hyperparameter that every family of the task `uplift` has beside its own."""

    meta_learner: MetaLearner


@dataclass(frozen=True)
class UpliftBook:
    """Examples, laid out as each meta-learner asks about them."""

    targets: Targets
    n_items: int
    device: torch.device
    width: int | None = None  # see `CaseBook`

    @cached_property
    def plain(self) -> CaseBook:
        """As they are."""
        return CaseBook(self.targets, self.n_items, self.device, self.width)

    @cached_property
    def treated(self) -> CaseBook:
        """All of them treated."""
        return self._all(1.0)

    @cached_property
    def untreated(self) -> CaseBook:
        """None of them treated."""
        return self._all(0.0)

    def _all(self, treatment: float) -> CaseBook:
        labels = with_treatment(labels_of(self.targets), np.full(len(self.targets), treatment))
        targets = replace(self.targets, labels=labels)
        return CaseBook(targets, self.n_items, self.device, self.width)


class UpliftModel:
    """One or two models of probabilities, and the difference by them."""

    def __init__(self, way: MetaLearner, parts: Mapping[str, Classifier]) -> None:
        self._way, self.parts = way, parts

    def fit_epoch(self) -> float | None:
        """Of each part; the mean of their losses."""
        losses = [part.fit_epoch() for part in self.parts.values()]
        known = [loss for loss in losses if loss is not None]
        return sum(known) / len(known) if known else None

    @property
    def gradient_norm(self) -> float | None:
        """The parts' mean."""
        norms = [getattr(part, "gradient_norm", None) for part in self.parts.values()]
        known = [norm for norm in norms if norm is not None]
        return sum(known) / len(known) if known else None

    def uplift(self, book: UpliftBook) -> Float64:
        """(n_examples,) probability of a yes with treatment less that without."""
        if self._way == "class_transformation":
            return 2 * self.parts["agrees"].probability(book.plain) - 1
        if self._way == "t":
            return self.parts["treated"].probability(book.plain) - self.parts[
                "untreated"
            ].probability(book.plain)
        both = self.parts["both"]
        return both.probability(book.treated) - both.probability(book.untreated)

    def state(self) -> dict[str, Tensor]:
        """Of every part, by its name."""
        return _joined({name: part.state() for name, part in self.parts.items()})

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over the parts' states."""
        for name, part in self.parts.items():
            part.load_state(_of_part(state, name))


class ResumableUpliftModel(UpliftModel):
    """One whose parts can go on in another process."""

    def checkpoint(self) -> dict[str, Tensor]:
        """Of every part, by its name."""
        return _joined({name: part.checkpoint() for name, part in self._resumable.items()})

    def restore(self, checkpoint: Mapping[str, Tensor]) -> None:
        """Go on from there."""
        for name, part in self._resumable.items():
            part.restore(_of_part(checkpoint, name))

    @property
    def _resumable(self) -> dict[str, Resumable]:
        return {name: part for name, part in self.parts.items() if isinstance(part, Resumable)}


def uplift(build: Build[C, Any]) -> Build[Any, UpliftModel]:
    """How a family that serves the task `purchase` by `build` serves `uplift`."""
    config: type[Any] = create_model(
        f"Uplift{build.config.__name__}", __base__=(UpliftConfig, build.config), __module__=__name__
    )

    def model(config: Any, context: Context) -> UpliftModel:
        way: MetaLearner = config.meta_learner
        parts = {
            name: build.build(config, replace(context, training=training))
            for name, training in _trainings(way, context.training)
        }
        can_go_on = all(isinstance(part, Resumable) for part in parts.values())
        return (ResumableUpliftModel if can_go_on else UpliftModel)(way, parts)

    asked: Build[Any, Any] = build
    return replace(asked, config=config, build=model, portrays=False)


def treatments_of(labels: Labels) -> Treatments:
    """Who was treated, of labels that say so."""
    assert labels.treatments is not None
    return labels.treatments


def with_treatment(labels: Labels, treatment: Float64) -> Labels:
    """The labels with one more input, (n,) 1 or 0."""
    inputs = np.concatenate((labels.inputs, treatment[:, None]), axis=1, dtype=np.float32)
    return replace(labels, inputs=inputs, columns=(*labels.columns, TREATMENT))


def _trainings(way: MetaLearner, training: Training) -> list[tuple[str, Training]]:
    """What each part of a model learns from."""
    examples = examples_of(training)
    labels = labels_of(examples)
    treatments = treatments_of(labels)
    if way == "t":
        groups = {"treated": treatments.treated, "untreated": ~treatments.treated}
        return [(name, _some(training, np.flatnonzero(of))) for name, of in groups.items()]
    if way == "s":
        asked = with_treatment(labels, treatments.treated.astype(np.float64))
        return [("both", replace(training, examples=replace(examples, labels=asked)))]
    chance = np.where(treatments.treated, treatments.propensity, 1 - treatments.propensity)
    agrees = replace(labels, bought=labels.bought == treatments.treated, weight=1 / chance)
    return [("agrees", replace(training, examples=replace(examples, labels=agrees)))]


def _some(training: Training, rows: Int64) -> Training:
    """Training on some of its examples, with the learners who have one."""
    examples = examples_of(training).at(rows)
    kept, sequence = np.unique(examples.sequence, return_inverse=True)
    histories = examples.histories.at(kept.astype(np.int64))
    examples = replace(examples, histories=histories, sequence=sequence.astype(np.int32))
    return replace(training, sequences=histories, examples=examples)


def _joined(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {f"{part}/{name}": value for part, of in parts.items() for name, value in of.items()}


def _of_part(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    start = f"{part}/"
    return {n.removeprefix(start): value for n, value in tensors.items() if n.startswith(start)}
