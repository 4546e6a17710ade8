"""What courses are about, and what that says of a list: its diversity, and its calibration."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix, diags

from recsweep.config.schema import Experiment
from recsweep.data.features.dated import NOTHING
from recsweep.data.features.fit import known_items
from recsweep.data.types import Dataset, Float64, Fold, Int64

SMOOTHING = 0.01
"""Steck's α: a list counts as if so much of it were as the history is."""
PLACES = 1 << 22
"""Cells of (lists, places, categories) that are held at once."""


@dataclass(frozen=True, slots=True)
class Categories:
    """Which of the categories each course of a catalogue has."""

    of_item: csr_matrix  # (n_items, n_categories), 1 or nothing

    @property
    def shares(self) -> csr_matrix:
        """(n_items, n_categories) p(category | course): alike for all that a course has."""
        count = np.asarray(self.of_item.sum(axis=1)).ravel()
        return diags(1 / np.maximum(count, 1)) @ self.of_item

    def diversity(self, items: Int64, filled: Int64) -> Float64:
        """(n_lists,) mean distance of two courses of a list: 1 less the share of their categories
        that both have (Jaccard); courses without any are alike. A list of one has 0.

        Args:
            items: (n_lists, k).
            filled: (n_lists,) places in use.
        """
        n, k = items.shape
        found, step = np.zeros(n), max(1, PLACES // max(1, k * self.of_item.shape[1]))
        for first in range(0, n, step):
            of = slice(first, min(first + step, n))
            has = self.of_item[items[of].ravel()].toarray().reshape(*items[of].shape, -1)
            both = np.einsum("qic,qjc->qij", has, has)
            size = has.sum(axis=2)
            either = size[:, :, None] + size[:, None] - both
            distance = 1 - np.divide(both, either, out=np.ones_like(both), where=either > 0)
            used = np.arange(k) < filled[of, None]
            pairs = used[:, :, None] & used[:, None] & ~np.eye(k, dtype=bool)
            count = pairs.sum(axis=(1, 2))
            found[of] = (distance * pairs).sum(axis=(1, 2)) / np.maximum(count, 1)
        return found

    def miscalibration(self, lists: csr_matrix, histories: csr_matrix) -> Float64:
        """(n_lists,) Kullback-Leibler divergence, in bits, of a list's categories from those of the
        history (Steck 2018, RecSys, eq. 3-5); 0: the same. Without categories in the history, 0.

        Args:
            lists: (n_lists, n_items) 1 for each course of a list.
            histories: (n_lists, n_items) events of the history on each course.
        """
        p, q = (_distribution(rows, self.shares) for rows in (histories, lists))
        q = (1 - SMOOTHING) * q + SMOOTHING * p
        ratio = np.divide(p, q, out=np.ones_like(p), where=p > 0)
        divergence: Float64 = (p * np.log2(ratio)).sum(axis=1)
        return divergence


def _distribution(rows: csr_matrix, shares: csr_matrix) -> Float64:
    """(n_lists, n_categories), each row summing to 1 where anything is known."""
    found = (rows @ shares).toarray()
    total = found.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(found, total, out=np.zeros_like(found), where=total > 0))


def categories_of(fold: Fold, dataset: Dataset, experiment: Experiment) -> Categories | None:
    """The tags of the fold's courses, as known at its cut; without tags, the columns of
    categories. None: the course table has neither.
    """
    table = experiment.data.items
    columns = () if table is None else tuple(table.tags) or table.categorical
    known = known_items(dataset)
    columns = tuple(c for c in columns if c in known.table.columns)
    if not columns:
        return None
    rows = known.rows(fold.items, fold.cut)
    cells = known.table[np.where(rows == NOTHING, 0, rows)].select(columns)
    pairs = []
    for column in columns:
        frame = pl.DataFrame({"item": np.arange(fold.n_items), "value": cells[column]})
        frame = frame.filter(pl.Series(rows != NOTHING))
        if isinstance(cells[column].dtype, pl.List):
            frame = frame.explode("value")
        named = pl.format(column + "={}", pl.col("value").cast(pl.String))
        pairs.append(frame.drop_nulls().select("item", value=named))
    whole = pl.concat(pairs).unique().sort("item", "value")
    code = whole["value"].rank("dense").cast(pl.Int64).to_numpy() - 1
    shape = (fold.n_items, int(code.max(initial=-1)) + 1)
    ones = np.ones(len(whole))
    return Categories(csr_matrix((ones, (whole["item"].to_numpy(), code)), shape))
