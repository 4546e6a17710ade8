"""What a search took of earlier studies before its first trial."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter

from recsweep.config.values import Value


@dataclass(frozen=True, slots=True)
class EarlierTrial:
    """Of an earlier study, with a configuration from this study's space."""

    id: str  # in its own study
    state: Literal["complete", "pruned"]
    params: Mapping[str, Value]  # without the fixed values
    values: Mapping[int, float]  # epoch -> its value, on the earlier study's folds


@dataclass(frozen=True, slots=True)
class EarlierStudy:
    """One that `warm_start` names, and its trials of one family."""

    folder: str  # as the experiment names it
    fingerprint: str  # of its prepared data
    left_out: int  # trials whose configuration this study's space doesn't hold
    trials: tuple[EarlierTrial, ...]


EARLIER = TypeAdapter(tuple[EarlierStudy, ...])
"""A family's earlier studies as JSON has them."""

Earlier = Mapping[str, tuple[EarlierStudy, ...]]
"""Tuned family -> the studies that it begins with."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a study took of one earlier study; in `study.json`."""

    study: str  # its folder, as the experiment names it
    fingerprint: str
    trials: dict[str, int]  # tuned family -> how many
    left_out: dict[str, int]  # outside of this study's space


TAKEN = TypeAdapter(tuple[Taken, ...])


def summed_up(earlier: Earlier) -> tuple[Taken, ...]:
    """By study in place of by family."""
    found: dict[str, Taken] = {}
    for family, studies in earlier.items():
        for study in studies:
            taken = found.setdefault(study.folder, Taken(study.folder, study.fingerprint, {}, {}))
            taken.trials[family] = len(study.trials)
            taken.left_out[family] = study.left_out
    return tuple(found.values())
