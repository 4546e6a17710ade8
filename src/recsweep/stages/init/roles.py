"""Which of the files is a log, and which a table of learners or of courses."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from recsweep.errors import BadInput
from recsweep.stages.init.columns import best_named, looks_like_log
from recsweep.stages.init.look import Look
from recsweep.stages.init.words import Role, score

MATCHED = 0.5  # share of a log's ids that a table knows, from which on there is no doubt


@dataclass(frozen=True, slots=True)
class Keyed:
    """A table, of whom it is, and its column of ids."""

    look: Look
    of: Literal["users", "items"]
    key: str


def split_files(looks: list[Look], given: dict[Role, str]) -> tuple[list[Look], list[Look]]:
    """Logs, and other tables; a single file is a log.

    Raises:
        BadInput: there is no log.
    """
    logs = [look for look in looks if looks_like_log(look, given)]
    if len(looks) == 1:
        logs = looks
    if not logs:
        raise BadInput(
            f"none of {', '.join(look.path.name for look in looks)} has columns of learners and of "
            "courses; give the log, or name its columns with --user and --item"
        )
    return logs, [look for look in looks if look not in logs]


def find_key(look: Look, users: pl.Series, items: pl.Series) -> Keyed:
    """By the ids that the table shares with the log; by its headers where it shares few.

    Args:
        look: at the table.
        users: ids of the log, at least one.
        items: likewise.

    Raises:
        BadInput: it shares none, or no header names a learner or a course.
    """
    shared: dict[tuple[Literal["users", "items"], str], float] = {}
    for name in look.names:
        values = look.text(name).unique()
        shared["users", name] = float(users.is_in(values.implode()).mean())  # type: ignore[arg-type]
        shared["items", name] = float(items.is_in(values.implode()).mean())  # type: ignore[arg-type]
    role: dict[str, Role] = {"users": "user", "items": "item"}
    (of, key), best = max(
        shared.items(), key=lambda entry: (entry[1], score(entry[0][1], role[entry[0][0]]))
    )
    if best >= MATCHED:
        return Keyed(look, of, key)
    if best == 0:
        raise BadInput(
            f"{look.path}: no column shares an id with the log; check how ids are written in both"
        )
    named = [(o, n) for o, n in shared if n in best_named(look.names, role[o]) and shared[o, n]]
    return Keyed(look, *max(named or [(of, key)], key=lambda place: shared[place]))
