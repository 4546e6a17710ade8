"""`gru` and `lstm`: recurrent networks over the history (Hidasi et al. 2016, GRU4Rec).

Their twins `gru_unordered` and `lstm_unordered` have the same layers, and see of the history only
its faded mean: what a network gains over its twin is what the sequence is worth beyond recency.

Asked for a probability, an event is its course, its type, the time since the event before and, if
declared, its dwell. The state after the last event that an example may read meets the course in two
ways: as a product with its vector, and through ReLU layers together with everything else that is
known.
"""

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from recsweep.config.schema import NEXT_ITEM, PURCHASE
from recsweep.data.clock import DAY
from recsweep.data.types import KINDS, Training
from recsweep.models.cases import Cases, examples_of, labels_of
from recsweep.models.classifier import LogOdds, after, classifier, deep_layers
from recsweep.models.fading import FadingConfig, faded_means
from recsweep.models.family import Build, Family
from recsweep.models.gradient import GradientConfig
from recsweep.models.network import Encoder, Rows
from recsweep.models.protocol import Histories
from recsweep.models.ranker import RankingConfig, ranker
from recsweep.models.recurrence import run_gru

Cell = type[nn.GRU | nn.LSTM]


class StackConfig(GradientConfig):
    """The hyperparameters of a stack of recurrent layers."""

    depth: int = Field(ge=1)
    hidden_size: int = Field(ge=1)
    embedding_size: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)

    @property
    def both_ways(self) -> bool:
        """Is a history read from its end as well?"""
        return False


class RankingStackConfig(StackConfig, RankingConfig):
    """Those of one that ranks."""

    tied_embeddings: bool


class PurchaseStackConfig(StackConfig):
    """Those of one that is asked for a probability."""

    bidirectional: bool = False  # the whole history lies before the example: both ways are open

    @property
    def both_ways(self) -> bool:  # noqa: D102
        return self.bidirectional


def _stack(cell: Cell, config: StackConfig) -> nn.GRU | nn.LSTM:
    return cell(
        config.embedding_size,
        config.hidden_size,
        config.depth,
        batch_first=True,
        dropout=config.dropout if config.depth > 1 else 0.0,
        bidirectional=config.both_ways,
    )


def _run(stack: nn.GRU | nn.LSTM, inputs: Tensor, dropout: nn.Module) -> Tensor:
    """(n_rows, longest, hidden_size) states from a zero state."""
    ours = isinstance(stack, nn.GRU) and inputs.device.type == "cpu"
    if ours and not torch.onnx.is_in_onnx_export():  # ONNX has an operator for the whole layer
        assert isinstance(stack, nn.GRU)
        return run_gru(stack, inputs, dropout)
    states: Tensor = stack(inputs)[0]
    return states


class RecurrentEncoder(Encoder):
    """Dropout, then a stack of recurrent layers with dropout between and after them."""

    def __init__(self, cell: Cell, config: RankingStackConfig, training: Training) -> None:
        super().__init__()
        self.width, self.dim = config.hidden_size, config.embedding_size
        self.tied = config.tied_embeddings
        self.dropout = nn.Dropout(config.dropout)
        self.recurrence = _stack(cell, config)

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        """Run the recurrence from a zero state."""
        dropped: Tensor = self.dropout(_run(self.recurrence, self.dropout(inputs), self.dropout))
        return dropped


class UnorderedConfig(RankingStackConfig, FadingConfig):
    """Hyperparameters of `gru_unordered` and `lstm_unordered`: the same, and how events fade."""


class UnorderedEncoder(RecurrentEncoder):
    """The same stack on the faded mean of the events so far, as a sequence of one."""

    def __init__(self, cell: Cell, config: UnorderedConfig, training: Training) -> None:
        super().__init__(cell, config, training)
        self.fading = config

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        """Every place by itself, from a zero state."""
        means = faded_means(self.dropout(inputs), rows, self.fading)
        states, _ = self.recurrence(means.flatten(0, 1)[:, None])
        dropped: Tensor = self.dropout(states.view(*inputs.shape[:2], -1))
        return dropped


class UnorderedPurchaseConfig(StackConfig, FadingConfig):
    """Those of one without order that is asked for a probability."""


class RecurrentLogOdds(LogOdds):
    """Course, type and gap in; states; course and inputs out."""

    item_features: Tensor

    def __init__(self, cell: Cell, config: StackConfig, training: Training) -> None:
        super().__init__()
        size, n, none = config.embedding_size, training.n_items + 1, training.n_items
        features = torch.from_numpy(training.item_features)
        self.register_buffer("item_features", features, persistent=False)
        self.embedding = nn.Embedding(n, size, padding_idx=none)
        self.of_features = nn.Linear(features.shape[1], size, bias=False)
        self.of_kind = nn.Embedding(len(KINDS), size)
        self.of_gap = nn.Linear(1, size, bias=False)
        self.recurrence = _stack(cell, config)
        width = config.hidden_size * (2 if config.both_ways else 1)
        n_inputs = labels_of(examples_of(training)).inputs.shape[1]
        self.dropout = nn.Dropout(config.dropout)
        self.project = nn.Linear(width, size, bias=False)
        self.output = nn.Embedding(n, size, padding_idx=none)
        self.out_inputs = nn.Linear(n_inputs, size, bias=False)
        self.deep = deep_layers(width + size + n_inputs, config.hidden_size, 1, config.dropout)
        n_event_features = len(training.event_columns)
        self.of_events = nn.Linear(n_event_features, size, bias=False) if n_event_features else None
        nn.init.normal_(self.output.weight, std=0.01)
        with torch.no_grad():
            self.output.weight[none] = 0  # a course that training doesn't know has no vector
        nn.init.zeros_(self.out_inputs.weight)

    def forward(self, cases: Cases) -> Tensor:
        """(n_examples,)."""
        state = self.dropout(self.states(cases.histories))
        course = self.output(cases.candidate) + self.out_inputs(cases.inputs)
        embedded = self.embedding(cases.candidate)
        product = (self.project(state) * course).sum(1)
        deep = self.deep(torch.cat((state, embedded, cases.inputs), 1)).squeeze(1)
        logits: Tensor = product + deep
        return logits

    def states(self, histories: Histories) -> Tensor:
        """(n_queries, width) after the events that each may read; 0 after none."""
        assert histories.kinds is not None  # whoever lays out examples has both
        assert histories.time is not None
        days = histories.time.diff(dim=1, prepend=histories.time[:, :1]).double() / DAY
        gaps = days.clamp(min=0).log1p().float()
        features = histories.item_features
        if features is None:
            features = self.item_features[histories.items]
        inputs = (
            self.embedding(histories.items)
            + self.of_features(features)
            + self.of_kind(histories.kinds)
            + self.of_gap(gaps[..., None])
        )
        if self.of_events is not None:
            inputs = inputs + self.of_events(histories.event_features)
        if not inputs.shape[1]:  # nobody here has a history
            return torch.zeros(len(histories.row), self.project.in_features, device=inputs.device)
        return self._read(self.dropout(inputs), histories)

    def _read(self, inputs: Tensor, histories: Histories) -> Tensor:
        if self.recurrence.bidirectional:
            return self._both_ways(inputs, histories)
        return after(_run(self.recurrence, inputs, self.dropout), histories)

    def _both_ways(self, inputs: Tensor, histories: Histories) -> Tensor:
        """Backwards, each query needs a run of its own: it begins at the query's last event."""
        out = inputs.new_zeros(len(histories.row), 2 * self.recurrence.hidden_size)
        some = torch.nonzero(histories.length).squeeze(1)
        if not len(some):
            return out
        packed = pack_padded_sequence(
            inputs[histories.row[some]],
            histories.length[some].cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        _, last = self.recurrence(packed)
        state = last[0] if isinstance(last, tuple) else last
        return torch.index_copy(out, 0, some, torch.cat((state[-2], state[-1]), 1))


class UnorderedLogOdds(RecurrentLogOdds):
    """The same layers on the faded mean of the events, as a sequence of one."""

    def __init__(self, cell: Cell, config: UnorderedPurchaseConfig, training: Training) -> None:
        super().__init__(cell, config, training)
        self.fading = config

    def _read(self, inputs: Tensor, histories: Histories) -> Tensor:
        means = after(faded_means(inputs, histories, self.fading), histories)
        states: Tensor = self.recurrence(means[:, None])[0][:, 0]
        return torch.where(histories.length[:, None] > 0, states, 0.0)


_ranks: Callable[..., Build[Any, Any]] = partial(Build, uses_features=True, portrays=True)
_answers: Callable[..., Build[Any, Any]] = partial(_ranks, needs_history=True)


def _family(name: str, cell: Cell) -> Family:
    return Family(
        name=name,
        title=name.upper(),
        title_zh=name.upper(),
        role="network",
        twin=f"{name}_unordered",
        tasks={
            NEXT_ITEM: _ranks(RankingStackConfig, ranker(partial(RecurrentEncoder, cell))),
            PURCHASE: _answers(PurchaseStackConfig, classifier(partial(RecurrentLogOdds, cell))),
        },
    )


def _twin(name: str, cell: Cell) -> Family:
    encoder, network = partial(UnorderedEncoder, cell), partial(UnorderedLogOdds, cell)
    order = attrgetter("fades")
    return Family(
        name=f"{name}_unordered",
        title=f"{name.upper()} without order",
        title_zh=f"无序 {name.upper()}",
        role="control",
        tasks={
            NEXT_ITEM: _ranks(UnorderedConfig, ranker(encoder), reads_order=order),
            PURCHASE: _answers(UnorderedPurchaseConfig, classifier(network), reads_order=order),
        },
    )


FAMILIES = tuple(
    make(name, cell)
    for make in (_family, _twin)
    for name, cell in (("gru", nn.GRU), ("lstm", nn.LSTM))
)
