"""A confirmation as files: `verdicts.json` for people, `confirmation.parquet` for statistics.

The Parquet file has one row for each (family, search, seed, user): every ranking metric,
`novelty@k`. Search 1 is the study's own.
Users are the codes of the prepared data.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from recsweep.data.types import Float64, Int32
from recsweep.errors import BadInput
from recsweep.records.atomic import write_parquet
from recsweep.records.checked import read_record, write_record
from recsweep.records.confirmation import Confirmation
from recsweep.records.openings import read_openings

VERDICTS = "verdicts.json"
LEARNERS = "confirmation.parquet"

LearnerColumns = Mapping[str, Float64]
"""Column -> (n_searches, n_seeds, n_learners)."""


def write_confirmation(
    confirmation: Confirmation,
    tables: Mapping[str, LearnerColumns],
    seeds: Sequence[Sequence[int]],
    user: Int32,
    folder: Path,
) -> None:
    """Write both; `verdicts.json` comes last, so its presence says that both are there.

    Args:
        confirmation: what was found.
        tables: one a family.
        seeds: of each search.
        user: (n_learners,) codes.
        folder: of the study.
    """
    frames = [_frame(name, seeds, table, user) for name, table in tables.items()]
    write_parquet(folder / LEARNERS, pl.concat(frames, how="diagonal"))
    write_record(folder / VERDICTS, confirmation)


def read_confirmation(folder: Path) -> Confirmation | None:
    """Read `verdicts.json`, with every opening up to now; None where nothing was confirmed.

    Raises:
        BadInput: a file is there that isn't one of ours, or was changed since it was written.
    """
    try:
        confirmation = read_record(
            Confirmation, folder / VERDICTS, "move it away and run recsweep confirm"
        )
    except FileNotFoundError:
        return None
    openings = read_openings(folder)
    if len(openings) <= len(confirmation.openings):
        return confirmation
    return confirmation.model_copy(update={"openings": openings})


def read_learners(folder: Path) -> pl.DataFrame:
    """Read `confirmation.parquet`.

    Raises:
        BadInput: it is missing or damaged.
    """
    path = folder / LEARNERS
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInput(f"{path}: cannot be read ({error}); run recsweep confirm") from None
    # Version 0.1.0 knew one search only.
    return table if "search" in table else table.with_columns(search=pl.lit(1, pl.Int32))


def _frame(
    family: str, seeds: Sequence[Sequence[int]], table: LearnerColumns, user: Int32
) -> pl.DataFrame:
    searches = np.arange(1, 1 + len(seeds), dtype=np.int32)
    each = np.array(seeds, np.int64)
    return pl.DataFrame(
        {
            "family": [family] * (len(user) * each.size),
            "search": np.repeat(searches, len(user) * each.shape[1]),
            "seed": np.repeat(each.ravel(), len(user)),
            "user": np.tile(user, each.size),
            **{name: values.ravel() for name, values in table.items()},
        }
    )
