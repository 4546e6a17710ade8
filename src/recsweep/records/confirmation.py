"""Schema of `verdicts.json`: the selected configurations on the sealed test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ConfigDict

from recsweep.config.schema import Schema, Unit, later
from recsweep.evaluation.subgroups import SubgroupDifference
from recsweep.evaluation.verdict import PairVerdict, Scope
from recsweep.records.openings import Opened, Opening


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds and learners, with an interval for this number alone."""

    mean: float
    lower: float
    upper: float


class OrderControl(Schema):
    """The study's metric after histories as they happened, and after the same ones shuffled."""

    in_order: float
    shuffled: float
    drop: Estimate  # in order - shuffled, paired by learner
    targets: int  # that were scored twice, at most a few a learner


class Subgroup(Schema):
    """Part of the targets; intervals hold for all subgroups of a pair together."""

    name: str
    learners: int
    targets: int
    means: Mapping[str, Estimate]  # family -> the study's metric, intervals for this number alone
    differences: Mapping[str, SubgroupDifference]  # `a - b` -> every pair of families


@dataclass(frozen=True, slots=True)
class FamilyResult:
    """One family's selected configuration on the sealed test."""

    family: str  # its name in the study
    seeds: int
    metrics: Mapping[str, Estimate]  # `ndcg@10` -> the estimate
    coverage: Mapping[str, float]  # `coverage@10` -> share of courses in any list
    novelty: Mapping[str, Estimate]  # `novelty@10` -> bits
    order: OrderControl | None  # None: the family can't see the order of a history
    details: Mapping[str, Any] = field(default_factory=dict)  # task -> what it records besides


@dataclass(frozen=True, slots=True)
class ConfirmationSummary:
    """The sealed test of one study, opened after the selection."""

    metric: str  # that the verdicts are on
    learners: int
    targets: int
    cold_targets: float  # share of targets on courses that training doesn't know
    level: float  # of the estimates' intervals, and of the verdicts' simultaneous ones
    smallest_effect: float
    families: tuple[FamilyResult, ...]
    verdicts: tuple[PairVerdict, ...]  # every pair of families
    subgroups: tuple[Subgroup, ...]
    openings: int  # how often this sealed test was opened, this time included
    searches: int  # whose selections are averaged; 1: the study's own
    best_possible: float | None = None
    cold: tuple[PairVerdict, ...] = ()  # arms of one family, on courses without events


class Steps(Schema):
    """Optimiser steps in the chosen number of epochs: epochs are kept, steps grow with the data."""

    folds: tuple[int, ...]
    refit: int


class ConfirmedFamily(Opened):
    """One family on the sealed test, over all seeds of all searches.

    Configuration, seeds and steps are those of the study's own search. What the study's task
    records besides stands under the task's name.
    """

    model_config = ConfigDict(extra="allow")

    seeds: tuple[int, ...]
    deterministic: bool  # trained once: its seeds are copies
    steps: Steps | None  # None: not trained by gradient
    metrics: Mapping[str, Estimate]  # `ndcg@10` -> over seeds and learners
    coverage: Mapping[str, float]  # `coverage@10` -> share of courses in any list, mean over seeds
    novelty: Mapping[str, Estimate]  # `novelty@10` -> bits
    order: OrderControl | None  # None: the family can't see the order of a history
    fit_seconds: float  # of one refit

    @property
    def details(self) -> Mapping[str, Any]:
        """Task -> what it records besides."""
        return self.__pydantic_extra__ or {}


class Confirmation(Schema):
    """`verdicts.json`: all that the sealed test said."""

    study: str
    metric: str
    verdicts: tuple[str, ...]  # every pair of families, in words
    smallest_effect: float
    level: float
    scope: Scope
    learners: int
    unit: Unit = later("learners")  # of which there are so many; what is resampled
    targets: int
    cold_targets: float  # share of targets on courses that training doesn't know
    best_possible: float | None = later(None)  # of the metric, where a simulator knows the truth
    window: Mapping[str, int]  # rule -> events of the test that it took out or marked
    openings: tuple[Opening, ...]
    families: Mapping[str, ConfirmedFamily]
    repeated: tuple[Mapping[str, Opened], ...] = ()  # selections of searches 2, 3, …
    pairs: tuple[PairVerdict, ...]
    cold: tuple[PairVerdict, ...] = later(())  # arms of one family, on courses without events
    subgroups: tuple[Subgroup, ...]
    dataset: str  # folder name of the prepared data
    fingerprint: str
    inputs: str  # digest of everything that decides these numbers; see `stages/confirm.py`
    environment: Mapping[str, Any]

    def summary(self) -> ConfirmationSummary:
        """The part that the report shows."""
        return ConfirmationSummary(
            metric=self.metric,
            learners=self.learners,
            targets=self.targets,
            cold_targets=self.cold_targets,
            level=self.level,
            smallest_effect=self.smallest_effect,
            families=tuple(
                FamilyResult(
                    family=name,
                    seeds=len(family.seeds),
                    metrics=family.metrics,
                    coverage=family.coverage,
                    novelty=family.novelty,
                    order=family.order,
                    details=family.details,
                )
                for name, family in self.families.items()
            ),
            verdicts=self.pairs,
            subgroups=self.subgroups,
            openings=len(self.openings),
            searches=1 + len(self.repeated),
            best_possible=self.best_possible,
            cold=self.cold,
        )
