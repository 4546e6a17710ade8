"""`gru` and `lstm`: recurrent networks over the history (Hidasi et al. 2016, GRU4Rec)."""

import torch
from pydantic import Field
from torch import Tensor, nn

from recsweep.models.family import Build, Family
from recsweep.models.network import Encoder, Network
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

    def forward(self, inputs: Tensor, items: Tensor, user_features: Tensor) -> Tensor:
        """Run the recurrence from a zero state."""
        dropped_in = self.dropout(inputs)
        if isinstance(self.recurrence, nn.GRU) and dropped_in.device.type == "cpu":
            states = run_gru(self.recurrence, dropped_in, self.dropout)
        else:
            states, _ = self.recurrence(dropped_in)
        dropped: Tensor = self.dropout(states)
        return dropped


def build_gru(config: RecurrentConfig, context: Context) -> Recommender:
    """An untrained GRU."""
    return _build(nn.GRU, config, context)


def build_lstm(config: RecurrentConfig, context: Context) -> Recommender:
    """An untrained LSTM."""
    return _build(nn.LSTM, config, context)


def _build(cell: type[nn.GRU | nn.LSTM], config: RecurrentConfig, context: Context) -> Recommender:
    training = context.training
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        network = Network(
            RecurrentEncoder(cell, config),
            torch.from_numpy(training.item_features),
            training.sequences.features.shape[1],
            config.embedding_size,
            config.tied_embeddings,
            n_cold=training.n_cold,
            n_event_features=len(training.event_columns),
        )
    return Neural(network, config, context)


FAMILIES = tuple(
    Family(
        name=name,
        title=name.upper(),
        title_zh=name.upper(),
        role="network",
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
    for name, ranks, buys in (
        ("gru", build_gru, purchase.build_gru),
        ("lstm", build_lstm, purchase.build_lstm),
    )
)
