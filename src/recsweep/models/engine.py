"""The name of the arithmetic that models are trained with."""

from recsweep.config.schema import Resources
from recsweep.models.amx_library import library

ENGINE = "torch-eager-1"
"""In every record. Its number goes up with a change that moves last bits: another order
of sums in a layer, a loss or an optimiser. Where it differs, `reproduce` allows for the spread of
seeds.
"""
AMX_ENGINE = "amx-1"
"""The same of `amx.cpp`, with the compiler behind it."""


def engine_of(resources: Resources) -> str:
    """What trains with these resources on this machine."""
    if resources.precision == "bf16" and not resources.gpu and (found := library()):
        return f"{AMX_ENGINE}, {found.compiler}"
    return ENGINE
