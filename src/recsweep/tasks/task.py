"""The seam between the tasks. Whoever makes folds, trains, scores or confirms asks a `Task`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
from numpy.typing import NDArray

from recsweep.config.schema import Experiment, Metric, Schema
from recsweep.data.before_cut import FittedCatalogue
from recsweep.data.types import Dataset, Events, Float64, Fold, Int32, Mask, Targets, Training
from recsweep.evaluation.metrics import user_means
from recsweep.evaluation.probability import Calibrator
from recsweep.tasks.asked import Answers, Asked, Known

M = TypeVar("M")
M_contra = TypeVar("M_contra", contravariant=True)

Outcomes = NDArray[Any]
"""(n_targets,) all that is kept of a model's answers: ranks, or probabilities."""


TEST = "sealed test"
"""The name of the fold whose window is the sealed test."""


@dataclass(frozen=True, slots=True)
class Split:
    """A window and what lies before it: what a task makes its training and targets from."""

    name: str  # of the fold
    events: Events  # up to the window's end; where it isn't the clock that is cut, all
    window: tuple[int, int]  # microseconds since 1970 UTC; see `moment_of`
    before: Mask  # (n_events,) what may be learned from
    inside: Mask  # (n_events,) what lies in the window
    learned: FittedCatalogue  # from those
    dataset: Dataset  # with the tables
    experiment: Experiment  # with the rules

    @property
    def wider(self) -> str:
        """What to do so that its window holds more."""
        rule = self.experiment.folds.rule
        if rule == "leave_one_out":
            return "lower folds.count"
        if self.name == TEST:
            return "raise folds.test"
        return "raise folds.validation" if self.experiment.folds.in_time else "lower folds.count"


class Scorer(Protocol[M_contra]):
    """One fold's targets, laid out once on one device and asked after every epoch."""

    def outcomes(self, model: M_contra) -> Outcomes:
        """(n_targets,)."""
        ...


@dataclass(frozen=True, slots=True)
class Lists:
    """What the lists of all targets are like; of `coverage` and `novelty` one entry a cut-off k."""

    coverage: Mapping[int, float]  # share of the catalogue that is in at least one list
    novelty: Mapping[int, Float64]  # (n_users,) bits, mean over a user's targets
    per_learner: Mapping[str, Float64]  # `diversity@10` -> (n_users,), mean over a user's targets
    exposure: Float64  # (n_groups, n_items) lists of each group's learners that hold each course


class ListMaker(Protocol[M_contra]):
    """One fold's targets, laid out once on one device, each to be given a list of courses."""

    def lists(self, model: M_contra) -> Lists:
        """What a model's lists are like."""
        ...


@dataclass(frozen=True, slots=True)
class CardWords:
    """What the model card of a fitted model says of its task."""

    intended: str = (
        "to rank courses for learners of the platform that the log is of, or of one much like it."
    )
    figures: str = (
        "on what learners did under the platform's own recommendations. They don't say what "
        "recommending these courses changes: test that online."
    )
    """What the study's offline figures are of, and what they don't tell."""


@dataclass(frozen=True, slots=True)
class Task(Generic[M]):
    """One kind of question."""

    name: str
    training: Callable[[Split], Training]
    """What models learn from. Raises BadInput where there is nothing."""
    targets: Callable[[Split, Training], Targets]
    """What is asked of the window. Raises BadInput where nothing can be."""
    scorer: Callable[[Targets, int, torch.device], Scorer[M]]  # targets, n_items, device
    target_values: Callable[[Outcomes, Targets, Metric], dict[str, Float64]]
    """(n_targets,) of each metric that is a mean over targets; the study's is among them."""
    steps: Callable[[Mapping[str, Any], Training], int | None]
    """Optimiser steps of an epoch; None: not trained by gradient."""
    pooled: Callable[[Outcomes, Targets, Metric], dict[str, float]] = lambda *asked: {}
    """Metrics of all targets together, which no single target has a value of."""
    per_learner: Callable[[Float64, Int32], Float64] = user_means
    """(n_learners,) from (n_targets,) values and their learners 0, 1, …; its mean is the metric."""
    cold: Callable[[Targets, int], Mask] = lambda targets, n_known: targets.item >= n_known
    """(n_targets,) whether each asks for a course without events (from index `n_known` on)."""
    lists: Callable[[Targets, Training, Metric, torch.device, Any], ListMaker[M]] | None = None
    """For a task in which a learner gets to see a list of courses; the last is what `categories`
    gave."""
    categories: Callable[[Fold, Dataset, Experiment], Any] = lambda *asked: None
    """What a fold's courses are about, as far as lists are to be described by it."""
    weight: Callable[[Targets, Training], Float64] | None = None
    """(n_targets,) of each where metrics are corrected for exposure; None: nothing is shown."""
    details: Callable[[Outcomes, Targets, Metric], Schema | None] = lambda *asked: None
    """What a confirmation records of a family besides, under the task's name."""
    best_possible: Callable[[Fold, Dataset, Experiment], float | None] = lambda *asked: None
    """The metric's value on a fold of who knows the truth, where a simulator does."""

    answers: Callable[[M, Asked, Known], Answers] | None = None
    """What a fitted model says to learners outside of a study; None: it can't be asked there."""

    row_answers: Callable[[M, Known], Float64] | None = None
    """The same of a plain table: (n_rows,) in the order of the table of learners."""

    calibrator: Callable[[Sequence[Outcomes], Sequence[Targets], Metric], Calibrator] = (
        lambda *held_out: Calibrator()
    )
    """What brings such answers to the probabilities that the study scored: from what models said of
    some targets that they hadn't learned from, window by window. By default nothing does."""

    answer: str = "score"
    """What an answer to a row is; the name of its column."""

    card: CardWords = CardWords()

    labels_texts: bool = False
    """Can a fitted model label texts outside of a study? It is asked itself, by their text."""

    def summarise(
        self, outcomes: Outcomes, targets: Targets, metric: Metric
    ) -> tuple[dict[str, float], Float64]:
        """Every reported metric of a fold, and the study's own for each learner."""
        values = self.target_values(outcomes, targets, metric)
        learners = {key: self.per_learner(v, targets.sequence) for key, v in values.items()}
        means = {key: float(v.mean()) for key, v in learners.items()}
        return {**means, **self.pooled(outcomes, targets, metric)}, learners[metric.key]

    def learner_metrics(
        self, runs: Sequence[Outcomes], targets: Targets, metric: Metric
    ) -> dict[str, list[Float64]]:
        """Metric -> (n_learners,) of each run, for metrics that are means over learners."""
        found = [self.target_values(outcomes, targets, metric) for outcomes in runs]
        return {
            key: [self.per_learner(values[key], targets.sequence) for values in found]
            for key in found[0]
        }
