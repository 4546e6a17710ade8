"""A range that is widened in a study that has begun. Trials from before stay valid: each of their
values lies in the wider range, too.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recsweep.config.files import nearest
from recsweep.errors import BadInput
from recsweep.models.family import Builds
from recsweep.spaces.declared import DeclaredSpace, Ends, Widening
from recsweep.spaces.files import parse_space
from recsweep.spaces.parameter import on_grid
from recsweep.spaces.space import Space

NUMBER = r"([+-]?[\d.]+(?:[eE][+-]?\d+)?)"
FORM = re.compile(rf"([^.=]+)\.([^=]+)={NUMBER}:{NUMBER}")


def with_ranges(
    spaces: Mapping[str, Space], asked: Sequence[str], families: Builds
) -> dict[str, Space]:
    """The spaces with every range that `--widen` names; one that is as wide already stays.

    Args:
        spaces: of a study's families.
        asked: `gru.batch_size=8:128`, one a range.
        families: of the task.

    Raises:
        BadInput: it is no range of the study, or not a wider one.
    """
    found = dict(spaces)
    for text in asked:
        match = FORM.fullmatch(text)
        if match is None:
            raise BadInput(f"--widen {text}: expected family.parameter=low:high, two numbers")
        family, name, low, high = match.groups()
        if family not in found:
            raise BadInput(f"--widen {text}: no family is called {family}{nearest(family, found)}")
        ends = float(low), float(high)
        found[family] = widened(found[family], name, ends, families, f"--widen {text}")
    return found


def widened(space: Space, name: str, ends: Ends, families: Builds, where: str) -> Space:
    """The space with another range of a parameter.

    Raises:
        BadInput: see `with_ranges`; the line begins with `where`.
    """
    parameter = space.parameters.get(name)
    if parameter is None:
        raise BadInput(f"{where}: the space of {space.family} has no parameter {name!r}")
    if parameter.choices:
        raise BadInput(f"{where}: a choice can't be widened; search it in a study of another name")
    low, high = parameter.low, parameter.high
    step = parameter.step
    if not ends[0] <= low < high <= ends[1] or (step and not on_grid(low, ends[0], step)):
        by = f" in steps of {step:g}" if step else ""
        raise BadInput(
            f"{where}: the range is [{low:g}, {high:g}]{by}; a wider one holds all of it"
        )
    if ends == (low, high):
        return space
    return parse_space(with_ends(space.declared(), {name: ends}), Path(where), families)


def widenings(before: DeclaredSpace, now: DeclaredSpace, trials: int) -> tuple[Widening, ...]:
    """Every range that is a wider one now."""
    return tuple(
        Widening(parameter=name, before=(old.low, old.high), now=(new.low, new.high), trials=trials)
        for name, new in now.parameters.items()
        if (old := before.parameters.get(name)) is not None
        and new.low <= old.low < old.high <= new.high
        and (old.low, old.high) != (new.low, new.high)
    )


def with_ends(space: DeclaredSpace, ends: Mapping[str, Ends]) -> dict[str, Any]:
    """A space's keys with other ranges."""
    keys = space.keys_as_declared()
    for name, (low, high) in ends.items():
        kind, _ = space.parameters[name].declared
        whole = kind == "int" and low % 1 == high % 1 == 0
        keys["parameters"][name][kind] = [int(low), int(high)] if whole else [low, high]
    return keys
