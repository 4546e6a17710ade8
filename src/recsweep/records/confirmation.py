"""What the sealed test said of the selected configurations, as the report shows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from recsweep.evaluation.verdict import PairVerdict


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds and learners, with an interval for this number alone."""

    mean: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class FamilyResult:
    """One family's selected configuration on the sealed test."""

    family: str  # its name in the study
    seeds: int
    metrics: Mapping[str, Estimate]  # `ndcg@10` -> the estimate


@dataclass(frozen=True, slots=True)
class ConfirmationSummary:
    """The sealed test of one study, opened after the selection."""

    metric: str  # that the verdicts are on
    learners: int
    level: float  # of the estimates' intervals, and of the verdicts' simultaneous ones
    families: tuple[FamilyResult, ...]
    verdicts: tuple[PairVerdict, ...]  # every pair of families
    openings: int  # how often this sealed test was opened, this time included
