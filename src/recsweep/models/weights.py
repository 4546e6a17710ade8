"""How much each training event says: the same choices, with the same ranges, for every family.

An event weighs v(type) · 2^-(days before the last event / half-life), over the mean of what is
learned from together. So weights have mean 1: rates, penalties and confidences keep their meaning,
and of the types' weights only their ratios matter. Families that count add up weights instead of
events (for ALS, in the confidence of Hu, Koren & Volinsky 2008, section 4); those that minimise a
loss multiply each target's loss by its weight. So an event of weight two is an event that came
twice.

Weights are of training alone. How the history at hand fades is another choice: `fading.py`.
"""

from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from recsweep.data.clock import DAY
from recsweep.data.types import KINDS, Float64, Int64
from recsweep.errors import BadInput
from recsweep.models.protocol import FamilyConfig

SMALLEST = 1e-12
"""What weighs less than this, against a mean of 1, weighs nothing: its square must not vanish."""


class TrainingWeights(FamilyConfig):
    """The hyperparameters of what training events weigh, of every family."""

    training_fading: Literal["none", "time"] = "none"
    training_half_life_days: float | None = Field(None, gt=0)
    weight_browse: float = Field(1.0, ge=0)
    weight_favourite: float = Field(1.0, ge=0)
    weight_purchase: float = Field(1.0, ge=0)
    weight_comment: float = Field(1.0, ge=0)
    weight_rate: float = Field(1.0, ge=0)
    weight_watch: float = Field(1.0, ge=0)

    @model_validator(mode="after")
    def _weights_are_complete(self) -> Self:
        if (self.training_fading == "time") != (self.training_half_life_days is not None):
            raise ValueError("training_fading time and training_half_life_days go together")
        if not self._of_kinds.any():
            raise ValueError("no weight_<type> is above 0")
        return self

    @property
    def _of_kinds(self) -> Float64:
        return np.array([getattr(self, f"weight_{kind}") for kind in KINDS])

    def weights(self, time: Int64, kind: NDArray[np.int8] | None) -> Float64 | None:
        """(n,) what events (targets, examples) weigh, with mean 1; None: all the same.

        Args:
            time: (n,) microseconds.
            kind: (n,) event types; None: not told, and all are alike.

        Raises:
            BadInput: none of them weighs anything.
        """
        if not len(time):
            return None
        weights: Float64 = np.ones(len(time)) if kind is None else self._of_kinds[kind]
        if kind is not None and not weights.any():
            held = ", ".join(f"weight_{KINDS[each]}" for each in np.unique(kind))
            raise BadInput(f"{held} = 0: no training event weighs anything")
        if self.training_half_life_days is not None:
            # Seen from the last one that weighs anything, so that one of them always does.
            before = (time - time[weights > 0].max()) / DAY
            weights = weights * np.exp2(np.minimum(before, 0) / self.training_half_life_days)
        if (weights == weights[0]).all():
            return None
        weights = weights / weights.mean()
        return np.where(weights < SMALLEST, 0.0, weights)
