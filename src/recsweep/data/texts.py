"""Tables of texts, read as a log in which each text is a learner with one event.

What is known of a text are its learner's columns. Where a log has time stands the text's own, or
the part of the split that it was drawn for. So everything after it (folds, features, the sealed
files) works as on a log, as it does for `sessions.py`.

A text counts once, whatever the number of its copies: with copies on both sides of a cut, a model
is asked for what it has learned by heart. A text that bears two labels is left out. On a clock its
earliest rows decide, so that what comes later says nothing about what was there before.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from recsweep.config.schema import FeatureTable, Folds, TextTable, TimeLimits
from recsweep.data.cleaning import read_times
from recsweep.data.clock import microseconds
from recsweep.data.cuts import resolve_cuts
from recsweep.data.features.dated import ANSWER, COPIES, GROUP, ID, LABEL, TEXT
from recsweep.data.indexing import Indexed
from recsweep.data.manifest import EventRows
from recsweep.data.odd_values import odd_values
from recsweep.data.reading import read_table
from recsweep.data.splits import parts_of
from recsweep.data.strata import dealt, dealt_by_group
from recsweep.data.tables import feature_columns, known_text
from recsweep.data.types import KINDS, Cuts, Dataset, Events, Int64
from recsweep.errors import BadInput

TWO_LABELS = "text with two labels"
RULES = ("no text", "no label", "label not in the mapping", "no time", "time outside the limits")
SPACES = r"\s+"


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts as a log, and what is known of each by code."""

    indexed: Indexed
    rows: tuple[EventRows, ...]  # one a table
    table: pl.DataFrame
    cuts: Cuts
    odd_values: tuple[str, ...]


def read_texts(
    tables: Sequence[TextTable], paths: Sequence[Path], rule: Folds, limits: TimeLimits
) -> Texts:
    """Read, drop rows by the written rules, keep each text once, then split.

    Texts are put in the order of their checksums: their order in the files has no say.

    Raises:
        BadInput: a file can't be read, a value is none of its column's, or a part would lack a
            label.
    """
    read = [_read(t, p, rule, limits) for t, p in zip(tables, paths, strict=True)]
    rows = pl.concat(
        [frame.with_columns(table=pl.lit(n)) for n, (frame, _) in enumerate(read)], how="diagonal"
    )
    kept, two_labels = _distinct(rows, len(tables))
    if kept.is_empty():
        raise BadInput(f"{paths[0]}: no text with a label is left")
    part = kept["time"].to_numpy() if rule.in_time else _parts(kept, rule, paths[0])
    order = np.lexsort((np.arange(len(kept)), part))  # codes of the test come after all others
    n = len(kept)
    events = Events(
        user=np.arange(n, dtype=np.int32),
        item=np.zeros(n, np.int32),
        time=part[order],
        kind=np.full(n, KINDS.index("comment"), np.int8),
    )
    table = kept[order].drop("time", "table").with_columns(pl.lit(None, pl.String).alias(LABEL))
    copies = int(kept[COPIES].sum())
    counts = tuple(
        EventRows(
            path=each.path,
            rows=sum(dropped.values()) + len(frame),
            dropped={**dropped, TWO_LABELS: two_labels[number]},
            unmapped_types={},
            kept=len(frame) - two_labels[number],
        )
        for number, (each, (frame, dropped)) in enumerate(zip(tables, read, strict=True))
    )
    words = {TEXT: "text", ANSWER: "label", GROUP: "group"}
    odd = odd_values(rows[name].alias(words.get(name, name)) for name in rows.columns)
    cuts = resolve_cuts(events.time, rule) if rule.in_time else parts_of(rule)
    return Texts(Indexed(events, table[ID], pl.Series(["text"]), copies), counts, table, cuts, odd)


def text_features(*tables: TextTable) -> FeatureTable:
    """The columns of tables of texts as those of one table of learners."""
    first = tables[0]
    shared = TextTable.model_fields.keys() & FeatureTable.model_fields.keys() - {
        *("label", "text", "timezone", "categorical", "numeric")
    }
    columns = {
        name: tuple(dict.fromkeys(c for table in tables for c in getattr(table, name)))
        for name in ("categorical", "numeric")
    }
    return FeatureTable(key=first.text, **columns, **{n: getattr(first, n) for n in shared})


def label_counts(dataset: Dataset) -> dict[str, int]:
    """Label -> texts of the development that bear it, frequent ones first; of other data none."""
    table = dataset.users
    if table is None or ANSWER not in table.columns:
        return {}
    found = table[ANSWER].value_counts().sort("count", ANSWER, descending=[True, False])
    return dict(found.iter_rows())


def plain(text: pl.Series) -> pl.Series:
    """Runs of spaces and line ends as one space: what two copies may differ in."""
    return text.str.replace_all(SPACES, " ").str.strip_chars()


def _read(
    table: TextTable, path: Path, rule: Folds, limits: TimeLimits
) -> tuple[pl.DataFrame, dict[str, int]]:
    """`_text`, `_answer`, `_group`, `time` and the features of the rows that stay; and how many
    rows each rule took out.
    """
    label, timed = table.label, rule.in_time
    named = [table.text, label.column, table.group, table.time if timed else None]
    raw = read_table(
        table, path, [*(name for name in named if name), *table.categorical, *table.numeric]
    )
    text = known_text(plain(raw[table.text].cast(pl.String)), table.missing, path)
    if label.column is None:
        given = found = pl.repeat(label.constant, len(raw), dtype=pl.String, eager=True)
    else:
        given = found = known_text(raw[label.column], table.missing, path)
    if label.values:
        found = given.replace_strict(label.values, default=None, return_dtype=pl.String)
    broken = [text.is_null(), given.is_null(), found.is_null()]
    time = pl.repeat(0, len(raw), dtype=pl.Int64, eager=True)
    if timed:
        assert table.time is not None  # the schema: a clock needs one
        time = read_times(raw[table.time], table, path)
        earliest, latest = microseconds(limits.earliest), microseconds(limits.latest)
        broken += [time.is_null(), ~time.is_between(earliest, latest, closed="left")]
    keep, dropped = pl.repeat(True, len(raw), dtype=pl.Boolean, eager=True), {}
    for name, rows in zip(RULES, broken, strict=False):
        dropped[name] = int((keep & rows).sum())
        keep &= ~rows
    columns = {TEXT: text, ANSWER: found, "time": time}
    columns[GROUP] = (
        known_text(raw[table.group], table.missing, path)
        if table.group
        else pl.repeat(None, len(raw), dtype=pl.String, eager=True)
    )
    columns |= feature_columns(text_features(table), raw, path)
    return pl.DataFrame(columns).filter(keep), dropped


def _distinct(rows: pl.DataFrame, n_tables: int) -> tuple[pl.DataFrame, list[int]]:
    """Each text once, with its id and the number of its other copies; and how many rows of each
    table contradict.
    """
    first = rows.filter(pl.col("time") == pl.col("time").min().over(TEXT))
    clear = first.group_by(TEXT).agg(
        pl.col(ANSWER).first().alias("said"), pl.col(ANSWER).n_unique().alias("labels")
    )
    rows = rows.join(clear, on=TEXT, how="left", maintain_order="left")
    agrees = (rows["labels"] == 1) & (rows[ANSWER] == rows["said"])
    two_labels = [int((~agrees & (rows["table"] == number)).sum()) for number in range(n_tables)]
    rest = [name for name in rows.columns if name not in ("time", GROUP, "said", "labels")]
    kept = (
        rows.filter(agrees)
        .select("time", GROUP, *rest)
        .with_columns((pl.len().over(TEXT) - 1).cast(pl.Int64).alias(COPIES))
        .sort("time", GROUP, *rest)
        .unique(TEXT, keep="first", maintain_order=True)
    )
    ids = pl.Series(ID, [hashlib.sha256(t.encode()).hexdigest()[:20] for t in kept[TEXT]])
    return kept.insert_column(0, ids).sort(ID), two_labels


def _parts(kept: pl.DataFrame, rule: Folds, path: Path) -> Int64:
    answer = kept[ANSWER].to_numpy()
    if rule.rule == "group":
        return dealt_by_group(answer, kept[GROUP].fill_null(kept[ID]).to_numpy(), rule, path)
    part, few = dealt(answer, rule)
    for label, count in few.items():
        raise BadInput(
            f"{path}: {count} distinct texts with the label {label!r} are too few for "
            f"{rule.count} folds and a test; merge it with another (label.values), or leave it out"
        )
    return part
