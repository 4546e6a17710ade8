"""`markov`: what followed the last course most often. A floor with nothing to tune."""

from collections.abc import Mapping

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from recsweep.data.batches import cut_windows
from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context, FamilyConfig, Histories
from recsweep.models.sparse import from_state, to_state


class Markov:
    """First-order transitions from the last course; popularity decides where they are silent."""

    def __init__(self, config: FamilyConfig, context: Context) -> None:
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


FAMILY = Family(
    name="markov",
    title="Markov chain",
    title_zh="马尔可夫链",
    role="floor",
    tasks={"next_item": Build(FamilyConfig, Markov, epochs=1, random=False)},
)
