"""`base_rate`: training's share of each answer, for everybody. A floor with nothing to tune."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from recsweep.config.schema import PURCHASE, TEXT
from recsweep.data.types import Float64
from recsweep.models.cases import CaseBook, examples_of, labels_of, weights_of
from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context
from recsweep.models.text.linear import TextBaseRate
from recsweep.models.weights import TrainingWeights


class BaseRate:
    """Training's share of yes, for everybody."""

    def __init__(self, config: TrainingWeights, context: Context) -> None:
        self._config, self._training, self.share = config, context.training, 0.5

    def fit_epoch(self) -> None:
        """Count."""
        examples = examples_of(self._training)
        weights = weights_of(examples, self._config)
        self.share = float(np.average(labels_of(examples).bought, weights=weights))

    def probability(self, book: CaseBook) -> Float64:
        """(n_examples,)."""
        return np.full(len(book), self.share)

    def state(self) -> dict[str, Tensor]:
        """The share."""
        return {"share": torch.tensor(self.share, dtype=torch.float64)}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over a share."""
        self.share = float(state["share"])


FAMILY = Family(
    name="base_rate",
    title="base rate",
    title_zh="基准率",
    role="floor",
    tasks={
        PURCHASE: Build(TrainingWeights, BaseRate, epochs=1, random=False, reads_order=False),
        TEXT: Build(TrainingWeights, TextBaseRate, epochs=1, random=False, reads_order=False),
    },
)
