"""Who was treated, and how likely that was, as raw tables tell it."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from recsweep.config.schema import Treatment
from recsweep.data.reading import as_text, refuse_other_spellings, refuse_unread


def read_treatment(
    raw: pl.DataFrame,
    treatment: Treatment | None,
    missing: Sequence[str],
    path: Path,
    first_row: int = 0,
) -> dict[str, pl.Series]:
    """`treated`: Float32, 1 or 0, null where no treatment came into question; and `propensity`:
    Float64, if the table has it. Nothing without a treatment.

    Args:
        raw: a batch of rows.
        treatment: what the columns mean.
        missing: raw values that mean "not known".
        path: named in errors.
        first_row: of the file, which the batch begins with.

    Raises:
        BadInput: the propensity of a treated or a control row is no number between 0 and 1.
    """
    if treatment is None:
        return {}
    group = as_text(raw[treatment.column], path).str.strip_chars()
    named = (*treatment.treated, *treatment.control)
    refuse_other_spellings(group.drop_nulls(), named, path, "treated or control")
    treated = group.is_in(treatment.treated)
    known = treated | (
        group.is_in(treatment.control)
        if treatment.control
        else group.is_not_null() & ~group.is_in(missing)
    )
    known = known.fill_null(False)
    found = {"treated": treated.cast(pl.Float32).set(~known, None)}
    if treatment.propensity is not None:
        column = raw[treatment.propensity]
        number = as_text(column, path).cast(pl.Float64, strict=False)
        open_interval = ((number > 0) & (number < 1)).fill_null(False)
        expected = "a probability of treatment above 0 and below 1"
        refuse_unread(column, known & ~open_interval, path, expected, first_row)
        found["propensity"] = number.set(~known, None)
    return found
