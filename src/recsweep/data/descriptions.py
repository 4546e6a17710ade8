"""Descriptions of learners by what the data say of them: every declared column of either table.

Not only the columns that models use. A learner's own columns are as they were known at the cut; a
column of courses describes a learner by the courses of the history.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from recsweep.config.schema import Experiment
from recsweep.data.features.dated import NOTHING, DatedTable
from recsweep.data.features.fit import known_items, known_users
from recsweep.data.types import KINDS, Dataset, Float64, Fold, Int64, Sequences

DescribedTable = Literal["courses", "learners", "history"]


@dataclass(frozen=True, slots=True)
class Values:
    """A column of categories or tags: who has which."""

    table: DescribedTable
    column: str
    names: tuple[str, ...]  # in alphabetical order
    owner: Int64  # (n_pairs,) a learner
    value: Int64  # (n_pairs,) a value that the learner has; a position in `names`
    known: Int64  # learners of whom anything is known


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers."""

    table: DescribedTable
    column: str
    value: Float64  # (n_learners,) nan: not known


def descriptions(
    dataset: Dataset, experiment: Experiment, fold: Fold
) -> Iterator[Values | Numbers]:
    """Every column that tells something of the learners of the fold's histories.

    Categories, tags and numbers of the learners' table; those of the courses' table, where a
    learner has what any course of the history has, and the mean of its events' numbers; the
    history's length, and its events by type where there are several. Text is left out.
    """
    histories, data = fold.validation.histories, experiment.data
    learners = np.arange(len(histories))
    if data.users is not None:
        users = known_users(dataset)
        cells = users.table[_rows(users, histories.user, fold.cut)]
        for column in (*data.users.categorical, *data.users.tags):
            yield _values("learners", cells[column], learners, learners)
        for column in data.users.numeric:
            yield Numbers("learners", column, _number(cells[column]))
    event_of = np.repeat(learners, np.diff(histories.offsets))
    if data.items is not None:
        items = known_items(dataset)
        cells = items.table[_rows(items, fold.items, fold.cut)]
        for column in (*data.items.categorical, *data.items.tags):
            yield _values("courses", cells[column], *distinct_pairs(histories))
        for column in data.items.numeric:
            of_event = _number(cells[column])[histories.item]
            yield Numbers("courses", column, _mean(of_event, event_of, len(histories)))
    yield Numbers("history", "events", np.diff(histories.offsets).astype(np.float64))
    kinds = np.unique(histories.kind)
    for kind in kinds if len(kinds) > 1 else ():
        mine = event_of[histories.kind == kind]
        count = np.bincount(mine, minlength=len(histories))
        yield Numbers("history", KINDS[kind], count.astype(np.float64))


def distinct_pairs(histories: Sequences) -> tuple[Int64, Int64]:
    """Every (learner, item of the history) once."""
    owner = np.repeat(np.arange(len(histories)), np.diff(histories.offsets))
    width = int(histories.item.max(initial=-1)) + 1
    learner, item = np.divmod(np.unique(owner * width + histories.item), max(width, 1))
    return learner, item


def _rows(known: DatedTable, codes: np.ndarray, at: int) -> pl.Series:
    """Rows of the table, null where nothing was known then."""
    rows = pl.Series(known.rows(codes, at))
    return rows.set(rows == NOTHING, None)


def _values(table: DescribedTable, cells: pl.Series, owner: Int64, row: Int64) -> Values:
    """Who has what: `owner` has the values of the cell at `row`, pair by pair."""
    cell = pl.DataFrame({"row": np.arange(len(cells)), "value": cells})
    if isinstance(cells.dtype, pl.List):
        cell = cell.explode("value")
    cell = cell.drop_nulls().with_columns(code=pl.col("value").rank("dense").cast(pl.Int64) - 1)
    pairs = pl.DataFrame({"owner": owner, "row": row}).join(cell, on="row")
    pairs = pairs.select("owner", "code").unique().sort("owner", "code")
    holders = pairs["owner"].to_numpy()
    return Values(
        table,
        cells.name,
        tuple(cell["value"].unique().sort()),
        holders,
        pairs["code"].to_numpy(),
        np.unique(holders),
    )


def _number(cells: pl.Series) -> Float64:
    return cells.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _mean(of_event: Float64, event_of: Int64, n: int) -> Float64:
    """(n,) mean of each learner's known numbers; nan where none is known."""
    there = np.isfinite(of_event)
    count = np.bincount(event_of[there], minlength=n)
    total = np.bincount(event_of[there], weights=of_event[there], minlength=n)
    with np.errstate(invalid="ignore"):
        mean: Float64 = total / count
    return mean
