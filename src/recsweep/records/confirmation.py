"""Schema of `verdicts.json`: the selected configurations on the sealed test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from recsweep.config.digest import json_sha256
from recsweep.config.schema import Decides, Schema, Unit, deciding, later
from recsweep.evaluation.learner_groups import Gap
from recsweep.evaluation.subgroups import SubgroupDifference
from recsweep.evaluation.verdict import PairVerdict, Scope
from recsweep.records.openings import Opened, Opening
from recsweep.records.study import Study


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds and learners, with an interval for this number alone."""

    mean: float
    lower: float
    upper: float


class Subgroup(Schema):
    """Part of the targets; intervals hold for all subgroups of a pair together."""

    name: str
    learners: int
    targets: int
    means: Mapping[str, Estimate]  # family -> the study's metric, intervals for this number alone
    differences: Mapping[str, SubgroupDifference]  # `a - b` -> every pair of families


class GroupedLearners(Schema):
    """Groups of learners by a column of `users`; intervals hold for all groups, or pairs of them,
    together.
    """

    column: str
    learners: Mapping[str, int]  # group -> of the test
    smallest_group: int
    pooled: tuple[str, ...]  # groups of fewer learners, together the last group
    withheld: int  # learners of those, where together they are too few as well
    # family -> metric -> group -> its mean
    means: Mapping[str, Mapping[str, Mapping[str, Estimate]]]
    # family -> metric -> the largest difference between two groups; empty: fewer than two
    gaps: Mapping[str, Mapping[str, Gap]]


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
    # `gini@10`, `long_tail@10`, … -> how its lists are, beyond hitting targets
    beyond: Mapping[str, Estimate] = later({})
    # `ndcg@10` -> the metric by inverse propensity, were courses taken as they are shown
    corrected: Mapping[str, Estimate] = later({})
    fit_seconds: float  # of one refit
    score_seconds: float | None = later(None)  # that it took to answer the whole test
    model_bytes: int | None = later(None)  # of its state

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
    groups: tuple[GroupedLearners, ...] = later(())  # one a column of `confirm.groups`
    dataset: str  # folder name of the prepared data
    fingerprint: str
    inputs: str  # digest of everything that decides these numbers: `confirmation_inputs`
    environment: Mapping[str, Any]
    # Not written: an ensemble was made since, or made anew.
    newer_ensemble: Annotated[bool, Field(exclude=True)] = False

    @property
    def searches(self) -> int:
        """Whose selections are averaged; 1: the study's own."""
        return 1 + len(self.repeated)


def confirmation_inputs(
    study: Study, selected: Mapping[str, Opened], repeated: Sequence[Mapping[str, Opened]]
) -> str:
    """Identity of a confirmation: data, configurations, seeds, and what is asked of them."""
    content = {
        "fingerprint": study.fingerprint,
        "experiment": deciding(study.experiment, Decides.CONFIRMATION),
        "selected": [
            {name: choice.model_dump(mode="json") for name, choice in found.items()}
            for found in (selected, *repeated)
        ],
    }
    return json_sha256(content)
