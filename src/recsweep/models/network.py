"""The network of a family trained by gradient: an encoder of histories and one output layer.

An encoder maps (items, user features) to a state after every place of a history, seeing nothing
past that place. The score of item j in a state s is `s · w_j + b_j`, plus whatever the family
remembers of the course just before (wide & deep).

A cold item, without an event in training, has no parameters of its own: it is the mean of the known
items plus what its features say, on the way in and on the way out. It is no negative in training,
where its absence tells nothing.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor, nn

from recsweep.data.types import Training
from recsweep.models import losses
from recsweep.models.tables import rows


class Rows(Protocol):
    """Rows of histories, of a training batch or of queries; see there for the shapes."""

    @property
    def items(self) -> Tensor: ...  # noqa: D102
    @property
    def user_features(self) -> Tensor: ...  # noqa: D102
    @property
    def event_features(self) -> Tensor | None: ...  # noqa: D102
    @property
    def time(self) -> Tensor | None: ...  # noqa: D102


class Encoder(nn.Module):
    """What a family brings: its states."""

    width: int  # of its states
    dim: int  # of the item vectors
    projects: bool = True  # does a linear layer take the states to the item vectors' width?
    tied: bool = False  # do courses have one vector, for the way in and the way out?

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        """(n_rows, longest, width) states from the rows' embedded items, of the same shape."""
        raise NotImplementedError

    def memory(self, last_item: Tensor) -> losses.Memory | None:
        """Extra logits for states whose last items are (n_states,)."""
        return None

    def recall(self, last_item: Tensor, item: Tensor) -> Tensor | None:
        """The same for single (last item, item) pairs, of any two shapes that broadcast."""
        return None


class Network(nn.Module):
    """Item embeddings and features, an encoder, and the output layer over the catalogue."""

    item_features: Tensor

    def __init__(
        self, encoder: Encoder, training: Training, sparse: bool, embedding_dropout: float
    ) -> None:
        super().__init__()
        self.embedding_dropout = embedding_dropout
        self.encoder, self._n_cold = encoder, training.n_cold
        n_items, dim, tied = training.n_known, encoder.dim, encoder.tied
        self.sparse = sparse  # are gradients of the tables kept to the rows in use?
        features = torch.from_numpy(training.item_features)
        self.register_buffer("item_features", features, persistent=False)
        # Scaled so that a tied table gives logits of unit order at the start.
        self.embedding = nn.Parameter(torch.randn(n_items, dim) / math.sqrt(dim))
        self.output = None if tied else nn.Parameter(torch.randn(n_items, dim) / math.sqrt(dim))
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.project = nn.Linear(encoder.width, dim) if encoder.projects else nn.Identity()
        # Zero at first: features start as no effect and earn one.
        self.user = nn.Parameter(torch.zeros(training.sequences.features.shape[1], dim))
        self.item_in = nn.Parameter(torch.zeros(features.shape[1], dim))
        self.item_out = nn.Parameter(torch.zeros(features.shape[1], dim))
        # What is said of an event, beside its course, moves the course's vector on the way in.
        n_event_features = len(training.event_columns)
        self.event_in = (
            nn.Parameter(torch.zeros(n_event_features, dim)) if n_event_features else None
        )

    @property
    def tables(self) -> list[nn.Parameter]:
        """(n_items, dim) each."""
        return [self.embedding] if self.output is None else [self.embedding, self.output]

    def states(self, rows: Rows) -> Tensor:
        """(n_rows, longest, dim), each from the places up to its own."""
        if self.sparse and (self.training or self._n_cold == 0):
            inputs = self._rows(self.embedding, self.item_in, rows.items)
        else:
            table = self._table(self.embedding, self.item_in)
            inputs = nn.functional.embedding(rows.items, table)
        if self.event_in is not None:
            assert rows.event_features is not None  # training has them, so histories have
            inputs = inputs + rows.event_features @ self.event_in
        if self.embedding_dropout and self.training:
            inputs = inputs * self._kept()[rows.items][..., None]
        projected: Tensor = self.project(self.encoder(inputs, rows))
        return projected + (rows.user_features @ self.user)[:, None]

    def _kept(self) -> Tensor:
        """(n_known,) 0 of the courses that are dropped from all histories of a batch, more of the
        rest (Gal & Ghahramani 2016, section 4.2; Merity et al. 2018, section 4.3).
        """
        ones = torch.ones(len(self.embedding), device=self.embedding.device)
        return nn.functional.dropout(ones, self.embedding_dropout)

    def catalogue(self) -> Tensor:
        """(n_items, dim) output vectors; in training (n_known, dim)."""
        return self._table(self.tables[-1], self.item_out)

    def biases(self) -> Tensor:
        """(n_items,)."""
        return self._with_mean(self.bias)

    def vectors(self, *items: Tensor) -> list[Tensor]:
        """Output vectors of some known items."""
        if self.sparse:
            return [self._rows(self.tables[-1], self.item_out, each) for each in items]
        catalogue = self.catalogue()
        return [catalogue[each] for each in items]

    def _table(self, free: Tensor, of_features: Tensor) -> Tensor:
        features = self.item_features
        if self.training:  # histories and targets hold known items only
            features = features[: len(free)]
        else:
            free = self._with_mean(free)
        if len(of_features) == 0 and not torch.is_grad_enabled():
            return free  # a copy of the whole catalogue for each block that is ranked
        return torch.addmm(free, features, of_features)

    def _rows(self, free: Tensor, of_features: Tensor, items: Tensor) -> Tensor:
        return rows(free, items) + self.item_features[items] @ of_features

    def _with_mean(self, of_known: Tensor) -> Tensor:
        """The mean of the known items stands in for every cold one."""
        if self._n_cold == 0:
            return of_known
        mean = of_known.mean(0, keepdim=True)
        return torch.cat((of_known, mean.expand(self._n_cold, *of_known.shape[1:])))


def relu_layers(sizes: Sequence[int], dropout: float) -> list[nn.Module]:
    """A linear layer, ReLU and dropout from each size to the next."""
    return [
        layer
        for before, after in pairwise(sizes)
        for layer in (nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout))
    ]
