"""`popularity`: every course by its training events, the older ones faded."""

from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from recsweep.config.schema import NEXT_ITEM
from recsweep.data.clock import DAY
from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context, Histories
from recsweep.models.weights import TrainingWeights


class PopularityConfig(TrainingWeights):
    """Hyperparameters of `popularity`. It reads no history, so its events fade by time alone: what
    `training_fading` does in every family, by the name that its space has had.
    """

    fading: Literal["none", "time"] = "none"
    half_life_days: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _fading_is_complete(self) -> Self:
        if self.fading == "time" and self.half_life_days is None:
            raise ValueError("fading time needs half_life_days")
        return self


class Popularity:
    """Every course by the weight of its training events: 2^-(days before the last / half-life)."""

    def __init__(self, config: PopularityConfig, context: Context) -> None:
        self._context, self._config = context, config
        self.counts = torch.zeros(context.training.n_items, device=context.device)

    def fit_epoch(self) -> None:
        """Count."""
        training, config = self._context.training, self._config
        item, time = training.sequences.item, training.sequences.time
        weight = config.weights(time, training.sequences.kind)
        if config.half_life_days is not None:
            faded = np.exp2((time - time.max()) / (DAY * config.half_life_days))
            weight = faded if weight is None else weight * faded
        counts = np.bincount(item, weight, minlength=training.n_items)
        self.counts = torch.from_numpy(counts).to(self._context.device, torch.float32)

    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items), the same row for everybody."""
        return self.counts.expand(len(histories.row), -1).clone()

    def state(self) -> dict[str, Tensor]:
        """The counts."""
        return {"counts": self.counts.clone()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over counts."""
        self.counts = state["counts"].to(self._context.device)


FAMILY = Family(
    name="popularity",
    title="popularity",
    title_zh="热门度",
    role="floor",
    tasks={
        NEXT_ITEM: Build(PopularityConfig, Popularity, epochs=1, random=False, reads_order=False)
    },
)
