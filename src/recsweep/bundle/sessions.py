"""Rows of a plain table, and what a bundle answers to each."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import torch

from recsweep.bundle.bundle import Bundle
from recsweep.bundle.learners import with_learners
from recsweep.config.schema import Experiment
from recsweep.data.features.dated import DatedTable
from recsweep.data.formats.parts import parts
from recsweep.data.reading import read_batches
from recsweep.data.sessions import session_features
from recsweep.data.tables import feature_columns
from recsweep.tasks.registry import TASKS


def read_sessions(experiment: Experiment, path: Path) -> Iterator[pl.DataFrame]:
    """Batches of rows with the declared columns; the label needn't be there.

    Raises:
        BadInput: the file can't be read in the experiment's columns.
    """
    sessions = experiment.data.sessions
    assert sessions is not None  # the caller has looked
    form = "parquet" if path.suffix.lower() in (".parquet", ".pq") else "csv"
    table = sessions.model_copy(update={"path": str(path), "format": form, "sha256": None})
    for file in parts(path):
        for raw in read_batches(table, file, [*table.categorical, *table.numeric]):
            yield pl.DataFrame(feature_columns(session_features(table), raw, file))


def answers_of(bundle: Bundle, rows: pl.DataFrame, first: int) -> pl.DataFrame:
    """A row for each: its number in the file, from `first`, and the answer."""
    ids = pl.Series([str(n) for n in range(len(rows))], dtype=pl.String)
    known = with_learners(bundle.known, DatedTable(rows, ids))
    task = TASKS[bundle.file.task]
    assert task.row_answers is not None  # a study of a plain table is of a task that has them
    with torch.inference_mode():
        found = task.row_answers(bundle.model, known)
    numbers = pl.Series(range(first, first + len(rows)), dtype=pl.Int64)
    unit = bundle.known.experiment.data.unit
    return pl.DataFrame({unit.removesuffix("s"): numbers, task.answer: found})
