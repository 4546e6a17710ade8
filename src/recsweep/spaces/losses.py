"""The losses that an experiment names, in the space of every family that is trained by gradient.

A space file offers some losses; `losses` of an experiment puts others in their place, with the same
ranges in every family. `search_spaces/shared/losses.yaml` has what a loss brings along.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from recsweep.config.files import read_yaml
from recsweep.config.schema import Loss
from recsweep.config.values import Value
from recsweep.models.family import Builds
from recsweep.spaces.bundled import BUNDLED
from recsweep.spaces.files import parse_space
from recsweep.spaces.space import Space

LOSSES: tuple[Loss, ...] = get_args(Loss)
SHARED = BUNDLED / "shared" / "losses.yaml"


def with_losses(
    space: Space, losses: Sequence[Loss], families: Builds, *, own: bool = True
) -> Space:
    """The space with these losses in place of those that families share.

    Args:
        space: of a family; one without a choice of losses stays as it is.
        losses: at least one.
        families: of the task.
        own: does a loss that only this family has (ALS) stay a choice?

    Raises:
        BadInput: the family doesn't take what comes of it.
    """
    chosen = space.parameters.get("loss")
    if chosen is None:
        return space
    allowed = (*(v for v in chosen.choices if own and v not in LOSSES), *losses)
    shared, keys = read_yaml(SHARED), space.declared().keys_as_declared()
    keys["parameters"] = dict(_parameters({**keys["parameters"], **shared["parameters"]}, allowed))
    fixed = {**space.fixed, **({"loss": allowed[0]} if len(allowed) == 1 else {})}
    whens = {name: _when(space.fixed_when.get(name, {}), allowed) for name in fixed}
    keys["fixed"] = {name: value for name, value in fixed.items() if whens[name] is not None}
    keys["fixed_when"] = {name: when for name, when in whens.items() if when}
    missing = dict(shared["defaults"])
    for config in (*reversed(space.first_trials), space.defaults):
        missing |= config
    keys["defaults"] = _fitting({**missing, **space.defaults}, keys["parameters"], allowed)
    keys["first_trials"] = [
        _fitting({**missing, **space.defaults, **changes}, keys["parameters"], allowed)
        for changes in space.first_trials
        if {**space.defaults, **changes}["loss"] in allowed
    ]
    return parse_space(keys, Path(f"{space.family} with losses {', '.join(losses)}"), families)


def _parameters(
    declared: Mapping[str, Any], allowed: Sequence[Value]
) -> list[tuple[str, dict[str, Any]]]:
    """Those that exist with any allowed loss."""
    found = []
    for name, parameter in declared.items():
        when = _when(parameter.get("when", {}), allowed)
        if name == "loss":
            if len(allowed) > 1:
                found.append((name, {**parameter, "choice": list(allowed), "when": when}))
        elif when is not None:
            found.append((name, {**parameter, "when": when}))
    return found


def _when(
    when: Mapping[str, Sequence[Value]], allowed: Sequence[Value]
) -> dict[str, Sequence[Value]] | None:
    """Beside which values something exists now; None: with none of the allowed losses. What exists
    with the full softmax exists with every loss that is trained by gradient.
    """
    found = dict(when)
    if "loss" in found:
        named = set(found.pop("loss"))
        if "cross_entropy" in named:
            named |= set(LOSSES)
        those = [loss for loss in allowed if loss in named]
        if not those:
            return None
        if len(allowed) > 1:
            found["loss"] = those
    return found


def _fitting(
    config: Mapping[str, Value], parameters: Mapping[str, Any], allowed: Sequence[Value]
) -> dict[str, Value]:
    """A first configuration with a loss that is allowed, and all that exists with it."""
    loss = config["loss"] if config["loss"] in allowed else allowed[0]
    whole = {**config, "loss": loss}
    return {
        name: whole[name]
        for name, parameter in parameters.items()
        if name in whole
        and all(whole.get(other) in those for other, those in parameter["when"].items())
    }
