"""Lines of a learner's id and then all its courses, oldest first, as data sets of papers."""

import polars as pl

from recsweep.data.formats.content import Content

HISTORY = ("user", "item")


def histories_of(content: Content) -> pl.DataFrame:
    """A row for each course of a line, in the file's order; empty lines are left out."""
    lines = pl.Series("line", bytes(content.data).decode("utf-8-sig").splitlines())
    fields = lines.str.strip_chars().str.split(content.separator.decode())
    users = pl.DataFrame({"user": fields.list.first(), "item": fields.list.slice(1)})
    return users.explode("item").filter(pl.col("user") != "")
