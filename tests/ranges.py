"""Parameters and spaces that are made up."""

from typing import Any

from recsweep.models.protocol import FamilyConfig
from recsweep.spaces.parameter import Parameter
from recsweep.spaces.space import Space


def parameter(name: str = "p", **keys: Any) -> Parameter:
    """One range, with what every range has to say of itself."""
    return Parameter.model_validate({"name": name, "role": "nuisance", "why": "x", **keys})


def space(*parameters: Parameter) -> Space:
    """Of these alone."""
    return Space(family="a", parameters={p.name: p for p in parameters}, config=FamilyConfig)
