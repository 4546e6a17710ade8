"""Which courses may be shown."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from recsweep.bundle.courses import INDEX, SINCE, Courses
from recsweep.config.files import nearest
from recsweep.data.clock import iso
from recsweep.data.features.dated import ID, RESERVED
from recsweep.data.types import Int64
from recsweep.errors import BadInput


def shown_courses(
    courses: Courses,
    only: Sequence[str] = (),
    allow: Path | None = None,
    available: int | None = None,
) -> Int64:
    """(n,) catalogue indices, ascending.

    Args:
        courses: of the bundle.
        only: `column=value`; of one column any value does, and every column must fit.
        allow: a text file with an id a line; ids that the catalogue lacks are left out.
        available: microseconds since 1970 UTC; courses that were first known later are left out.

    Raises:
        BadInput: a column or value that no course has, a file that can't be read, or no course is
            left.
    """
    table = courses.catalogue
    keep = np.ones(len(table), bool)
    wanted: dict[str, list[str]] = {}
    for pair in only:
        column, value = _pair(pair, table)
        wanted.setdefault(column, []).append(value)
    for column, values in wanted.items():
        keep &= _any_of(table[column], values, column)
    if allow is not None:
        keep &= table[ID].is_in(_ids(allow).implode()).to_numpy()
    if available is not None:
        keep &= (table[SINCE].fill_null(available) <= available).to_numpy()
    if not keep.any():
        when = "" if available is None else f" at {iso(available)}"
        raise BadInput(f"no course of the catalogue's {len(table)} is left by these filters{when}")
    return np.flatnonzero(keep)


def _pair(pair: str, table: pl.DataFrame) -> tuple[str, str]:
    column, equals, value = pair.partition("=")
    if not equals:
        raise BadInput(f"--only {pair}: expected column=value, e.g. --only category=maths")
    columns = [c for c in table.columns if c not in (*RESERVED, INDEX, SINCE)]
    if column not in columns:
        hint = nearest(column, columns) if columns else "; the bundle's courses have no columns"
        raise BadInput(f"--only {pair}: courses have no column {column!r}{hint}")
    return column, value


def _any_of(cells: pl.Series, values: Sequence[str], column: str) -> np.ndarray:
    if isinstance(cells.dtype, pl.List):
        hits = [cells.list.contains(value) for value in values]
    elif cells.dtype.is_numeric():
        try:
            hits = [cells == float(value) for value in values]
        except ValueError:
            raise BadInput(f"--only {column}={values[0]}: {column} holds numbers") from None
    else:
        hits = [cells == value for value in values]
    for value, hit in zip(values, hits, strict=True):
        if not hit.any():
            flat = cells.explode() if isinstance(cells.dtype, pl.List) else cells
            known = flat.drop_nulls().cast(pl.String).unique().to_list()
            raise BadInput(f"--only {column}={value}: no course has it{nearest(value, known)}")
    found: np.ndarray = np.any([hit.fill_null(False).to_numpy() for hit in hits], axis=0)
    return found


def _ids(path: Path) -> pl.Series:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path}: is not a text file in UTF-8") from None
    return pl.Series([line.strip() for line in lines if line.strip()], dtype=pl.String)
