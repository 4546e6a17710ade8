"""How the learning rate moves over training, the same for every family trained by gradient.

It is a function of the epochs trained so far, and not of those still to come: so a refit of as many
epochs as the folds chose trains as the trial did, and stopping early cuts nothing short.
"""

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from recsweep.models.weights import TrainingWeights

LAST = 0.01
"""What is left of the learning rate once it has decayed."""


class ScheduledConfig(TrainingWeights):
    """What becomes of the learning rate."""

    learning_rate_schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup_epochs: float = Field(0.0, ge=0)  # in which it rises from 0
    decay_epochs: float | None = Field(None, gt=0)  # after those, in which it falls to LAST of it

    @model_validator(mode="after")
    def _decays_over_some_epochs(self) -> Self:
        if (self.learning_rate_schedule == "constant") is not (self.decay_epochs is None):
            raise ValueError("learning_rate_schedule linear or cosine and decay_epochs go together")
        return self

    @property
    def scheduled(self) -> bool:
        """Does the rate ever move?"""
        return self.warmup_epochs > 0 or self.decay_epochs is not None

    def share_of_rate(self, epochs: float) -> float:
        """What the rate is multiplied by once so many epochs were trained, the running step counted
        in: a linear rise (Goyal et al. 2017, section 2.2), then a linear or a cosine fall
        (Loshchilov & Hutter 2017, eq. 5, without restarts).
        """
        if epochs < self.warmup_epochs:
            return epochs / self.warmup_epochs
        if self.decay_epochs is None:
            return 1.0
        gone = min(1.0, (epochs - self.warmup_epochs) / self.decay_epochs)
        linear = self.learning_rate_schedule == "linear"
        left = 1 - gone if linear else (1 + math.cos(math.pi * gone)) / 2
        return LAST + (1 - LAST) * left
