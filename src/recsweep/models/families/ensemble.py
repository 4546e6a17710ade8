"""`ensemble`: several models of a study that answer together, each with its weight.

Courses are ranked by the weighted mean of reciprocal ranks, 1 / (60 + rank) (Cormack, Clarke &
Büttcher 2009, reciprocal rank fusion): scores of different families have no common scale, ranks
have. Of equals each has the worst rank, as everywhere. Probabilities, and differences that a
treatment makes, are averaged as they are (Caruana et al. 2004). Which models, and with which
weights: `stages/fuse/`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from recsweep.config.schema import NEXT_ITEM, PURCHASE, TEXT, UPLIFT, Schema
from recsweep.config.schema.base import PositiveInt
from recsweep.config.values import Value
from recsweep.data.types import Float64, Training
from recsweep.models.cases import CaseBook
from recsweep.models.family import Build, Family
from recsweep.models.protocol import (
    Classifier,
    Context,
    FamilyConfig,
    Histories,
    Model,
    Recommender,
)
from recsweep.models.registry import families_of
from recsweep.models.text.texts import TextClassifier, Texts, texts_of
from recsweep.models.uplift import UpliftBook, UpliftConfig, UpliftModel

M = TypeVar("M", bound=Model)

OFFSET = 60
"""Of ranks, by the paper: it keeps one model's first place from outweighing all others."""


class Member(Schema):
    """One of the models: a trial's configuration, trained as the trial was."""

    trial: str
    kind: str  # its name in the registry
    config: Mapping[str, Value]
    epochs: PositiveInt
    weight: PositiveInt  # how often it was chosen; shares of their sum count
    seed_offset: int  # its seed less the ensemble's, so that trials keep the seeds that they had


class EnsembleConfig(FamilyConfig):
    """Its only hyperparameter: who is in it."""

    members: Annotated[tuple[Member, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Vote:
    """What a model contributes to an ensemble's answer."""

    of: Callable[[Any, Any], Any]  # a model, and what it is asked
    kept: Callable[[Any], NDArray[Any]]  # an answer as an array
    given: Callable[[NDArray[Any]], Any]  # an array as the task's scorer takes an answer
    size: Callable[[Training], int]  # bytes of what it says to one target
    joins: Callable[[Build[Any, Any]], bool] = lambda build: True  # is it of the others' scale?


def reciprocal_ranks(model: Recommender, histories: Histories) -> Tensor:
    """(n_queries, n_items) float32, 1 / (60 + rank)."""
    scores = model.score(histories).float().nan_to_num(-math.inf, math.inf, -math.inf)
    below = torch.searchsorted(scores.sort(dim=1).values, scores)
    return (OFFSET + scores.shape[1] - below).float().reciprocal()


def probabilities(model: Classifier, book: CaseBook) -> Float64:
    """(n_examples,)."""
    return model.probability(book)


def of_labels(model: TextClassifier, texts: Texts) -> Float64:
    """(n_texts, n_classes)."""
    return model.probabilities(texts)


def differences(model: UpliftModel, book: UpliftBook) -> Float64:
    """(n_examples,)."""
    return model.uplift(book)


VOTES: Mapping[str, Vote] = {
    NEXT_ITEM: Vote(
        reciprocal_ranks,
        lambda votes: votes.cpu().numpy(),
        torch.from_numpy,
        lambda training: 4 * training.n_items,
    ),
    PURCHASE: Vote(probabilities, np.asarray, np.asarray, lambda training: 8),
    TEXT: Vote(
        of_labels,
        np.asarray,
        np.asarray,
        lambda training: 8 * len(texts_of(training).classes),
    ),
    UPLIFT: Vote(
        differences,
        np.asarray,
        np.asarray,
        lambda training: 8,
        # Floors order people, by no estimate of a difference.
        lambda build: issubclass(build.config, UpliftConfig),
    ),
}
"""Task -> what is fused there."""


class Ensemble(Generic[M]):
    """All members, trained side by side."""

    def __init__(self, task: str, config: EnsembleConfig, context: Context) -> None:
        self._vote, builds = VOTES[task], families_of(task)
        self._members, self._epoch = config.members, 0
        self._epochs = [min(m.epochs, builds[m.kind].epochs or m.epochs) for m in config.members]
        self.models: list[M] = [
            builds[m.kind].model(m.config, replace(context, seed=context.seed + m.seed_offset))
            for m in config.members
        ]

    def fit_epoch(self) -> float | None:
        """One epoch of every member that is to have another.

        Returns:
            None: losses of different families have no mean. Or the one that is no finite number.
        """
        self._epoch += 1
        due = zip(self.models, self._epochs, strict=True)
        losses = [model.fit_epoch() for model, epochs in due if self._epoch <= epochs]
        return next((x for x in losses if x is not None and not math.isfinite(x)), None)

    def state(self) -> dict[str, Tensor]:
        """Each member's, under its number."""
        return {
            f"{n}/{name}": value
            for n, model in enumerate(self.models)
            for name, value in model.state().items()
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over the states of all members."""
        for n, model in enumerate(self.models):
            own = {key.partition("/")[2]: v for key, v in state.items() if key.startswith(f"{n}/")}
            model.load_state(own)

    def _answer(self, asked: Any) -> Any:
        total = sum(member.weight for member in self._members)
        return sum(
            self._vote.of(model, asked) * (member.weight / total)
            for model, member in zip(self.models, self._members, strict=True)
        )


class RankingEnsemble(Ensemble[Recommender]):
    """A `Recommender`."""

    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items) the weighted mean of reciprocal ranks."""
        scores: Tensor = self._answer(histories)
        return scores


class ClassifyingEnsemble(Ensemble[Classifier]):
    """A `Classifier`."""

    def probability(self, book: CaseBook) -> Float64:
        """(n_examples,) the weighted mean of the members' probabilities."""
        probability: Float64 = self._answer(book)
        return probability


class TextEnsemble(Ensemble[TextClassifier]):
    """A `TextClassifier`."""

    def state(self) -> dict[str, Tensor]:
        """Each member's, and the labels that all of them know."""
        members = super().state()
        return {"classes": members["0/classes"].clone(), **members}

    def probabilities(self, texts: Texts) -> Float64:
        """(n_texts, n_classes) the weighted mean of the members' probabilities."""
        probability: Float64 = self._answer(texts)
        return probability


class UpliftEnsemble(Ensemble[UpliftModel]):
    """One that says what difference a treatment makes."""

    def uplift(self, book: UpliftBook) -> Float64:
        """(n_examples,) the weighted mean of the members' differences."""
        difference: Float64 = self._answer(book)
        return difference


def _reads_order(task: str, config: EnsembleConfig) -> bool:
    builds = families_of(task)
    return any(builds[member.kind].sees_order(member.config) for member in config.members)


FAMILY = Family(
    name="ensemble",
    title="ensemble",
    title_zh="集成",
    role="ensemble",
    tasks={
        task: Build(
            EnsembleConfig,
            partial(ensemble, task),
            reads_order=partial(_reads_order, task),
            uses_features=True,
        )
        for task, ensemble in (
            (NEXT_ITEM, RankingEnsemble),
            (PURCHASE, ClassifyingEnsemble),
            (TEXT, TextEnsemble),
            (UPLIFT, UpliftEnsemble),
        )
    },
)
