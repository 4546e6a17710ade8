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
    Data,
    EventTable,
    FeatureTable,
    Package,
    SessionTable,
    SimulatorSettings,
    Table,
    TimeLimits,
)
from recsweep.config.schema.experiment import Experiment
from recsweep.config.schema.metric import Metric, goodness, lower_is_better
from recsweep.config.schema.numbers import NumberStyle
from recsweep.config.schema.question import Folds, Purchase, Targets, Text
from recsweep.config.schema.search import Arm, Budget, Resources, Stopping, Tracking

__all__ = [
    "DWELL",
    "EVENT_FEATURES",
    "GAP",
    "TYPE",
    "UNITS",
    "Arm",
    "Budget",
    "Data",
    "EventTable",
    "EventType",
    "Experiment",
    "FeatureTable",
    "Folds",
    "Metric",
    "NumberStyle",
    "Package",
    "Purchase",
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
    "goodness",
    "later",
    "lower_is_better",
]
