"""The features of a fold: learners' and courses' tables together."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from recsweep.config.files import nearest
from recsweep.config.schema import EVENT_FEATURES, FeatureTable, Text
from recsweep.data.features.dated import ID, DatedTable, known_of
from recsweep.data.features.events import EventEncoder
from recsweep.data.features.table import EncodedTable, TableEncoder, fit_table
from recsweep.data.types import Dataset, Events, Float32, Int32, Int64
from recsweep.errors import BadInput


@dataclass(frozen=True, slots=True)
class Encoder:
    """Fitted features of users and items, any code as it was known at a time; and of events."""

    of_users: TableEncoder
    of_items: TableEncoder | EncodedTable
    cut: int  # microseconds since 1970 UTC; the time that is meant where none is given
    of_events: EventEncoder = field(default_factory=EventEncoder)

    def users(self, codes: Int32, at: int | Int64 | None = None) -> Float32:
        """(n_codes, n_user_features)."""
        return self.of_users.encode(codes, self.cut if at is None else at)

    def items(self, codes: Int32, at: int | Int64 | None = None) -> Float32:
        """(n_codes, n_item_features)."""
        return self.of_items.encode(codes, self.cut if at is None else at)

    def events(self, events: Events, end: int) -> Float32 | None:
        """(n_events, n_event_features) as `EventEncoder.encode` has them."""
        return self.of_events.encode(events, end)


def fit_features(
    dataset: Dataset,
    names: Sequence[str] | None,
    users: Int32,
    items: Int32,
    *,
    cut: int = 0,
    texts: Sequence[str] = (),
    text: Text | None = None,
) -> Encoder:
    """Fit on the `users` and `items` (codes) that have an event before the fold's cut.

    Args:
        dataset: with the tables.
        names: declared columns of either table; None takes all.
        users: of training.
        items: of training.
        cut: microseconds since 1970 UTC; rows that are valid only later have no say.
        texts: the columns that are text.
        text: how text becomes numbers.

    Raises:
        BadInput: a name that is not declared, or a text model that can't be used.
    """
    tables = [known_users(dataset), known_items(dataset)]
    declared = [known.table.columns for known in tables]
    check_names(names, [column for columns in declared for column in columns])
    of_users, of_items = (
        fit_table(
            known, [c for c in columns if names is None or c in names], codes, cut, texts, text
        )
        for known, columns, codes in zip(tables, declared, (users, items), strict=True)
    )
    return Encoder(of_users, of_items, cut)


def known_users(dataset: Dataset) -> DatedTable:
    """What is known of learners."""
    return _known(dataset.users, dataset.user_rows, dataset.n_users)


def known_items(dataset: Dataset) -> DatedTable:
    """What is known of courses, those included that only the table has."""
    return _known(dataset.items, dataset.item_rows, dataset.n_items)


def declared_names(*tables: FeatureTable | None) -> list[str]:
    """The feature columns that an experiment declares."""
    return [
        c for t in tables if t is not None for c in (*t.categorical, *t.numeric, *t.tags, *t.text)
    ]


def text_names(*tables: FeatureTable | None) -> list[str]:
    """Those of them that are text."""
    return [column for table in tables if table is not None for column in table.text]


def check_names(names: Sequence[str] | None, declared: Sequence[str]) -> None:
    """Check the key `features` of an experiment; features of events are the schema's to check.

    Raises:
        BadInput: a name that is not declared, with the nearest that is.
    """
    for name in names or ():
        if name not in declared and name not in EVENT_FEATURES:
            known = [*declared, *EVENT_FEATURES]
            hint = nearest(name, known) if declared else "; the data declares no features"
            raise BadInput(f"features: {name!r} is no declared column of users or items{hint}")


def _known(table: pl.DataFrame | None, rows: pl.DataFrame | None, n: int) -> DatedTable:
    if table is None:
        return DatedTable(pl.DataFrame(), pl.Series([None] * n, dtype=pl.String))
    return known_of(table[ID] if ID in table.columns else pl.Series(np.arange(n)), rows, table)
