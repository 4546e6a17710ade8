"""`gru` and `lstm`: recurrent networks over the history (Hidasi et al. 2016, GRU4Rec).

Their twins `gru_unordered` and `lstm_unordered` have the same layers, and see of the history only
its faded mean: what a network gains over its twin is what the sequence is worth beyond recency.
"""

from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from recsweep.models.fading import FadingConfig, faded_means
from recsweep.models.family import Build, Family
from recsweep.models.network import Encoder, Network, Rows
from recsweep.models.neural import GradientConfig, Neural
from recsweep.models.protocol import Context, Recommender
from recsweep.models.purchase import recurrent as purchase
from recsweep.models.recurrence import run_gru


class RecurrentConfig(GradientConfig):
    """Hyperparameters of `gru` and `lstm`."""

    depth: int = Field(ge=1)
    hidden_size: int = Field(ge=1)
    embedding_size: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)
    tied_embeddings: bool


class RecurrentEncoder(Encoder):
    """Dropout, then a stack of recurrent layers with dropout between and after them."""

    def __init__(self, cell: type[nn.GRU | nn.LSTM], config: RecurrentConfig) -> None:
        super().__init__()
        self.width = config.hidden_size
        self.dropout = nn.Dropout(config.dropout)
        self.recurrence = cell(
            config.embedding_size,
            config.hidden_size,
            config.depth,
            batch_first=True,
            dropout=config.dropout if config.depth > 1 else 0.0,
        )

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        """Run the recurrence from a zero state."""
        dropped_in = self.dropout(inputs)
        if isinstance(self.recurrence, nn.GRU) and dropped_in.device.type == "cpu":
            states = run_gru(self.recurrence, dropped_in, self.dropout)
        else:
            states, _ = self.recurrence(dropped_in)
        dropped: Tensor = self.dropout(states)
        return dropped


class UnorderedConfig(RecurrentConfig, FadingConfig):
    """Hyperparameters of `gru_unordered` and `lstm_unordered`: the same, and how events fade."""


class UnorderedEncoder(RecurrentEncoder):
    """The same stack on the faded mean of the events so far, as a sequence of one."""

    def __init__(self, cell: type[nn.GRU | nn.LSTM], config: UnorderedConfig) -> None:
        super().__init__(cell, config)
        self.fading = config

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        """Every place by itself, from a zero state."""
        means = faded_means(self.dropout(inputs), rows, self.fading)
        states, _ = self.recurrence(means.flatten(0, 1)[:, None])
        dropped: Tensor = self.dropout(states.view(*inputs.shape[:2], -1))
        return dropped


def build_gru(config: RecurrentConfig, context: Context) -> Recommender:
    """An untrained GRU."""
    return _build(nn.GRU, config, context)


def build_lstm(config: RecurrentConfig, context: Context) -> Recommender:
    """An untrained LSTM."""
    return _build(nn.LSTM, config, context)


def build_gru_unordered(config: UnorderedConfig, context: Context) -> Recommender:
    """An untrained GRU that can't see order."""
    return _build(nn.GRU, config, context)


def build_lstm_unordered(config: UnorderedConfig, context: Context) -> Recommender:
    """An untrained LSTM that can't see order."""
    return _build(nn.LSTM, config, context)


def _encoder(cell: type[nn.GRU | nn.LSTM], config: RecurrentConfig) -> RecurrentEncoder:
    if isinstance(config, UnorderedConfig):
        return UnorderedEncoder(cell, config)
    return RecurrentEncoder(cell, config)


def _build(cell: type[nn.GRU | nn.LSTM], config: RecurrentConfig, context: Context) -> Recommender:
    training = context.training
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        network = Network(
            _encoder(cell, config),
            torch.from_numpy(training.item_features),
            training.sequences.features.shape[1],
            config.embedding_size,
            config.tied_embeddings,
            n_cold=training.n_cold,
            n_event_features=len(training.event_columns),
        )
    return Neural(network, config, context)


def _family(name: str, ranks: Any, buys: Any) -> Family:
    return Family(
        name=name,
        title=name.upper(),
        title_zh=name.upper(),
        role="network",
        twin=f"{name}_unordered",
        tasks={
            "next_item": Build(RecurrentConfig, ranks, uses_features=True, portrays=True),
            "purchase": Build(
                purchase.RecurrentPurchaseConfig,
                buys,
                uses_features=True,
                needs_history=True,
                portrays=True,
            ),
        },
    )


def _twin(name: str, ranks: Any) -> Family:
    return Family(
        name=f"{name}_unordered",
        title=f"{name.upper()} without order",
        title_zh=f"无序 {name.upper()}",
        role="control",
        tasks={
            "next_item": Build(
                UnorderedConfig,
                ranks,
                reads_order=lambda config: config.fades,
                uses_features=True,
                portrays=True,
            ),
        },
    )


FAMILIES = (
    _family("gru", build_gru, purchase.build_gru),
    _family("lstm", build_lstm, purchase.build_lstm),
    _twin("gru", build_gru_unordered),
    _twin("lstm", build_lstm_unordered),
)
