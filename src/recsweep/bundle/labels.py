"""A feed of texts, and the label that a bundle's model gives to each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch

from recsweep.bundle.bundle import Bundle
from recsweep.bundle.learners import with_learners
from recsweep.config.schema.numbers import NumberStyle
from recsweep.config.schema.text_table import Labelling, TextTable
from recsweep.data.cleaning import read_times
from recsweep.data.clock import DAY
from recsweep.data.features.dated import GROUP, RESERVED, TEXT, VALID_FROM, DatedTable
from recsweep.data.formats.encodings import is_text_in
from recsweep.data.formats.parts import parts
from recsweep.data.reading import read_batches
from recsweep.data.tables import feature_columns, known_text
from recsweep.data.texts import plain, text_features
from recsweep.data.types import Int32
from recsweep.models.text.texts import from_tensor, unlabelled


@dataclass(frozen=True, slots=True)
class Feed:
    """The columns of a feed."""

    text: str = "text"
    time: str = "time"
    topic: str | None = "topic"  # None: all texts are of one topic
    time_format: str = "iso"
    timezone: str | None = None  # of times that are written without one; None: UTC


def labels_of(bundle: Bundle) -> tuple[str, ...]:
    """Those that its model knows."""
    return from_tensor(bundle.model.state()["classes"])


def read_feed(bundle: Bundle, path: Path, feed: Feed) -> tuple[pl.DataFrame, int]:
    """`topic`, `day` (Date, UTC) and `label` of each row that has all of text, time and topic, in
    the feed's order; and how many rows lack one. A file is in UTF-8 or as a table of the study is.

    Raises:
        BadInput: a file, a column or a time that can't be read.
    """
    tables = bundle.known.experiment.data.texts
    form = "parquet" if path.suffix.lower() in (".parquet", ".pq") else "csv"
    # Its declared columns are written as the study's are.
    same = {"categorical", "numeric", "missing", *NumberStyle.model_fields}
    table = TextTable.model_validate(
        {
            **tables[0].model_dump(include=same),
            **{"path": str(path), "format": form, "text": feed.text, "time": feed.time},
            **{"time_format": feed.time_format, "timezone": feed.timezone},
            "label": Labelling(constant="none"),
        }
    )
    columns = [feed.text, feed.time, *([feed.topic] if feed.topic else [])]
    found, rows = [], 0
    for file in parts(path):
        as_written = table.model_copy(update={"encoding": _encoding(file, tables, form)})
        for raw in read_batches(as_written, file, [*columns, *table.categorical, *table.numeric]):
            text = known_text(plain(raw[feed.text].cast(pl.String)), table.missing, file)
            time = read_times(raw[feed.time], table, file, rows)
            topic = (
                known_text(raw[feed.topic], table.missing, file)
                if feed.topic
                else pl.repeat("all", len(raw), dtype=pl.String, eager=True)
            )
            whole = text.is_not_null() & time.is_not_null() & topic.is_not_null()
            features = feature_columns(text_features(table), raw, file)
            row = {TEXT: text, VALID_FROM: time, GROUP: topic, **features}
            kept = pl.DataFrame(row).filter(whole)
            found.append(
                pl.DataFrame(
                    {
                        "topic": kept[GROUP],
                        "day": (kept[VALID_FROM] // DAY).cast(pl.Int32).cast(pl.Date),
                        "label": _given(bundle, kept[TEXT], kept.drop(RESERVED, strict=False)),
                    }
                )
            )
            rows += len(raw)
    labelled = pl.concat(found)
    return labelled, rows - len(labelled)


def _encoding(file: Path, tables: Sequence[TextTable], form: str) -> str:
    """UTF-8 where that will do, else that of a table of the study in which the file can be read."""
    if form == "parquet":
        return "utf-8"
    known = ["utf-8", *(table.encoding for table in tables)]
    return next((each for each in known if is_text_in(file, each)), "utf-8")


def _given(bundle: Bundle, text: pl.Series, known: pl.DataFrame) -> pl.Series:
    """The most probable label of each text."""
    classes, codes = labels_of(bundle), np.arange(len(text), dtype=np.int32)
    texts = unlabelled(text.to_numpy(), classes, _inputs(bundle, known, codes))
    with torch.inference_mode():
        given = bundle.model.probabilities(texts).argmax(axis=1)
    return pl.Series("label", np.array(classes, object)[given], dtype=pl.String)


def _inputs(bundle: Bundle, known: pl.DataFrame, codes: Int32) -> np.ndarray:
    """(n_texts, n_inputs) the declared columns as the study encoded them."""
    ids = pl.Series([str(code) for code in codes], dtype=pl.String)
    encoder = with_learners(bundle.known, DatedTable(known, ids)).encoder
    return encoder.users(codes)
