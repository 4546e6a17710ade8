"""Records of what characterises each group: courses, categories and tags, numbers."""

from typing import Any

import numpy as np
import polars as pl

from recsweep.config.schema import Experiment
from recsweep.data.descriptions import Numbers, Values, descriptions, distinct_pairs
from recsweep.data.features.dated import LABEL
from recsweep.data.features.fit import known_items
from recsweep.data.types import Dataset, Fold, Int64
from recsweep.evaluation.portrait.levels import levels
from recsweep.evaluation.portrait.lift import SUPPORT, Lifts, lifts
from recsweep.records.portrait import Cluster, CourseLift, Level, ValueLift

COURSES = 10
"""Courses that are kept of each group."""
VALUES = 10
LEVELS = 10


def characterise(
    dataset: Dataset, experiment: Experiment, fold: Fold, labels: Int64
) -> tuple[Cluster, ...]:
    """Describe each group of the fold's learners.

    Args:
        dataset: with the tables.
        experiment: says which columns they have.
        fold: whose histories are the learners'.
        labels: (n_learners,) group of each, from 0.
    """
    groups = int(labels.max()) + 1
    sizes = np.bincount(labels, minlength=groups)
    found = list(descriptions(dataset, experiment, fold))
    courses = _courses(dataset, fold, labels, groups)
    values = _values([f for f in found if isinstance(f, Values)], labels, groups)
    numbers = _levels([f for f in found if isinstance(f, Numbers)], labels, groups)
    return tuple(
        Cluster(
            cluster=group + 1,
            learners=int(sizes[group]),
            share=float(sizes[group] / len(labels)),
            courses=courses[group],
            values=values[group],
            levels=numbers[group],
        )
        for group in range(groups)
    )


def _courses(
    dataset: Dataset, fold: Fold, labels: Int64, groups: int
) -> list[tuple[CourseLift, ...]]:
    learner, item = distinct_pairs(fold.validation.histories)
    found = lifts(learner, item, fold.n_items, labels, groups, np.arange(len(labels)))
    ids = known_items(dataset).ids
    names = pl.Series([None] * len(ids), dtype=pl.String)
    if dataset.items is not None and LABEL in dataset.items.columns:
        names = dataset.items[LABEL]

    def course(group: int, place: int) -> CourseLift:
        code = int(fold.items[place])  # of a course with events: the log's own
        return CourseLift(id=str(ids[code]), label=names[code], **_lifted(found, group, place))

    return [tuple(course(g, int(p)) for p in found.top(g, COURSES)) for g in range(groups)]


def _values(columns: list[Values], labels: Int64, groups: int) -> list[tuple[ValueLift, ...]]:
    counted = [(c, lifts(c.owner, c.value, len(c.names), labels, groups, c.known)) for c in columns]

    def of_group(group: int) -> tuple[ValueLift, ...]:
        every = [
            ValueLift(
                table=c.table,
                column=c.column,
                value=c.names[place],
                **_lifted(found, group, int(place)),
            )
            for c, found in counted
            for place in found.top(group, VALUES)
        ]
        return tuple(sorted(every, key=lambda v: (-v.lift, -v.learners))[:VALUES])

    return [of_group(group) for group in range(groups)]


def _levels(columns: list[Numbers], labels: Int64, groups: int) -> list[tuple[Level, ...]]:
    found = [(c, levels(c.value, labels, groups)) for c in columns]

    def of_group(group: int) -> tuple[Level, ...]:
        every = [
            Level(
                table=column.table,
                column=column.column,
                learners=int(level.known[group]),
                mean=float(level.mean[group]),
                overall=level.overall,
                standardised=float(level.standardised[group]),
            )
            for column, level in found
            if level.known[group] >= SUPPORT  # fewer would be told of as persons
        ]
        return tuple(sorted(every, key=lambda v: -abs(v.standardised))[:LEVELS])

    return [of_group(group) for group in range(groups)]


def _lifted(found: Lifts, group: int, place: int) -> dict[str, Any]:
    return {
        "learners": int(found.counts[group, place]),
        "share": float(found.share[group, place]),
        "overall": float(found.overall[place]),
        "lift": float(found.lift[group, place]),
    }
