"""A backtest as a file: what retraining, and searching again, would have gained step by step."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from recsweep.config.schema import Schema
from recsweep.config.values import RecordedConfiguration
from recsweep.evaluation.verdict import PairVerdict
from recsweep.records.checked import read_record

Arm = Literal["never", "refit", "search"]
"""What is done at every step: nothing; the same configuration is trained again on all data up to
then; configurations are searched again on all data up to then, and the best is trained."""


class Step(Schema):
    """One window, and every arm's mean score in it."""

    number: int  # of its window, from 0

    start: int  # microseconds since 1970 UTC
    end: int
    learners: int
    targets: int
    unknown: int  # targets that a model which is never refitted can't answer: it counts as worst
    scores: Mapping[Arm, float]  # over seeds, a learner's targets, learners
    pairs: tuple[PairVerdict, ...]  # adjusted for all steps as well
    found: RecordedConfiguration | None = None  # what searching again chose
    epochs: int | None = None  # to train it for


class Backtest(Schema):
    """One best configuration over the sealed test's period."""

    study: str
    family: str  # its name in the study
    kind: str  # its name in the registry
    trial: str
    config: RecordedConfiguration
    metric: str
    unit: str  # what is resampled
    every: str  # 12h, 7d, 2w
    trials: int | None  # of every search; None: nothing was searched
    seeds: tuple[int, ...]
    level: float
    smallest_effect: float
    steps: tuple[Step, ...]
    empty: int  # windows in which nothing could be asked
    learners: int
    targets: int
    left_out: int  # targets that not every arm can answer, of a metric without a worst value
    scores: Mapping[Arm, float]
    pairs: tuple[PairVerdict, ...]  # over all steps together
    fit_seconds: Mapping[Arm, float]  # mean of one refit
    search_seconds: float | None  # of all searches' trials
    dataset: str
    fingerprint: str
    inputs: str  # identity of all that decides a number
    environment: Mapping[str, Any]


def backtest_path(folder: Path, family: str, every: str) -> Path:
    """`backtest/gru-7d.json` in the folder of its study; its page lies beside it."""
    return folder / "backtest" / f"{family}-{every}.json"


def read_backtest(path: Path) -> Backtest | None:
    """Read it; None: there is none.

    Raises:
        BadInput: it can't be read, or was changed since it was written.
    """
    try:
        return read_record(Backtest, path, "move it away and run recsweep backtest again")
    except FileNotFoundError:
        return None
