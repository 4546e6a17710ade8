"""One epoch of a trial: the shape that journal, checkpoints, files, listeners and pages share."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from recsweep.data.types import Float64

BESIDE = ("epoch", "value", "user_values")
"""Of an epoch, what is kept elsewhere than in its entry."""
SOMETIMES = ("parameters", "model_bytes", "p99_ms", "joules", "joules_estimated")
"""What entries leave out where it isn't told."""


@dataclass(frozen=True, slots=True)
class EpochReport:
    """What all folds reached after one more epoch. Seconds are 0 where nobody kept them.

    `user_values`, the study's metric a user, is there until a trial's end alone.
    """

    epoch: int  # from 1
    value: float  # the study's metric, mean over folds
    metrics: Mapping[str, tuple[float, ...]]  # e.g. `ndcg@10` -> one value a fold
    losses: tuple[float | None, ...]  # mean training loss, one a fold; None: family has none
    fit_seconds: float = 0.0
    evaluate_seconds: float = 0.0
    user_values: tuple[Float64, ...] = field(default=(), repr=False)  # one a fold
    gradient_norms: tuple[float | None, ...] = ()  # mean over steps, one a fold; None: no gradient
    training_events: int | None = None  # that an epoch passes over, in all folds together
    memory_mb: float | None = None  # see `memory_in_use`
    joules: float | None = None  # of the epoch, where `energy` is asked for
    joules_estimated: float | None = None  # the part of them that no counter told
    # Of one model, told with the first epoch alone:
    parameters: int | None = None  # numbers in its state, on the fold with the most to learn from
    model_bytes: int | None = None  # of the same
    p99_ms: float | None = None  # of an answer to one learner: see `footprint.py`

    @property
    def seconds(self) -> float:
        """Of fitting and evaluating."""
        return self.fit_seconds + self.evaluate_seconds

    @property
    def curves(self) -> dict[str, tuple[float | None, ...]]:
        """All that has one value a fold, under its name in files and runs."""
        return {**self.metrics, "loss": self.losses, "gradient_norm": self.gradient_norms}

    def entry(self) -> dict[str, Any]:
        """What is kept of it beside epoch and value, as JSON can hold it."""
        kept = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in BESIDE}
        return {k: v for k, v in kept.items() if v is not None or k not in SOMETIMES}

    @classmethod
    def of_entry(cls, epoch: int, value: float, entry: Mapping[str, Any]) -> Self:
        """The inverse, of an entry that was JSON; what an older one lacks was not recorded.

        Raises:
            KeyError, TypeError: it is no entry.
        """
        kept: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in entry.items()
        }
        kept["metrics"] = {key: tuple(values) for key, values in entry["metrics"].items()}
        return cls(epoch, value, **kept)


def mean_of_known(values: tuple[float | None, ...]) -> float | None:
    """Mean over the folds that have a value; None: none has."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
