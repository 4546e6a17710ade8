"""A table of sessions, read as a log in which each session is a learner with one event.

The event is of the type that the label says; the session's columns are its learner's
features; where a log has time stands the part of the split that a row was drawn for. So everything
after it (folds, features, the sealed files, the unit of resampling) works as on a log.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsweep.config.schema import FeatureTable, Folds, SessionTable
from recsweep.data.features.dated import ID, LABEL
from recsweep.data.indexing import Indexed
from recsweep.data.manifest import EventRows
from recsweep.data.odd_values import odd_values
from recsweep.data.reading import as_text, read_table, refuse_other_spellings
from recsweep.data.splits import parts_of
from recsweep.data.strata import dealt
from recsweep.data.tables import feature_columns, known_text
from recsweep.data.treatments import read_treatment
from recsweep.data.types import BOUGHT, KINDS, Cuts, Events, Int64
from recsweep.errors import BadInput


@dataclass(frozen=True, slots=True)
class Sessions:
    """The rows as a log, and their features by code."""

    indexed: Indexed
    rows: EventRows
    features: pl.DataFrame
    cuts: Cuts
    odd_values: tuple[str, ...]


def read_sessions(table: SessionTable, path: Path, rule: Folds) -> Sessions:
    """Read, drop rows without a label, or without a treatment where there is one, drop exact
    duplicates, then split.

    Duplicates agree in every column of the file, those that nobody declared included: sessions
    that agree in the declared ones only are different sessions. `duplicates: keep` keeps them.

    Rows are put in the order of their content first: their order in the file has no say in
    anything.

    Raises:
        BadInput: the file can't be read, a number is none, or a part would lack one of the answers.
    """
    of_treatment = table.treatment.columns if table.treatment else []
    needed = [table.label, *table.categorical, *table.numeric, *of_treatment]
    raw = read_table(table, path, needed, others=True)
    label = known_text(raw[table.label], table.missing, path)
    treatment = read_treatment(raw, table.treatment, table.missing, path)
    columns = feature_columns(session_features(table), raw, path)
    beside = {f"_{name}": column for name, column in treatment.items()}
    labelled = label.is_not_null()
    refuse_other_spellings(label.drop_nulls(), table.positive, path, "positive")
    usable = labelled & treatment["treated"].is_not_null() if treatment else labelled
    known = pl.DataFrame({LABEL: label.is_in(table.positive), **beside, **columns}).filter(usable)
    if table.duplicates == "drop":
        first = raw.filter(usable).select(pl.struct(pl.all()).is_first_distinct()).to_series()
        distinct = known.filter(first)
    else:
        distinct = known
    distinct = distinct.sort(known.columns, nulls_last=True)
    n = len(distinct)
    bought = distinct[LABEL].to_numpy()
    kept = {name: distinct.drop_in_place(f"_{name}").to_numpy() for name in treatment}
    part = split(bought, rule, path, kept.get("treated"))
    order = np.argsort(part, kind="stable")  # codes of the test come after all others
    ids = pl.Series([f"session {row + 1}" for row in range(n)], dtype=pl.String)
    features = distinct[order].drop(LABEL)
    features.insert_column(0, pl.Series(LABEL, [None] * n, dtype=pl.String))
    features.insert_column(0, ids.alias(ID))
    kinds = np.where(bought[order], BOUGHT, KINDS.index("browse"))
    events = Events(
        user=np.arange(n, dtype=np.int32),
        item=np.zeros(n, np.int32),
        time=part[order],
        kind=kinds.astype(np.int8),
        **{name: column[order] for name, column in kept.items()},
    )
    rows = EventRows(
        path=table.path,
        rows=len(raw),
        dropped={
            "no label": len(raw) - int(labelled.sum()),
            **({"no treatment": int(labelled.sum()) - len(known)} if treatment else {}),
        },
        unmapped_types={},
        kept=len(known),
        negative=_five(label.filter(labelled & ~label.is_in(table.positive))),
    )
    indexed = Indexed(events, ids, pl.Series(["session"]), len(known) - n)
    answers = [label.filter(~label.is_in(table.positive)), *columns.values()]
    if table.treatment and not table.treatment.control:
        arm = as_text(raw[table.treatment.column], path).str.strip_chars()
        answers.append(arm.filter(treatment["treated"] == 0))
    return Sessions(indexed, rows, features, parts_of(rule), odd_values(answers))


def _five(values: pl.Series) -> dict[str, int]:
    """The most frequent ones."""
    counts = values.alias("value").value_counts(name="rows")
    return dict(counts.sort("rows", "value", descending=[True, False]).head(5).iter_rows())


def split(
    bought: NDArray[np.bool_],
    rule: Folds,
    path: Path | str = "",
    treated: NDArray[np.float32] | None = None,
) -> Int64:
    """(n,) the part of each row: a fold from 0, or the test, which is the last.

    Raises:
        BadInput: an answer has too few rows for every part to get two.
    """
    answers: dict[int, tuple[str, str]] = {0: ("", "no"), 1: ("", "yes")}
    group = bought.astype(np.int64)
    if treated is not None:
        answers = {n: (("", "un")[n > 1] + "treated ", ("no", "yes")[n % 2]) for n in range(4)}
        group += 2 * (treated == 0)
    part, few = dealt(group, rule)
    for number, (who, answer) in answers.items():
        rows = few.get(number, 0 if number not in group else None)
        if rows is not None:
            raise BadInput(
                f"{path}: {rows} distinct {who}rows whose label says {answer} "
                f"are too few for {rule.count} folds and a test; check the label and positive"
                f"{', and treated and control' if who else ''}"
            )
    return part


def session_features(table: SessionTable) -> FeatureTable:
    """The columns of a table of sessions as those of a table of learners."""
    shared = SessionTable.model_fields.keys() & FeatureTable.model_fields.keys() - {"label"}
    return FeatureTable(key=table.label, **{name: getattr(table, name) for name in shared})
