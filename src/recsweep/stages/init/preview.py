"""The first rows of each table as the readers have them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from recsweep.config.files import expand
from recsweep.config.schema import EventTable, Experiment, FeatureTable, Table
from recsweep.data.cleaning import clean, needed_columns
from recsweep.data.clock import EPOCH
from recsweep.data.formats.parts import parts
from recsweep.data.reading import as_text, read_batches
from recsweep.data.sessions import session_features
from recsweep.data.tables import feature_columns
from recsweep.data.types import KINDS

ROWS = 5
LOOKED_AT = 1000  # rows of a log, some of which are dropped


@dataclass(frozen=True, slots=True)
class Preview:
    """A table's first rows, each cell as text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def previews(experiment: Experiment) -> Iterator[Preview]:
    """Of every table, in the order of the file."""
    data = experiment.data
    for table in data.events:
        yield _events(table, experiment)
    for of, table_of in (("learners", data.users), ("courses", data.items)):
        if table_of is not None:
            yield _features(f"table of {of}", table_of, [table_of.key])
    if data.sessions is not None:
        yield _features("sessions", session_features(data.sessions), [data.sessions.label])


def _events(table: EventTable, experiment: Experiment) -> Preview:
    path, raw = _first(table, needed_columns(table), LOOKED_AT)
    events = clean([raw], table, experiment.data.times, path).events.head(ROWS)
    zone = table.timezone or "UTC"
    names = {"user": "learner", "item": "course", "time": f"time ({zone})", "kind": "type"}
    shown = events.with_columns(
        pl.Series("time", [_clock(time, zone) for time in events["time"]], pl.String),
        pl.Series("kind", [KINDS[kind] for kind in events["kind"]], pl.String),
    )
    rows = tuple(tuple(map(_cell, row)) for row in shown.iter_rows())
    return Preview(Path(table.path).name, tuple(names.get(n, n) for n in shown.columns), rows)


def _features(title: str, table: FeatureTable, first: list[str]) -> Preview:
    names = [*table.categorical, *table.numeric, *table.tags, *table.text]
    label = [table.label] if table.label else []
    path, raw = _first(table, dict.fromkeys([*first, *label, *names]), ROWS)
    plain = {name: as_text(raw[name], path) for name in (*first, *label)}
    columns = plain | {n: c for n, c in feature_columns(table, raw, path).items() if n not in plain}
    rows = zip(*(map(_cell, column) for column in columns.values()), strict=True)
    return Preview(f"{Path(table.path).name}: {title}", tuple(columns), tuple(rows))


def _first(table: Table, columns: Any, rows: int) -> tuple[Path, pl.DataFrame]:
    path = parts(expand(table.path))[0]
    batches = read_batches(table, path, columns)
    return path, next(batch for batch in batches if len(batch)).head(rows)  # a look saw some


def _clock(time: int, zone: str) -> str:
    moment: datetime = (EPOCH + timedelta(microseconds=time)).astimezone(ZoneInfo(zone))
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, pl.Series | list):
        return " · ".join(map(str, value))
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
