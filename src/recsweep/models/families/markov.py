"""`markov`: what followed the last courses most often.

The evidence for course j is the sum over the events i of the last `memory` instants of
w_i · T[i, j], where w_i is how the event weighs by its age (`fading.py`) and T[i, j] how often j
came in the instant after one with i, each time by its training weight (`weights.py`); an instant of
several courses shares its one transition among them. With `memory` 1 it is the first-order chain.
"""

from collections.abc import Mapping

import numpy as np
import torch
from pydantic import Field
from scipy.sparse import csr_matrix, diags
from torch import Tensor

from recsweep.config.schema import NEXT_ITEM
from recsweep.data.arrays import changes
from recsweep.models.fading import FadingConfig
from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context, Histories
from recsweep.models.sparse import faded_histories, from_state, to_state
from recsweep.models.weights import TrainingWeights

TIE = 1e-3
"""Popularity, below 1, times this decides between courses of equal evidence."""
BLOCK_VALUES = 1 << 20
"""So much evidence is dense at once, in double precision: 8 MiB."""


class MarkovConfig(FadingConfig, TrainingWeights):
    """Hyperparameters of `markov`."""

    memory: int = Field(1, ge=1)  # instants of the history that it reads


class Markov:
    """Transitions between instants; popularity decides where they are silent or equal."""

    def __init__(self, config: MarkovConfig, context: Context) -> None:
        self._context, self._config = context, config
        n = context.training.n_items
        self.transitions = csr_matrix((n, n))
        self.popularity = torch.zeros(n)

    def fit_epoch(self) -> None:
        """Count transitions from each instant of a learner to the next.

        In double precision, so that equal sums of thirds are equal scores, which tie.
        """
        training = self._context.training
        sequences, n_items = training.sequences, training.n_items
        owner = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))
        instant = np.cumsum(changes(owner) | changes(sequences.time)) - 1
        shape = (int(instant[-1]) + 1, n_items)
        ones = np.ones(len(instant))
        held = csr_matrix((ones, (instant, sequences.item)), shape)
        weights = self._config.weights(sequences.time, sequences.kind)
        came = held
        if weights is not None:
            came = csr_matrix((weights, (instant, sequences.item)), shape)
        share = diags(1 / np.bincount(instant)) @ held
        owner_of = np.zeros(shape[0], np.int64)
        owner_of[instant] = owner
        follows = np.flatnonzero(owner_of[1:] == owner_of[:-1])
        self.transitions = csr_matrix(share[follows].T @ came[follows + 1])
        counts = torch.from_numpy(np.bincount(sequences.item, weights, minlength=n_items)).float()
        self.popularity = counts / (counts.max() + 1)

    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items)."""
        n_items, memory = len(self.popularity), self._config.memory
        found, step = [], max(1, BLOCK_VALUES // n_items)
        for recent in faded_histories(histories, self._config, n_items, memory):
            for first in range(0, recent.shape[0], step):
                block = (recent[first : first + step] @ self.transitions).toarray()
                evidence = torch.from_numpy(block)
                scores = torch.where(evidence > 0, 1 + evidence, 0) + TIE * self.popularity
                found.append(scores.to(self._context.device, torch.float32))
        return torch.cat(found)

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
    tasks={NEXT_ITEM: Build(MarkovConfig, Markov, epochs=1, random=False)},
)
