"""One declared column as numbers, fitted on training's cells alone.

scikit-learn is imported where it works: a sweep's workers get columns that are fitted.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from recsweep.data.types import Float32

MOST = 50
FAR = 10.0


@dataclass(frozen=True, slots=True)
class Values:
    """A column of categories or tags: a 0/1 column for each of the `MOST` most frequent values of
    training, one for all rarer ones together. Missing and unknown values are all zeros.
    """

    column: str
    own: tuple[str, ...]  # the most frequent, each with a column of its own
    rest: tuple[str, ...]  # known to training, rarer

    @property
    def names(self) -> list[str]:
        """Names of the encoded columns."""
        rest = [f"{self.column} ({len(self.rest)} rarer)"] if self.rest else []
        return [f"{self.column}={value}" for value in self.own] + rest

    def encode(self, cells: pl.Series) -> Float32:
        """(n, n_names) zeros and ones."""
        matrix = np.zeros((len(cells), len(self.names)), np.float32)
        if self.own and len(cells):
            row, value = _indicators(cells, [*self.own, *self.rest]).nonzero()
            matrix[row, np.minimum(value, len(self.own))] = 1
        return matrix


@dataclass(frozen=True, slots=True)
class Scale:
    """A column of numbers, standardised by training's mean and deviation and cut off at `FAR`
    deviations. A missing one is 0, and a second column says so.
    """

    column: str
    mean: float
    deviation: float

    @property
    def names(self) -> list[str]:
        """Names of the encoded columns."""
        return [self.column, f"{self.column} missing"]

    def encode(self, cells: pl.Series) -> Float32:
        """(n, 2): the standardised number, and whether it is missing."""
        value = cells.cast(pl.Float64).to_numpy()
        missing = np.isnan(value)
        value = (value - self.mean) / self.deviation
        scaled = np.clip(np.where(missing, 0, value), -FAR, FAR)
        return np.stack((scaled, missing), axis=1).astype(np.float32)


def fit_values(cells: pl.Series) -> Values:
    """Fit a column of categories (String) or tags (List[String])."""
    frame = pl.DataFrame({"value": cells})
    if isinstance(cells.dtype, pl.List):
        frame = frame.explode("value")
    frequency = (
        frame.drop_nulls()["value"]
        .value_counts(name="rows")
        .sort(["rows", "value"], descending=[True, False])["value"]
        .to_list()
    )
    return Values(cells.name, tuple(frequency[:MOST]), tuple(frequency[MOST:]))


def fit_scale(cells: pl.Series) -> Scale:
    """Fit a column of numbers."""
    from sklearn.preprocessing import StandardScaler

    number = cells.cast(pl.Float64).drop_nulls().to_numpy()
    if not len(number):
        return Scale(cells.name, 0.0, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        scaler = StandardScaler().fit(number[:, None])
    return Scale(cells.name, float(scaler.mean_[0]), float(scaler.scale_[0]))


def _indicators(cells: pl.Series, known: list[str]) -> Any:
    """(n, n_known) sparse zeros and ones."""
    from sklearn.preprocessing import MultiLabelBinarizer, OneHotEncoder

    if isinstance(cells.dtype, pl.List):
        tags = [row or () for row in cells.to_list()]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # says which values are unknown
            return MultiLabelBinarizer(classes=known, sparse_output=True).fit(()).transform(tags)
    one_hot = OneHotEncoder(categories=[known], handle_unknown="ignore")
    example = np.array([known[:1]], object)
    return one_hot.fit(example).transform(cells.to_numpy().astype(object)[:, None])
