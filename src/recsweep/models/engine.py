"""The name of the arithmetic that models are trained with."""

from recsweep.config.schema import Experiment, Resources
from recsweep.models.bf16.library import library

ENGINE = "torch-eager-2"
"""In every record. Its number goes up with a change that moves last bits: another order
of sums in a layer, a loss or an optimiser. Where it differs, `reproduce` allows for the spread of
seeds.
"""
BF16_ENGINE = 3
"""The same of `bf16/`, after the name of its product; the compiler follows."""


def engine_of(resources: Resources) -> str:
    """What trains with these resources on this machine."""
    if resources.precision == "bf16" and not resources.gpu and (found := library()):
        return f"{found.product}-{BF16_ENGINE}, {found.compiler}"
    return ENGINE


def with_precision(experiment: Experiment, begun: str | None = None) -> Experiment:
    """`precision: auto` settled as the study began, or for this machine: none records `auto`.

    Args:
        experiment: what is asked.
        begun: the precision of the study's earlier sessions; None: there are none.
    """
    resources = experiment.resources
    if resources.precision != "auto":
        return experiment
    precision = begun or ("bf16" if not resources.gpu and library() else "fp32")
    return experiment.model_copy(
        update={"resources": resources.model_copy(update={"precision": precision})}
    )
