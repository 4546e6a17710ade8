"""`bundle.json`: all of a bundle that people read, and the digests of its other files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from recsweep.config.schema import Experiment, Schema, Unit, later
from recsweep.config.values import RecordedConfiguration
from recsweep.evaluation.probability import Calibrator
from recsweep.evaluation.verdict import PairVerdict, Scope

FORMAT = 1
NAME = "bundle.json"
WEIGHTS = "weights.safetensors"
ARRAYS = "arrays.safetensors"
COURSES = "courses.parquet"
CARD = "README.md"
BEST = "best.yaml"
"""The study's file of the configuration as it was. Beside it lies its `verdicts.json`, if any."""

Until = Literal["everything", "development"]
"""What it was fitted on: with the sealed test, or without it."""


@dataclass(frozen=True, slots=True)
class Score:
    """A mean over seeds and learners with an interval for this number alone."""

    mean: float
    lower: float
    upper: float


class Evidence(Schema):
    """What the study's sealed test said, before this model was fitted."""

    metric: str
    learners: int
    unit: Unit
    targets: int
    level: float
    smallest_effect: float
    scope: Scope
    openings: int  # how often the test had been opened
    scores: Mapping[str, Score]  # family -> the metric
    pairs: tuple[PairVerdict, ...]  # those that the family is one of
    caveats: tuple[str, ...] = later(())  # what keeps scores from meaning what they seem to
    groups: tuple[str, ...] = later(())  # columns of learners by which gaps were measured


class Fitted(Schema):
    """What was learned from."""

    until: Until
    end: int  # microseconds since 1970 UTC; everything learned from happened before
    learners: int
    events: int
    dataset: str  # folder name of the prepared data
    fingerprint: str  # of the prepared data
    raw: Mapping[str, str]  # raw file -> sha256


class Selected(Schema):
    """How the configuration was found."""

    trial: str
    rule: str
    metric: str
    value: float  # mean over folds
    folds: tuple[float, ...]
    trials: int | None  # of its family, that ran; None: an ensemble of several, or not known


class Columns(Schema):
    """What an answer is made from, and the fitted columns (`data/features/stored.py`)."""

    learners: tuple[str, ...]  # declared column of each number
    courses: tuple[str, ...]
    course_names: tuple[str, ...]  # of each number
    events: tuple[str, ...]
    inputs: tuple[str, ...]  # of an example, where the task has labels
    learner_parts: tuple[Mapping[str, Any], ...]
    learner_kept: tuple[bool, ...]
    event_parts: Mapping[str, Any] | None


class File(Schema):
    """Another file of the bundle."""

    bytes: int
    sha256: str


class BundleFile(Schema):
    """The keys of `bundle.json`."""

    format: int
    study: str
    family: str  # its name in the study
    kind: str  # its name in the registry
    task: str
    config: RecordedConfiguration
    epochs: int
    seed: int
    fitted: Fitted
    courses: int  # that can be recommended
    cold_courses: int  # the last so many of them have no event
    kinds: tuple[int, ...]  # event types that training holds
    columns: Columns
    calibrator: Calibrator
    selected: Selected
    evidence: Evidence | None  # None: nothing was confirmed
    licence: str  # of the data, as far as it was told
    experiment: Experiment
    environment: Mapping[str, Any]  # code, packages, hardware, engine
    files: Mapping[str, File]


def bundle_schema() -> str:
    """Its JSON Schema, the content of `docs/bundle.schema.json`."""
    return json.dumps(BundleFile.model_json_schema(), indent=1) + "\n"
