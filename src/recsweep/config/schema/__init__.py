"""Typed schemas of an experiment file: every key of `experiments/*.yaml` is declared here once."""

from recsweep.config.schema.base import (
    DWELL,
    EVENT_FEATURES,
    GAP,
    TYPE,
    UNITS,
    EventType,
    Loss,
    Schema,
    Unit,
    later,
)
from recsweep.config.schema.data import Data, TimeLimits
from recsweep.config.schema.decides import ANSWERS, Decides, deciding, declared
from recsweep.config.schema.event_table import NO_VALUE, EventTable
from recsweep.config.schema.experiment import Experiment
from recsweep.config.schema.feature_table import FeatureTable
from recsweep.config.schema.metric import (
    Metric,
    goodness,
    is_additive,
    lower_is_better,
    span,
    within_bounds,
    written,
)
from recsweep.config.schema.numbers import NumberStyle
from recsweep.config.schema.question import Folds, Targets, Text
from recsweep.config.schema.search import (
    FRONT_ENDS,
    Arm,
    Budget,
    Cost,
    Energy,
    Limits,
    Resources,
    SelectionRule,
    Stopping,
    Tracking,
)
from recsweep.config.schema.session_table import SessionTable
from recsweep.config.schema.simulator import SimulatorSettings
from recsweep.config.schema.tables import Package, Table
from recsweep.config.schema.task import (
    NEXT_ITEM,
    PURCHASE,
    TEXT,
    UPLIFT,
    MetricKind,
    Question,
    part_of_task,
    question_of,
    settings_of_tasks,
    task_packages,
)
from recsweep.config.schema.text_table import TextTable, WordVectors
from recsweep.config.schema.treatment import Treatment

__all__ = [
    "ANSWERS",
    "DWELL",
    "EVENT_FEATURES",
    "FRONT_ENDS",
    "GAP",
    "NEXT_ITEM",
    "NO_VALUE",
    "PURCHASE",
    "TEXT",
    "TYPE",
    "UNITS",
    "UPLIFT",
    "Arm",
    "Budget",
    "Cost",
    "Data",
    "Decides",
    "Energy",
    "EventTable",
    "EventType",
    "Experiment",
    "FeatureTable",
    "Folds",
    "Limits",
    "Loss",
    "Metric",
    "MetricKind",
    "NumberStyle",
    "Package",
    "Question",
    "Resources",
    "Schema",
    "SelectionRule",
    "SessionTable",
    "SimulatorSettings",
    "Stopping",
    "Table",
    "Targets",
    "Text",
    "TextTable",
    "TimeLimits",
    "Tracking",
    "Treatment",
    "Unit",
    "WordVectors",
    "deciding",
    "declared",
    "goodness",
    "is_additive",
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
