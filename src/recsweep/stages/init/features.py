"""What the columns of a table of learners, courses or sessions are."""

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from recsweep.config.schema import NumberStyle
from recsweep.data.tables import TAG_WRAPPING
from recsweep.stages.init.columns import QUIET
from recsweep.stages.init.look import Look
from recsweep.stages.init.questions import Answers
from recsweep.stages.init.style import find_style, needed
from recsweep.stages.init.times import TimeFormat, find_format
from recsweep.stages.init.words import (
    BEGAN,
    COUNTS,
    ID_ENDS,
    LABELS,
    MISSING,
    PERSONAL,
    SINCE,
    TEXTS,
    has,
    normal,
)

TAG_SIGNS = ("|", ";", "；", "、", "，", ",", "/")
MANY = 20  # mean characters of what is text rather than a category
TIME = "a time"
FEW = 8  # whole numbers up to so many are codes of categories, unless a header says otherwise


@dataclass(slots=True)
class TableColumns:
    """The keys of a feature table, and why some columns are in none of them."""

    label: str | None = None
    categorical: list[str] = field(default_factory=list)
    numeric: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    style: NumberStyle = field(default_factory=NumberStyle)
    since: str | None = None  # the column of a row's time
    since_format: TimeFormat | None = None
    left_out: dict[str, str] = field(default_factory=dict)  # column -> why

    @property
    def features(self) -> list[str]:
        """All columns that models may use."""
        return [*self.categorical, *self.numeric, *self.tags, *self.text]


def find_features(look: Look, key: str | None, answers: Answers) -> TableColumns:
    """Sort a table's columns into kinds; `key` is the column of ids, if it has one."""
    found = TableColumns()
    names = [name for name in look.names if name != key and name.strip() != ""]
    known = {name: _known(look, name, found.missing) for name in names}
    found.style, numbers = find_style(known, look.table.separator == ";")
    several = key is not None and look.rows[key].drop_nulls().is_duplicated().any()
    for name in names:
        _sort(look, name, known[name], name in numbers, bool(several), found, answers)
    found.style = needed(found.style, {name: known[name] for name in found.numeric})
    times = [name for name, why in found.left_out.items() if why == TIME]
    for name in [n for words in (SINCE, BEGAN) for n in times if has(n, words)][:1]:
        found.since, found.since_format = name, find_format(look, name, answers)
        del found.left_out[name]
    return found


def _known(look: Look, name: str, missing: list[str]) -> pl.Series:
    """A column's values without words for "not known", which are noted."""
    column = look.rows[name]
    if isinstance(column.dtype, pl.List):
        return column.explode().drop_nulls().cast(pl.String)
    text = look.text(name)
    words = text.filter(text.is_in(MISSING)).unique().sort()
    missing += [word for word in words if word not in missing]
    return text.filter(~text.is_in(MISSING))


def _sort(
    look: Look, name: str, known: pl.Series, number: bool, several: bool,
    found: TableColumns, answers: Answers,
) -> None:  # fmt: skip
    distinct = known.n_unique()
    timed = isinstance(look.rows[name].dtype, pl.Date | pl.Datetime) or has(name, SINCE + BEGAN)
    if isinstance(look.rows[name].dtype, pl.List):
        found.tags[name] = ","
    elif distinct and (timed or not number) and _is_time(look, name):
        found.left_out[name] = TIME
    elif distinct <= 1:
        found.left_out[name] = "empty" if distinct == 0 else "always the same"
    elif has(name, PERSONAL):
        found.left_out[name] = "personal"
    elif has(name, COUNTS) and number and not several:
        found.left_out[name] = "counts what learners did, so it tells of the future"
    elif number and not (distinct <= FEW and _is_code(name, known)):
        found.numeric.append(name)
    elif sign := _tag_sign(known):
        found.tags[name] = sign
    elif has(name, LABELS) and not number:
        found.label = found.label or name
        found.text.append(name)
    elif has(name, TEXTS) or _length(known) >= MANY:
        found.text.append(name)
    elif distinct <= max(2, len(known) / 2):
        found.categorical.append(name)
    else:
        found.left_out[name] = "nearly every value is another"


def _is_time(look: Look, name: str) -> bool:
    return find_format(look, name, QUIET) is not None


def _length(text: pl.Series) -> float:
    """Mean number of characters."""
    return float(text.str.len_chars().mean())  # type: ignore[arg-type]


def _is_code(name: str, known: pl.Series) -> bool:
    """Whole numbers under a header such as level_id or gender."""
    return normal(name).endswith(ID_ENDS) and bool(known.str.contains(r"^\d+$").all())


def _tag_sign(known: pl.Series) -> str | None:
    """The sign that parts a column's values into few words, met over and over."""
    sample = known.head(5000)
    if sample.str.contains(r"^\[.*\]$").all():
        return ","
    for sign in TAG_SIGNS:
        if float(sample.str.contains(sign, literal=True).mean()) < 0.2:  # type: ignore[arg-type]
            continue
        parts = sample.str.split(sign).explode().str.strip_chars(TAG_WRAPPING)
        distinct, short = parts.n_unique(), _length(parts) <= MANY
        if short and distinct <= max(len(parts) / 2, 3) and distinct <= 2 * sample.n_unique():
            return sign
    return None


def as_keys(found: TableColumns) -> dict[str, Any]:
    """For a table, without empty ones."""
    keys = {"label": found.label, "categorical": found.categorical, "numeric": found.numeric,
            "tags": found.tags, "text": found.text}  # fmt: skip
    kept: dict[str, Any] = {key: value for key, value in keys.items() if value}
    if found.missing:
        kept["missing"] = ["", *found.missing]
    return kept
