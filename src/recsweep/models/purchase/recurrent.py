"""`gru` and `lstm`: the history's events in order, then the course in question.

An event is its course, its type, the time since the event before and, if declared, its dwell. The
state after the last event that an example may read meets the course in two ways: as a product with
its vector, and through ReLU layers together with everything else that is known.
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from recsweep.data.types import KINDS, Training
from recsweep.models.protocol import Context
from recsweep.models.purchase.cases import Cases
from recsweep.models.purchase.gradient import (
    GradientPurchaser,
    PurchaseConfig,
    PurchaseNet,
    deep_layers,
    labels_of,
)
from recsweep.models.purchase.protocol import Purchaser
from recsweep.models.recurrence import run_gru


class RecurrentPurchaseConfig(PurchaseConfig):
    """Hyperparameters of `gru` and `lstm`."""

    depth: int = Field(ge=1)
    hidden_size: int = Field(ge=1)
    embedding_size: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)
    bidirectional: bool = False  # the whole history lies before the example: both ways are open


class RecurrentPurchaseNet(PurchaseNet):
    """Course, type and gap in; states; course and inputs out."""

    item_features: Tensor

    def __init__(
        self, cell: type[nn.GRU | nn.LSTM], config: RecurrentPurchaseConfig, training: Training
    ) -> None:
        super().__init__()
        size = config.embedding_size
        features = torch.from_numpy(training.item_features)
        self.register_buffer("item_features", features, persistent=False)
        self.embedding = nn.Embedding(training.n_items + 1, size, padding_idx=training.n_items)
        self.of_features = nn.Linear(features.shape[1], size, bias=False)
        self.of_kind = nn.Embedding(len(KINDS), size)
        self.of_gap = nn.Linear(1, size, bias=False)
        self.recurrence = cell(
            size,
            config.hidden_size,
            config.depth,
            batch_first=True,
            dropout=config.dropout if config.depth > 1 else 0.0,
            bidirectional=config.bidirectional,
        )
        width = config.hidden_size * (2 if config.bidirectional else 1)
        n_inputs = labels_of(training).inputs.shape[1]
        self.dropout = nn.Dropout(config.dropout)
        self.project = nn.Linear(width, size, bias=False)
        self.output = nn.Embedding(training.n_items + 1, size, padding_idx=training.n_items)
        self.out_inputs = nn.Linear(n_inputs, size, bias=False)
        self.deep = deep_layers(width + size + n_inputs, config.hidden_size, 1, config.dropout)
        n_event_features = len(training.event_columns)
        self.of_events = nn.Linear(n_event_features, size, bias=False) if n_event_features else None
        nn.init.normal_(self.output.weight, std=0.01)
        nn.init.zeros_(self.out_inputs.weight)

    def forward(self, cases: Cases) -> Tensor:
        """(n_examples,)."""
        state = self.dropout(self.states(cases))
        course = self.output(cases.candidate) + self.out_inputs(cases.inputs)
        embedded = self.embedding(cases.candidate)
        product = (self.project(state) * course).sum(1)
        deep = self.deep(torch.cat((state, embedded, cases.inputs), 1)).squeeze(1)
        logits: Tensor = product + deep
        return logits

    def states(self, cases: Cases) -> Tensor:
        """(n_examples, width) after the events that each example may read; 0 after none."""
        features = cases.item_features
        if features is None:
            features = self.item_features[cases.items]
        inputs = (
            self.embedding(cases.items)
            + self.of_features(features)
            + self.of_kind(cases.kinds)
            + self.of_gap(cases.gaps[..., None])
        )
        if self.of_events is not None:
            inputs = inputs + self.of_events(cases.event_features)
        inputs = self.dropout(inputs)
        if self.recurrence.bidirectional:
            return self._both_ways(inputs, cases)
        start = inputs.new_zeros(len(inputs), 1, self.recurrence.hidden_size)
        if not inputs.shape[1]:  # nobody here has a history
            return torch.index_select(start[:, 0], 0, cases.row)
        if isinstance(self.recurrence, nn.GRU) and inputs.device.type == "cpu":
            grid = run_gru(self.recurrence, inputs, self.dropout)
        else:
            grid, _ = self.recurrence(inputs)
        with_none = torch.cat((start.to(grid.dtype), grid), 1)
        states: Tensor = with_none[cases.row, cases.length]
        return states

    def _both_ways(self, inputs: Tensor, cases: Cases) -> Tensor:
        """Backwards, each example needs a run of its own: it begins at the example's last event."""
        hidden = self.recurrence.hidden_size
        out = inputs.new_zeros(len(cases.row), 2 * hidden)
        some = torch.nonzero(cases.length).squeeze(1)
        if not len(some):
            return out
        packed = pack_padded_sequence(
            inputs[cases.row[some]],
            cases.length[some].cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        _, last = self.recurrence(packed)
        state = last[0] if isinstance(last, tuple) else last
        return out.index_copy(0, some, torch.cat((state[-2], state[-1]), 1))


def build_gru(config: RecurrentPurchaseConfig, context: Context) -> Purchaser:
    """An untrained GRU."""
    return _build(nn.GRU, config, context)


def build_lstm(config: RecurrentPurchaseConfig, context: Context) -> Purchaser:
    """An untrained LSTM."""
    return _build(nn.LSTM, config, context)


def _build(
    cell: type[nn.GRU | nn.LSTM], config: RecurrentPurchaseConfig, context: Context
) -> Purchaser:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        net = RecurrentPurchaseNet(cell, config, context.training)
    return GradientPurchaser(net, config, context)
