"""Declarations of what a key decides: `seed: Annotated[int, ANSWERS] = 0`.

Whatever has to know whether a result is still of the same question asks `deciding`. A key that says
nothing holds keys that do; a key that says something says it for all below it.
"""

from collections.abc import Mapping
from enum import Flag, auto
from typing import Any

from pydantic.fields import FieldInfo

from recsweep.config.schema.base import Schema


class Decides(Flag):
    """What can't stay as it is when the key changes."""

    NOTHING = 0  # names, words, places, waiting times; and what is recorded by its effect
    DATA = auto()  # the prepared data
    TRIALS = auto()  # a score for a configuration and a seed, or who is proposed and stopped
    CONFIRMATION = auto()  # figures and verdicts of the sealed test, for given configurations
    PORTRAIT = auto()  # a portrait, for a given configuration
    REBUILT = auto()  # what `reproduce` rebuilds from a best file and compares with it


ANSWERS = Decides.TRIALS | Decides.CONFIRMATION | Decides.PORTRAIT


def declared(field: FieldInfo) -> Decides | None:
    """What a field says that it decides; None: it says nothing."""
    return next((entry for entry in field.metadata if isinstance(entry, Decides)), None)


def deciding(model: Schema, what: Decides) -> dict[str, Any]:
    """The keys that decide `what`, as JSON has them; `budget.epochs` of a section that is mixed."""
    found: dict[str, Any] = {}
    dumped = model.model_dump(mode="json")
    for name, field in type(model).model_fields.items():
        decides, value = declared(field), getattr(model, name)
        if decides is not None:
            if what in decides and name in dumped:  # see `later`
                found[name] = dumped[name]
            continue
        parts = value.items() if isinstance(value, Mapping) else [("", value)]
        for key, part in parts:
            if isinstance(part, Schema):
                start = ".".join(filter(None, (name, key)))
                found |= {f"{start}.{k}": v for k, v in deciding(part, what).items()}
    if what in ANSWERS:  # the settings of a task, which no field of ours can declare
        found |= {name: dumped[name] for name in model.model_extra or ()}
    return found
