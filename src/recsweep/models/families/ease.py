"""`ease`: a linear model of courses in closed form (Steck 2019, EASE^R).

With X the learners' events by course and G = XᵀX, the weights between courses are, by eq. 8,

    P = (G + λI)⁻¹    B[i, j] = -P[i, j] / P[j, j], and 0 where i = j

and a history's score is the sum of its courses' rows of B, each weighted by its age. P is dense: at
its peak the computation holds two (n_items, n_items) matrices in double precision, 16 bytes a pair.
"""

from collections.abc import Mapping

import numpy as np
import torch
from pydantic import Field
from threadpoolctl import threadpool_limits
from torch import Tensor

from recsweep.config.schema import NEXT_ITEM
from recsweep.errors import BadInput
from recsweep.models.fading import FadingConfig
from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context, Histories
from recsweep.models.sparse import faded_histories, interactions
from recsweep.models.weights import TrainingWeights

MOST_COURSES = 20_000
"""A larger catalogue is refused; at this size the computation holds 6 GiB."""


class EaseConfig(FadingConfig, TrainingWeights):
    """Hyperparameters of `ease`."""

    regularization: float = Field(gt=0)  # λ


class Ease:
    """A `Recommender` around a dense matrix of weights between courses.

    Raises:
        BadInput: the catalogue has more than MOST_COURSES courses.
    """

    def __init__(self, config: EaseConfig, context: Context) -> None:
        self.config, self._context = config, context
        n = context.training.n_items
        if n > MOST_COURSES:
            raise BadInput(
                f"ease: {n:,} courses, at most {MOST_COURSES:,}:"
                f" its dense matrices would take {16 * n * n / 2**30:.0f} GiB"
            )
        self.weights = np.zeros((n, n), np.float32)

    def fit_epoch(self) -> None:
        """Solve for all weights at once; there is nothing to train further."""
        events = interactions(self._context.training, self.config).astype(np.float64)
        gram = (events.T @ events).toarray()
        gram[np.diag_indices_from(gram)] += self.config.regularization
        with threadpool_limits(1, "blas"):  # the same bits on any number of cores
            inverse = np.linalg.inv(gram)
        inverse /= -np.diag(inverse)
        np.fill_diagonal(inverse, 0)
        self.weights = inverse.astype(np.float32)

    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items)."""
        scores = [
            history @ self.weights
            for history in faded_histories(histories, self.config, len(self.weights))
        ]
        return torch.from_numpy(np.concatenate(scores)).to(self._context.device, torch.float32)

    def state(self) -> dict[str, Tensor]:
        """(n_items, n_items) weights."""
        return {"weights": torch.from_numpy(self.weights.copy())}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over weights."""
        self.weights = state["weights"].numpy()


FAMILY = Family(
    name="ease",
    title="linear autoencoder (EASE)",
    title_zh="线性自编码器（EASE）",
    role="baseline",
    tasks={
        NEXT_ITEM: Build(EaseConfig, Ease, epochs=1, random=False, reads_order=lambda c: c.fades)
    },
)
