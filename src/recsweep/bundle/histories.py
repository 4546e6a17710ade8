"""Learners' histories from a file of events in the experiment's own columns, learner by learner.

Rows may stand in any order. So many as fit are held in memory; more are dealt by learner into files
of a temporary folder, and one of these is held at a time.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from recsweep.config.schema import EventTable, Experiment
from recsweep.data.cleaning import RULES, Cleaned, clean_batches, needed_columns, together
from recsweep.data.formats.parts import parts
from recsweep.data.histories import in_order, last_session
from recsweep.data.reading import column_names, read_batches
from recsweep.errors import BadInput

HELD = 1 << 22
"""Events that are held in memory before they are dealt out."""
DEALT = 64
"""Files that they are dealt into."""


@dataclass
class ReadCounts:
    """What was read so far, and which rule took out how much."""

    rows: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def history_table(experiment: Experiment, path: Path) -> EventTable:
    """How a file of histories is read: as the first of the experiment's logs is that is written as
    it is and has its columns; as the first of all where none is, so that its error is told.
    """
    tables = [_as_written(table, path) for table in experiment.data.events]
    if len(tables) > 1:
        return next((table for table in tables if _fits(table, path)), tables[0])
    return tables[0]


def _fits(table: EventTable, path: Path) -> bool:
    try:
        return set(needed_columns(table)) <= set(column_names(table, parts(path)[0]))
    except BadInput:
        return False


def _as_written(table: EventTable, path: Path) -> EventTable:
    packed = path.name.lower()
    text = "csv" if table.format == "parquet" else table.format
    form = "parquet" if packed.endswith((".parquet", ".pq")) else text
    # Who is to be treated is what is asked, and nothing that a history says.
    update = {"path": str(path), "format": form, "sha256": None, "treatment": None}
    return table.model_copy(update=update)


def read_histories(
    experiment: Experiment, path: Path, counts: ReadCounts
) -> Iterator[pl.DataFrame]:
    """Frames of cleaned events (user, item, time, kind, perhaps dwell), no learner in two of them.

    Where the study's histories are sessions by a gap, a learner's is the last session.

    Raises:
        BadInput: the file can't be read in the experiment's columns.
    """
    for events in _by_learner(experiment, path, counts):
        in_time = events if experiment.data.timed else in_order(events, experiment.data)
        yield last_session(in_time, experiment.data)


def _by_learner(experiment: Experiment, path: Path, counts: ReadCounts) -> Iterator[pl.DataFrame]:
    held: list[Cleaned] = []
    with tempfile.TemporaryDirectory(prefix="recsweep-") as folder:
        dealt = 0
        for number, cleaned in enumerate(_cleaned(experiment, path)):
            counts.rows += cleaned.rows
            counts.dropped.update({rule: cleaned.dropped[rule] for rule in RULES})
            held.append(replace(cleaned, unmapped={}))
            if sum(len(each.events) for each in held) > HELD:
                _deal(together(held).events, Path(folder), number)
                held, dealt = [], dealt + 1
        if not dealt:
            yield together(held).events
            return
        if held:
            _deal(together(held).events, Path(folder), number + 1)
        for part in range(DEALT):
            files = sorted(Path(folder).glob(f"{part}-*.parquet"))
            if files:
                yield pl.concat([pl.read_parquet(file) for file in files])


def _cleaned(experiment: Experiment, path: Path) -> Iterator[Cleaned]:
    table = history_table(experiment, path)
    columns = needed_columns(table)
    for file in parts(path):
        yield from clean_batches(
            read_batches(table, file, columns), table, experiment.data.times, file
        )


def _deal(events: pl.DataFrame, folder: Path, number: int) -> None:
    part = events["user"].cast(pl.String).hash(0) % DEALT
    for (of,), rows in events.group_by(part.alias("part")):
        rows.write_parquet(folder / f"{of}-{number:06}.parquet")
