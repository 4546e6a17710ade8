"""`popularity` and `markov`: the untuned floors that every tuned family must beat."""

from collections.abc import Mapping

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor

from recsweep.data.batches import cut_windows
from recsweep.models.protocol import Context, FamilyConfig, Histories, Recommender


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
        self.transitions = torch.sparse_coo_tensor(
            torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0), (n, n)
        ).to_sparse_csr()
        self.popularity = torch.zeros(n)

    def fit_epoch(self) -> None:
        """Count the transitions that the gradient families are trained on."""
        training = self._context.training
        windows = cut_windows(training, window=1)
        item = torch.from_numpy(training.sequences.item.astype(np.int64))
        pairs = torch.stack((item[windows.state[windows.target_state]], item[windows.target]))
        size = (training.n_items, training.n_items)
        self.transitions = (
            torch.sparse_coo_tensor(pairs, torch.ones(pairs.shape[1]), size, check_invariants=False)
            .coalesce()
            .to_sparse_csr()
        )
        counts = torch.bincount(item, minlength=training.n_items).float()
        self.popularity = counts / (counts.max() + 1)  # below 1: never overrules a transition

    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items)."""
        last = histories.items[histories.row, histories.length - 1].cpu()
        scores = self.popularity.expand(len(last), -1).clone()
        start, item, count = (
            self.transitions.crow_indices(),
            self.transitions.col_indices(),
            self.transitions.values(),
        )
        lengths = start[last + 1] - start[last]
        query = torch.repeat_interleave(torch.arange(len(last)), lengths)
        shift = start[last] - (lengths.cumsum(0) - lengths)
        entry = torch.arange(len(query)) + shift[query]
        scores[query, item[entry]] += count[entry]
        return scores.to(self._context.device)

    def state(self) -> dict[str, Tensor]:
        """Transition counts in compressed rows, and popularity below one."""
        return {
            "start": self.transitions.crow_indices().clone(),
            "item": self.transitions.col_indices().clone(),
            "count": self.transitions.values().clone(),
            "popularity": self.popularity.clone(),
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over counts."""
        n = len(state["popularity"])
        self.transitions = torch.sparse_csr_tensor(
            state["start"], state["item"], state["count"], (n, n), check_invariants=True
        )
        self.popularity = state["popularity"]


def build_popularity(config: BaseModel, context: Context) -> Recommender:
    """Popularity that has counted nothing yet."""
    return Popularity(context)


def build_markov(config: BaseModel, context: Context) -> Recommender:
    """A chain that has counted nothing yet."""
    return Markov(context)
