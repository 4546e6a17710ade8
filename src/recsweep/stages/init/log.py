"""A study of logs, with tables of learners and courses beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from recsweep.config.files import expand, validate
from recsweep.config.schema import NEXT_ITEM, EventTable, FeatureTable, TimeLimits
from recsweep.data.cleaning import clean, needed_columns
from recsweep.data.formats.parts import parts
from recsweep.data.reading import read_batches
from recsweep.data.tables import feature_table
from recsweep.errors import BadInput
from recsweep.stages.init.columns import LogColumns, find_columns
from recsweep.stages.init.experiment import (
    Draft,
    comment_log,
    comment_table,
    event_keys,
    feature_keys,
    suggested,
)
from recsweep.stages.init.features import TableColumns, find_features
from recsweep.stages.init.kinds import EventKinds, find_kinds
from recsweep.stages.init.look import Look
from recsweep.stages.init.questions import Answers, Question
from recsweep.stages.init.roles import Keyed, find_key, split_files
from recsweep.stages.init.words import Role
from recsweep.stages.init.zones import find_zone

REPEATS = (
    0.2  # share of events on a course that their learner had before, from which on it is usual
)
KNOWN = {"users": "learners", "items": "courses"}


@dataclass(frozen=True, slots=True)
class Given:
    """What the caller says, so that it needs no looking for."""

    columns: Mapping[Role, str]
    timezone: str | None = None


def study_of_logs(looks: Sequence[Look], given: Given, draft: Draft, answers: Answers) -> None:
    """Fill in `data`, `targets` and `families`.

    Raises:
        BadInput: a file can't be read, or nobody answers what can't be guessed.
    """
    logs, others = split_files(list(looks), dict(given.columns))
    found = [_look_through(look, given, answers) for look in logs]
    local = any(columns.format.local for columns, _ in found)
    zone = find_zone(looks, given.timezone, answers) if local else given.timezone
    events = []
    for n, (look, (columns, kinds)) in enumerate(zip(logs, found, strict=True)):
        keys = event_keys(look, columns, kinds, None if zone == "UTC" else zone)
        draft.keys["data"].setdefault("events", []).append(keys)
        comment_log(draft, n, look, columns, kinds)
        events.append(_read(validate(EventTable, keys, look.path), look))
    log = pl.concat(events)
    users, items = (log[side].cast(pl.String).unique() for side in ("user", "item"))
    for look in others:
        _add_table(find_key(look, users, items), users, items, zone, draft, answers)
    draft.keys["targets"] = {"which": "all", **_seen(log, draft)}
    draft.keys["families"] = suggested(NEXT_ITEM)


def _look_through(look: Look, given: Given, answers: Answers) -> tuple[LogColumns, EventKinds]:
    columns = find_columns(look, dict(given.columns), answers)
    return columns, find_kinds(look, columns, given.columns.get("type"), answers)


def _read(table: EventTable, look: Look) -> pl.DataFrame:
    """Its events, as `prepare` will have them."""
    columns = ["user", "item", "time"]
    frames = [
        clean(read_batches(table, part, needed_columns(table)), table, TimeLimits(), part).events
        for part in parts(expand(table.path))
    ]
    events = pl.concat(frames).select(columns)
    if events.is_empty():
        raise BadInput(f"{look.path}: no row has a learner, a course, a time and a known type")
    return events


def _add_table(
    keyed: Keyed, users: pl.Series, items: pl.Series, zone: str | None,
    draft: Draft, answers: Answers,
) -> None:  # fmt: skip
    """Add it unless it can't be read as a table of theirs, which is said instead."""
    look, data = keyed.look, draft.keys["data"]
    if keyed.of in data:
        raise BadInput(
            f"{look.path}: {data[keyed.of]['path']} is a table of {KNOWN[keyed.of]} already; "
            "join them into one file"
        )
    columns = find_features(look, keyed.key, answers)
    immutable = columns.since is None and _never_written_later(look, columns, answers)
    keys = feature_keys(look, keyed.key, columns, None if zone == "UTC" else zone, immutable)
    ids = users if keyed.of == "users" else items
    feature_table(validate(FeatureTable, keys, look.path), expand(look.table.path), ids)
    data[keyed.of] = keys
    comment_table(draft, keyed.of, columns)


def _never_written_later(look: Look, columns: TableColumns, answers: Answers) -> bool:
    if not columns.features:
        return False
    return (
        answers.settle(
            Question(
                text=f"Is all of {look.path.name} older than the log's first event?",
                why="it has no column of times that says since when a row is known",
                options=("yes", "no"),
                best="no",
                remedy="",
            )
        )
        == "yes"
    )


def _seen(log: pl.DataFrame, draft: Draft) -> dict[str, str]:
    """Do learners come back to a course?"""
    share = (len(log) - log.select("user", "item").n_unique()) / len(log)
    draft.say(
        ("targets",),
        f"{share:.0%} of events are on a course that their learner had before: such an event is a",
        "target with seen: keep, and none with seen: drop. types: [purchase] asks for purchases.",
    )
    return {"seen": "keep" if share >= REPEATS else "drop"}
