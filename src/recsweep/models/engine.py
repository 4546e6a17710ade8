"""The name of the arithmetic that models are trained with."""

from recsweep.config.schema import Resources
from recsweep.models.bf16.library import library

ENGINE = "torch-eager-1"
"""In every record. Its number goes up with a change that moves last bits: another order
of sums in a layer, a loss or an optimiser. Where it differs, `reproduce` allows for the spread of
seeds.
"""
BF16_ENGINE = 1
"""The same of `bf16/kernels.cpp`, after the name of its product; the compiler follows."""


def engine_of(resources: Resources) -> str:
    """What trains with these resources on this machine."""
    if resources.precision == "bf16" and not resources.gpu and (found := library()):
        return f"{found.product}-{BF16_ENGINE}, {found.compiler}"
    return ENGINE
