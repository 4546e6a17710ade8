"""Rows of a table of sessions, and how likely each ends in a purchase."""

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


def probabilities_of(bundle: Bundle, rows: pl.DataFrame, first: int) -> pl.DataFrame:
    """A row for each session: its number in the file, from `first`, and its probability."""
    ids = pl.Series([str(n) for n in range(len(rows))], dtype=pl.String)
    known = with_learners(bundle.known, DatedTable(rows, ids))
    answers = TASKS[bundle.file.task].session_answers
    assert answers is not None  # a study of sessions is of a task that has them
    with torch.inference_mode():
        found = answers(bundle.model, known)
    numbers = pl.Series(range(first, first + len(rows)), dtype=pl.Int64)
    return pl.DataFrame({"session": numbers, "probability": found})
