"""`smoothed_counts`: shares of counts, each drawn to the average by a prior of so many events.

Where courses are ranked, how many learners of the history's courses had each other one; asked about
a purchase, how many looks at the course ended in one. It draws no number and sees no order.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from recsweep.data.types import Float64
from recsweep.models.cases import CaseBook, examples_of, labels_of
from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context, Histories
from recsweep.models.sparse import interactions
from recsweep.models.weights import TrainingWeights


class SmoothedCountsConfig(TrainingWeights):
    """How far a share is drawn to that of all."""

    prior: float = Field(gt=0)  # events


class Neighbours:
    """(n_items, n_items) shares: of the learners with one course, who also had the other."""

    def __init__(self, config: SmoothedCountsConfig, context: Context) -> None:
        self._config, self._training = config, context.training
        self.shares = torch.zeros(context.training.n_items, context.training.n_items)

    def fit_epoch(self) -> None:
        """Count."""
        had = (interactions(self._training, self._config) > 0).astype(np.float64)
        learners, both = np.asarray(had.sum(axis=0)).ravel(), (had.T @ had).toarray()
        np.fill_diagonal(both, 0)
        average = learners / had.shape[0]
        shares = (both + self._config.prior * average) / (learners[:, None] + self._config.prior)
        self.shares = torch.from_numpy(shares).float()

    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items)."""
        items = histories.items[histories.row]
        read = torch.arange(items.shape[1]) < histories.length[:, None]
        counts = torch.zeros(len(items), len(self.shares)).scatter_add_(1, items, read.float())
        return counts @ self.shares

    def state(self) -> dict[str, Tensor]:
        """The shares."""
        return {"shares": self.shares.clone()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over shares."""
        self.shares = state["shares"]


class Purchases:
    """(n_items + 1,) shares of looks that ended in a purchase; the last of an unknown course."""

    def __init__(self, config: SmoothedCountsConfig, context: Context) -> None:
        self._prior, self._training = config.prior, context.training
        self.shares: Float64 = np.full(context.training.n_items + 1, 0.5)

    def fit_epoch(self) -> None:
        """Count."""
        examples, n = examples_of(self._training), len(self.shares)
        bought = labels_of(examples).bought.astype(np.float64)
        looks = np.bincount(examples.item, minlength=n)
        hits = np.bincount(examples.item, bought, minlength=n)
        self.shares = (hits + self._prior * bought.mean()) / (looks + self._prior)

    def probability(self, book: CaseBook) -> Float64:
        """(n_examples,)."""
        return np.asarray(self.shares[book.targets.item])  # UNKNOWN, -1, is the last

    def state(self) -> dict[str, Tensor]:
        """The shares."""
        return {"shares": torch.from_numpy(self.shares.copy())}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over shares."""
        self.shares = state["shares"].numpy()


FAMILY = Family(
    name="smoothed_counts",
    title="smoothed counts",
    title_zh="平滑计数",
    role="baseline",
    tasks={
        "next_item": Build(
            SmoothedCountsConfig, Neighbours, epochs=1, random=False, reads_order=False
        ),
        "purchase": Build(
            SmoothedCountsConfig, Purchases, epochs=1, random=False, reads_order=False
        ),
    },
    spaces=Path(__file__).parent / "spaces",
)
