"""Groups of learners by columns of theirs, and every metric in each of them."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from recsweep.config.schema import Experiment, span
from recsweep.data.arrays import changes
from recsweep.data.features.dated import NOTHING
from recsweep.data.features.fit import known_users
from recsweep.data.types import Dataset, Float64, Fold
from recsweep.evaluation.learner_groups import LearnerGroups, group_means, grouped, largest_gap
from recsweep.records.confirmation import GroupedLearners
from recsweep.stages.confirm.estimates import LEVEL, bounded


def groups_of_learners(
    fold: Fold, dataset: Dataset, experiment: Experiment
) -> dict[str, LearnerGroups]:
    """Column of `confirm.groups` -> the learners of a fold's window by it, each as the table knew
    them at their first target.
    """
    ask, targets, known = experiment.confirm, fold.validation, known_users(dataset)
    if not ask.groups:
        return {}
    rows = known.rows(targets.histories.user, targets.time[changes(targets.sequence)])
    cells = known.table[np.where(rows == NOTHING, 0, rows)].select(
        pl.when(pl.lit(pl.Series(rows != NOTHING))).then(column).alias(column)
        for column in ask.groups
    )
    return {column: grouped(cells[column], ask.smallest_group) for column in ask.groups}


def in_groups(
    tables: Mapping[str, Mapping[str, Float64]], groups: Mapping[str, LearnerGroups], smallest: int
) -> tuple[GroupedLearners, ...]:
    """Every metric in every group of each column.

    Args:
        tables: family -> metric -> (n_rows, n_learners).
        groups: column -> the same learners.
        smallest: learners of a group.
    """
    found = []
    for column, of in groups.items():
        means, gaps = {}, {}
        for family, table in tables.items():
            means[family] = {
                metric: {
                    name: bounded(mean, metric)
                    for name, mean in group_means(values, of, LEVEL).items()
                }
                for metric, values in table.items()
            }
            apart = {
                metric: largest_gap(values, of, LEVEL, span(metric))
                for metric, values in table.items()
            }
            gaps[family] = {metric: gap for metric, gap in apart.items() if gap is not None}
        found.append(
            GroupedLearners(
                column=column,
                learners={name: int(mask.sum()) for name, mask in of.members.items()},
                smallest_group=smallest,
                pooled=of.pooled,
                withheld=of.withheld,
                means=means,
                gaps=gaps,
            )
        )
    return tuple(found)
