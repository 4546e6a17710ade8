"""The keys of the experiment that reads what was found, and a comment on each."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsweep.config.schema import Table
from recsweep.models.family import Role
from recsweep.models.registry import families_of, role_of
from recsweep.stages.init import features, style
from recsweep.stages.init.columns import LogColumns, named_after
from recsweep.stages.init.features import TableColumns
from recsweep.stages.init.kinds import EventKinds
from recsweep.stages.init.look import Look
from recsweep.stages.init.write import Place

COMPARED: tuple[Role, ...] = ("network", "baseline", "floor")


@dataclass(slots=True)
class Draft:
    """Keys and comments as they come together."""

    keys: dict[str, Any]
    comments: dict[Place, list[str]] = field(default_factory=dict)

    def say(self, place: Place, *lines: str) -> None:
        """Comments above a key."""
        self.comments.setdefault(place, []).extend(lines)


def study_name(path: Path) -> str:
    """A file's name as a study may be called; `mine` where nothing of it is ASCII."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", named_after(path)).strip("_")
    return plain[:64] or "mine"


def suggested(task: str, *, histories: bool = True) -> list[str]:
    """The families to compare, networks first; without histories, those that need none."""
    able = [n for n, build in families_of(task).items() if histories or not build.needs_history]
    return [name for role in COMPARED for name in able if role_of(name) == role]


def table_keys(table: Table) -> dict[str, Any]:
    """Where a file lies and how it is laid out, without what needs no saying."""
    keys = table.model_dump(exclude_defaults=True)
    path = Path(table.path)
    if ".." in path.parts:  # a path in an experiment doesn't climb
        keys["path"] = str(path.resolve())
    return keys


def event_keys(
    look: Look, columns: LogColumns, kinds: EventKinds, zone: str | None
) -> dict[str, Any]:
    """An entry of `data.events`."""
    keys = {
        **table_keys(look.table),
        "user": columns.user,
        "item": columns.item,
        "time": columns.time,
        "time_format": columns.format.key,
    }
    if columns.format.local and zone is not None:
        keys["timezone"] = zone
    if kinds.column is None:
        keys["type"] = {"constant": kinds.constant}
    else:
        keys["type"] = {"column": kinds.column, "values": kinds.values}
    if columns.dwell is not None:
        keys["dwell"] = columns.dwell
    return keys


def comment_log(draft: Draft, n: int, look: Look, columns: LogColumns, kinds: EventKinds) -> None:
    """What was dropped, and what is in no key."""
    place: Place = ("data", "events", n)
    if kinds.dropped:
        values = ", ".join(f"{value} ({rows:,} rows)" for value, rows in kinds.dropped.items())
        draft.say((*place, "type"), f"Not in values, so dropped and counted: {values}")
    if columns.format.local:
        draft.say((*place, "time"), "Times that name no zone are of timezone, else of UTC.")
    used = {columns.user, columns.item, columns.time, columns.dwell, kinds.column}
    if unused := [name for name in look.names if name not in used]:
        draft.say((*place, "user"), f"Not used: {', '.join(unused)}")


def feature_keys(
    look: Look, key: str, found: TableColumns, zone: str | None, immutable: bool
) -> dict[str, Any]:
    """`data.users` or `data.items`."""
    keys = {**table_keys(look.table), "key": key, **features.as_keys(found)}
    keys |= style.as_keys(found.style)
    if immutable:
        keys["immutable"] = True
    elif found.since is not None and found.since_format is not None:
        keys["valid_from"] = found.since
        if found.since_format.key != "iso":
            keys["valid_from_format"] = found.since_format.key
        if found.since_format.local and zone is not None:
            keys["timezone"] = zone
    return keys


def comment_table(draft: Draft, of: str, found: TableColumns) -> None:
    """What was left out, and since when rows are known."""
    place: Place = ("data", of)
    for name, why in found.left_out.items():
        draft.say((*place, "key"), f"Left out: {name} ({why})")
    keys = draft.keys["data"][of]
    if "valid_from" in keys:
        draft.say((*place, "valid_from"), "A row has no say before this time.")
    elif "immutable" not in keys:
        draft.say(
            (*place, "key"),
            "Since when is a row known? Name a column of times as valid_from; if nothing in the",
            "table was ever written later than the log's first event, say immutable: true.",
        )
