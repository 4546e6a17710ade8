"""Typed schemas of an experiment file: every key of `experiments/*.yaml` is declared here once."""

from recsweep.config.schema.base import (
    DWELL,
    EVENT_FEATURES,
    GAP,
    TYPE,
    UNITS,
    EventType,
    Schema,
    Unit,
    later,
)
from recsweep.config.schema.data import (
    NO_VALUE,
    Data,
    EventTable,
    FeatureTable,
    Package,
    SessionTable,
    SimulatorSettings,
    Table,
    TimeLimits,
)
from recsweep.config.schema.decides import ANSWERS, Decides, deciding, declared
from recsweep.config.schema.experiment import Experiment
from recsweep.config.schema.metric import (
    Metric,
    goodness,
    lower_is_better,
    span,
    within_bounds,
    written,
)
from recsweep.config.schema.numbers import NumberStyle
from recsweep.config.schema.question import Folds, Targets, Text
from recsweep.config.schema.search import Arm, Budget, Resources, Stopping, Tracking
from recsweep.config.schema.task import (
    MetricKind,
    Question,
    part_of_task,
    question_of,
    settings_of_tasks,
    task_packages,
)

__all__ = [
    "ANSWERS",
    "DWELL",
    "EVENT_FEATURES",
    "GAP",
    "NO_VALUE",
    "TYPE",
    "UNITS",
    "Arm",
    "Budget",
    "Data",
    "Decides",
    "EventTable",
    "EventType",
    "Experiment",
    "FeatureTable",
    "Folds",
    "Metric",
    "MetricKind",
    "NumberStyle",
    "Package",
    "Question",
    "Resources",
    "Schema",
    "SessionTable",
    "SimulatorSettings",
    "Stopping",
    "Table",
    "Targets",
    "Text",
    "TimeLimits",
    "Tracking",
    "Unit",
    "deciding",
    "declared",
    "goodness",
    "later",
    "lower_is_better",
    "part_of_task",
    "question_of",
    "settings_of_tasks",
    "span",
    "task_packages",
    "within_bounds",
    "written",
]
