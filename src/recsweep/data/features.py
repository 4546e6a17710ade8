"""Turning declared columns of users and items into numbers, fitted before a fold's cut only.

Categories and tags become 0/1 columns: one for each of the `MOST` most frequent values in
training, one for all rarer ones together. Missing values and values that training does not know
are all zeros. Numbers are standardised by training's mean and deviation and cut off at `FAR`
deviations; a missing one is 0, and where training has missing ones a column says so. A column that
is the same for every row of training is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsweep.config.files import nearest
from recsweep.config.schema import FeatureTable
from recsweep.data.types import Dataset, Float32, Int32
from recsweep.errors import BadInput

ID = "_id"
LABEL = "_label"
RESERVED = (ID, LABEL)
"""Columns of a prepared table that are no features."""

MOST = 50
FAR = 10.0


@dataclass(frozen=True, slots=True)
class Values:
    """A column of categories or tags."""

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
        places = [*range(len(self.own)), *[len(self.own)] * len(self.rest)]
        if not places:
            return matrix
        row, value = _long(cells)
        place = value.replace_strict(
            [*self.own, *self.rest], places, default=None, return_dtype=pl.Int32
        )
        known = place.is_not_null()
        matrix[row.filter(known).to_numpy(), place.filter(known).to_numpy()] = 1
        return matrix


@dataclass(frozen=True, slots=True)
class Scale:
    """A column of numbers."""

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
        scaled = (value - self.mean) / self.deviation
        scaled = np.clip(np.where(missing, 0, scaled), -FAR, FAR)
        return np.stack((scaled, missing), axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class TableEncoder:
    """The encoded columns of one table; `kept` marks those that vary in training."""

    table: pl.DataFrame = field(repr=False)  # row = code
    parts: tuple[Values | Scale, ...]
    kept: NDArray[np.bool_]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns that `encode` yields."""
        names = [name for part in self.parts for name in part.names]
        return tuple(name for name, kept in zip(names, self.kept, strict=True) if kept)

    def encode(self, codes: Int32) -> Float32:
        """(n_codes, n_names), finite."""
        return np.ascontiguousarray(_matrix(self.table, self.parts, codes)[:, self.kept])


@dataclass(frozen=True, slots=True)
class Encoder:
    """Fitted features of users and items; encodes any code of the data set."""

    of_users: TableEncoder
    of_items: TableEncoder

    def users(self, codes: Int32) -> Float32:
        """(n_codes, n_user_features)."""
        return self.of_users.encode(codes)

    def items(self, codes: Int32) -> Float32:
        """(n_codes, n_item_features)."""
        return self.of_items.encode(codes)


def fit_features(
    dataset: Dataset, names: Sequence[str] | None, users: Int32, items: Int32
) -> Encoder:
    """Fit on the `users` and `items` (codes) that have an event before the fold's cut.

    `names` are declared columns of either table; None takes all.

    Raises:
        BadInput: a name that is not declared.
    """
    tables = [dataset.users, dataset.items]
    declared = [
        [c for c in t.columns if c not in RESERVED] if t is not None else [] for t in tables
    ]
    check_names(names, [column for columns in declared for column in columns])
    encoders = [
        _fit(table, [c for c in columns if names is None or c in names], codes)
        for table, columns, codes in zip(tables, declared, (users, items), strict=True)
    ]
    return Encoder(*encoders)


def declared_names(*tables: FeatureTable | None) -> list[str]:
    """The feature columns that an experiment declares."""
    return [c for t in tables if t is not None for c in (*t.categorical, *t.numeric, *t.tags)]


def check_names(names: Sequence[str] | None, declared: Sequence[str]) -> None:
    """Check the key `features` of an experiment.

    Raises:
        BadInput: a name that is not declared, with the nearest that is.
    """
    for name in names or ():
        if name not in declared:
            hint = nearest(name, declared) if declared else "; the data declares no features"
            raise BadInput(f"features: {name!r} is no declared column of users or items{hint}")


def _fit(table: pl.DataFrame | None, columns: Sequence[str], codes: Int32) -> TableEncoder:
    if table is None or len(codes) == 0:
        return TableEncoder(pl.DataFrame(), (), np.zeros(0, bool))
    table = table.select(columns)
    parts = tuple(_fit_column(table[column].gather(codes)) for column in columns)
    matrix = _matrix(table, parts, codes)
    return TableEncoder(table, parts, matrix.min(axis=0) != matrix.max(axis=0))


def _fit_column(cells: pl.Series) -> Values | Scale:
    if cells.dtype.is_numeric():
        number = cells.cast(pl.Float64).drop_nulls().to_numpy()
        with np.errstate(over="ignore", invalid="ignore"):
            mean, deviation = (number.mean(), number.std()) if len(number) else (0.0, 1.0)
        return Scale(cells.name, float(mean), float(deviation) or 1.0)
    value = _long(cells)[1]
    frequency = (
        value.alias("value")
        .value_counts(name="rows")
        .sort(["rows", "value"], descending=[True, False])["value"]
        .to_list()
    )
    return Values(cells.name, tuple(frequency[:MOST]), tuple(frequency[MOST:]))


def _matrix(table: pl.DataFrame, parts: Sequence[Values | Scale], codes: Int32) -> Float32:
    encoded = [part.encode(table[part.column].gather(codes)) for part in parts]
    return np.concatenate((np.zeros((len(codes), 0), np.float32), *encoded), axis=1)


def _long(cells: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Row and value of every single category or tag; missing ones left out."""
    frame = pl.DataFrame({"value": cells}).with_row_index("row")
    if isinstance(cells.dtype, pl.List):
        frame = frame.explode("value")
    frame = frame.drop_nulls()
    return frame["row"], frame["value"]
