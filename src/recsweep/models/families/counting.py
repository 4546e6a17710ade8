"""`popularity` and `markov`: the untuned floors that every tuned family must beat."""

from collections.abc import Mapping

import numpy as np
import torch
from pydantic import BaseModel
from scipy.sparse import csr_matrix
from torch import Tensor

from recsweep.data.batches import cut_windows
from recsweep.models.protocol import Context, FamilyConfig, Histories, Recommender
from recsweep.models.sparse import from_state, to_state


class NoConfig(FamilyConfig):
    """A floor has nothing to tune."""


class Popularity:
    """Every course by its number of training events."""

    def __init__(self, context: Context) -> None:
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


class Markov:
    """First-order transitions from the last course; popularity decides where they are silent."""

    def __init__(self, context: Context) -> None:
        self._context = context
        n = context.training.n_items
        self.transitions = csr_matrix((n, n), dtype=np.float32)
        self.popularity = torch.zeros(n)

    def fit_epoch(self) -> None:
        """Count the transitions that the gradient families are trained on."""
        training = self._context.training
        windows = cut_windows(training, window=1)
        item = training.sequences.item
        pairs = (item[windows.state[windows.target_state]], item[windows.target])
        ones = np.ones(windows.n_targets, np.float32)
        self.transitions = csr_matrix((ones, pairs), self.transitions.shape)
        counts = torch.from_numpy(np.bincount(item, minlength=training.n_items)).float()
        self.popularity = counts / (counts.max() + 1)  # below 1: never overrules a transition

    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items)."""
        last = histories.items[histories.row, histories.length - 1].cpu().numpy()
        counts = torch.from_numpy(self.transitions[last].toarray())
        return (counts + self.popularity).to(self._context.device)

    def state(self) -> dict[str, Tensor]:
        """Transition counts in compressed rows, and popularity below one."""
        return to_state(self.transitions) | {"popularity": self.popularity.clone()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over counts."""
        self.transitions = from_state(state)
        self.popularity = state["popularity"]


def build_popularity(config: BaseModel, context: Context) -> Recommender:
    """Popularity that has counted nothing yet."""
    return Popularity(context)


def build_markov(config: BaseModel, context: Context) -> Recommender:
    """A chain that has counted nothing yet."""
    return Markov(context)
