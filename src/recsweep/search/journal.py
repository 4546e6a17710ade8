"""The lines of an Optuna journal."""

import enum
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from recsweep.errors import BadInput
from recsweep.search.enough import KEY as ENOUGH

Line = Mapping[str, Any]


class Operation(enum.IntEnum):
    """What a line does, by Optuna's numbers."""

    CREATE_STUDY = 0
    STUDY_ATTR = 2
    STUDY_NOTE = 3
    CREATE_TRIAL = 4
    PARAM = 5
    STATE = 6
    VALUE = 7
    TRIAL_ATTR = 8
    TRIAL_NOTE = 9


def read_journal(path: Path) -> list[Line]:
    """Every whole line; one that was torn at the end by a crash is left out.

    Raises:
        BadInput: no journal, or a line within it can't be read.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"{path.parent}: no sweep has begun here; there is no {path.name}") from None
    lines = []
    for number, line in enumerate(text.split(b"\n")[:-1], 1):
        try:
            lines.append(json.loads(line))
        except ValueError as error:
            raise BadInput(f"{path}: line {number} can't be read: {error}") from None
    return lines


def opens_session(line: Line) -> bool:
    """Is it one of those that a driver writes before it goes on with a study?"""
    operation = line["op_code"]
    if operation == Operation.CREATE_TRIAL:
        return bool(line.get("state") == TrialState.WAITING)
    if operation == Operation.STUDY_ATTR:
        return not {"session", ENOUGH} & line["user_attr"].keys()
    return bool(operation == Operation.CREATE_STUDY)


def starts_trial(line: Line) -> bool:
    """Does a trial begin here?"""
    if line["op_code"] == Operation.CREATE_TRIAL:
        return not opens_session(line)
    running = line["op_code"] == Operation.STATE and line["state"] == TrialState.RUNNING
    return bool(running)


def same_content(one: Line, other: Line) -> bool:
    """Do two lines say the same, whoever wrote them and when?"""
    return _content(one) == _content(other)


def described(line: Line) -> str:
    """A line, for people."""
    operation = Operation(line["op_code"])
    if operation == Operation.PARAM:
        return f"{line['param_name']} = {line['param_value_internal']}"
    if operation == Operation.STATE:
        return f"the end {TrialState(line['state']).name.lower()} ({line['values']})"
    if operation == Operation.CREATE_TRIAL:
        return "a new trial"
    content = {k: v for k, v in _content(line).items() if k not in ("op_code", "trial_id")}
    text = ", ".join(str(value) for value in content.values())
    return text if len(text) <= 80 else text[:79] + "…"


def _content(line: Line) -> dict[str, Any]:
    kept = {
        key: value
        for key, value in line.items()
        if key != "worker_id" and not key.startswith("datetime")
    }
    found: dict[str, Any] = json.loads(json.dumps(kept))
    return found
