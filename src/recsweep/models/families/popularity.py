"""`popularity`: every course by its number of training events. A floor with nothing to tune."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context, FamilyConfig, Histories


class Popularity:
    """Every course by its number of training events."""

    def __init__(self, config: FamilyConfig, context: Context) -> None:
        self._context = context
        self.counts = torch.zeros(context.training.n_items, device=context.device)

    def fit_epoch(self) -> None:
        """Count."""
        training = self._context.training
        counts = np.bincount(training.sequences.item, minlength=training.n_items)
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
    tasks={"next_item": Build(FamilyConfig, Popularity, epochs=1, random=False, reads_order=False)},
)
