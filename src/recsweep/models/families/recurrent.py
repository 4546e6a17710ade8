"""`gru` and `lstm`: recurrent networks over the history (Hidasi et al. 2016, GRU4Rec).

Their twins `gru_unordered` and `lstm_unordered` have the same layers, and see of the history only
its faded mean: what a network gains over its twin is what the sequence is worth beyond recency.

Asked for a probability, they read what `event_odds.py` says of an event; asked for a text's label,
its characters or words (`text/recurrent.py`).
"""

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from recsweep.config.schema import NEXT_ITEM, PURCHASE, TEXT, UPLIFT
from recsweep.data.types import Training
from recsweep.models.classifier import after, classifier
from recsweep.models.event_odds import EventLogOdds, read_unordered
from recsweep.models.fading import RecencyConfig, on_faded_means
from recsweep.models.family import Build, Family
from recsweep.models.network import Encoder, Rows
from recsweep.models.protocol import Histories
from recsweep.models.ranker import RankingConfig, ranker
from recsweep.models.stacks import Cell, StackConfig, run, stack, states_of
from recsweep.models.text.network import text_classifier
from recsweep.models.text.recurrent import RecurrentText, TextStackConfig
from recsweep.models.uplift import uplift


class RankingStackConfig(StackConfig, RankingConfig):
    """Those of one that ranks."""

    tied_embeddings: bool
    input_dropout: float | None = Field(None, ge=0, lt=1)  # of course vectors; None: as dropout
    layer_norm: bool = False  # of what goes into the stack and of what comes out (Ba et al. 2016)


class PurchaseStackConfig(StackConfig):
    """Those of one that is asked for a probability."""

    bidirectional: bool = False  # the whole history lies before the example: both ways are open

    @property
    def both_ways(self) -> bool:  # noqa: D102
        return self.bidirectional


class RecurrentEncoder(Encoder):
    """Dropout, then a stack of recurrent layers with dropout between and after them; a layer norm
    at both ends, if asked for, which leaves the recurrence as it is.
    """

    def __init__(self, cell: Cell, config: RankingStackConfig, training: Training) -> None:
        super().__init__()
        self.width, self.dim = config.hidden_size, config.embedding_size
        self.tied = config.tied_embeddings
        self.dropout = nn.Dropout(config.dropout)
        into = config.dropout if config.input_dropout is None else config.input_dropout
        self.input_dropout, norms = nn.Dropout(into), config.layer_norm
        self.norm_in = nn.LayerNorm(self.dim) if norms else nn.Identity()
        self.norm_out = nn.LayerNorm(self.width) if norms else nn.Identity()
        self.recurrence = stack(cell, config)

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        """Run the recurrence from a zero state."""
        dropped: Tensor = self.dropout(self.norm_out(self.recur(self.read(inputs), rows)))
        return dropped

    def read(self, inputs: Tensor) -> Tensor:
        """What goes into the stack."""
        read: Tensor = self.input_dropout(self.norm_in(inputs))
        return read

    def recur(self, inputs: Tensor, rows: Rows) -> Tensor:
        """(n_rows, longest, width)."""
        return run(self.recurrence, inputs, self.dropout)


class UnorderedConfig(RankingStackConfig, RecencyConfig):
    """Hyperparameters of `gru_unordered` and `lstm_unordered`: the same, and how events fade."""


class UnorderedEncoder(RecurrentEncoder):
    """The same stack on the faded mean of the events so far, as a sequence of one."""

    def __init__(self, cell: Cell, config: UnorderedConfig, training: Training) -> None:
        super().__init__(cell, config, training)
        self.fading = config

    def recur(self, inputs: Tensor, rows: Rows) -> Tensor:
        """Every place by itself, from a zero state."""
        return on_faded_means(partial(states_of, self.recurrence), inputs, rows, self.fading)


class UnorderedPurchaseConfig(StackConfig, RecencyConfig):
    """Those of one without order that is asked for a probability."""


class RecurrentLogOdds(EventLogOdds):
    """A stack of recurrent layers between."""

    layers: nn.GRU | nn.LSTM

    def __init__(self, cell: Cell, config: StackConfig, training: Training) -> None:
        super().__init__(
            partial(stack, cell, config),
            training,
            embedding_size=config.embedding_size,
            width=config.hidden_size * (2 if config.both_ways else 1),
            hidden_size=config.hidden_size,
            dropout=config.dropout,
        )

    def read(self, inputs: Tensor, histories: Histories) -> Tensor:
        """Forwards, one run serves all queries of a row."""
        if self.layers.bidirectional:
            return self._both_ways(inputs, histories)
        return after(run(self.layers, inputs, self.dropout), histories)

    def _both_ways(self, inputs: Tensor, histories: Histories) -> Tensor:
        """Backwards, each query needs a run of its own: it begins at the query's last event."""
        out = inputs.new_zeros(len(histories.row), 2 * self.layers.hidden_size)
        some = torch.nonzero(histories.length).squeeze(1)
        if not len(some):
            return out
        packed = pack_padded_sequence(
            inputs[histories.row[some]],
            histories.length[some].cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        _, last = self.layers(packed)
        state = last[0] if isinstance(last, tuple) else last
        return torch.index_copy(out, 0, some, torch.cat((state[-2], state[-1]), 1))


class UnorderedLogOdds(RecurrentLogOdds):
    """The same layers on the faded mean of the events, as a sequence of one."""

    def __init__(self, cell: Cell, config: UnorderedPurchaseConfig, training: Training) -> None:
        super().__init__(cell, config, training)
        self.fading = config

    def read(self, inputs: Tensor, histories: Histories) -> Tensor:
        """Once a query."""
        return read_unordered(partial(states_of, self.layers), inputs, histories, self.fading)


_ranks: Callable[..., Build[Any, Any]] = partial(Build, uses_features=True, portrays=True)
_answers: Callable[..., Build[Any, Any]] = partial(_ranks, needs_history=True)


def _family(name: str, cell: Cell) -> Family:
    answers = _answers(PurchaseStackConfig, classifier(partial(RecurrentLogOdds, cell)))
    return Family(
        name=name,
        title=name.upper(),
        title_zh=name.upper(),
        role="network",
        twin=f"{name}_unordered",
        tasks={
            NEXT_ITEM: _ranks(RankingStackConfig, ranker(partial(RecurrentEncoder, cell))),
            PURCHASE: answers,
            UPLIFT: uplift(answers),
            TEXT: Build(
                TextStackConfig,
                text_classifier(partial(RecurrentText, cell)),
                reads_order=False,  # of a history: there is none
                uses_features=True,
            ),
        },
    )


def _twin(name: str, cell: Cell) -> Family:
    encoder, network = partial(UnorderedEncoder, cell), partial(UnorderedLogOdds, cell)
    order = attrgetter("fades")
    answers = _answers(UnorderedPurchaseConfig, classifier(network), reads_order=order)
    return Family(
        name=f"{name}_unordered",
        title=f"{name.upper()} without order",
        title_zh=f"无序 {name.upper()}",
        role="control",
        tasks={
            NEXT_ITEM: _ranks(UnorderedConfig, ranker(encoder), reads_order=order),
            PURCHASE: answers,
            UPLIFT: uplift(answers),
        },
    )


FAMILIES = tuple(
    make(name, cell)
    for make in (_family, _twin)
    for name, cell in (("gru", nn.GRU), ("lstm", nn.LSTM))
)
