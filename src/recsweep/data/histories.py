"""Whose history an event belongs to, and when it was, where a log has no times or has sessions."""

import polars as pl

from recsweep.config.schema import Data
from recsweep.data.clock import DAY


def in_order(events: pl.DataFrame, data: Data) -> pl.DataFrame:
    """Cleaned events, in the order of their rows, as histories are made of them.

    Without times, a learner's n-th event is on day n. With a gap, each of a learner's sessions is a
    learner, called `<learner> #1`, `#2`, …
    """
    if not data.timed:
        day = pl.int_range(pl.len(), dtype=pl.Int64).over("user") * DAY
        return events.with_columns(time=day)
    if data.session_gap_minutes is None:
        return events
    number = _session_numbers(events, data.session_gap_minutes)
    named = pl.format("{} #{}", pl.col("user").cast(pl.String), number)
    return events.with_columns(user=named.cast(pl.Categorical))


def last_session(events: pl.DataFrame, data: Data) -> pl.DataFrame:
    """Of each learner, the events since the last gap; all of them where sessions have no gap."""
    if data.session_gap_minutes is None:
        return events
    numbered = events.with_columns(session=_session_numbers(events, data.session_gap_minutes))
    latest = pl.col("session") == pl.col("session").max().over("user")
    return numbered.filter(latest).drop("session")


def _session_numbers(events: pl.DataFrame, gap_minutes: float) -> pl.Series:
    """(n_events,) from 1, of each learner in the order of times."""
    longer = pl.col("time").diff() > gap_minutes * (DAY / 24 / 60)
    counted = events.select("user", "time", row=pl.int_range(pl.len())).sort("user", "time")
    counted = counted.with_columns(number=longer.fill_null(True).cum_sum().over("user"))
    return counted.sort("row")["number"]
