"""`sasrec`: causal self-attention over the history (Kang & McAuley 2018, SASRec).

The blocks and what they know of positions: `attention.py`. Asked for a probability, it reads what
`event_odds.py` says of an event.

Its twin `sasrec_unordered` has the same layers, and sees of the history only its faded mean: what
the network gains over its twin is what the sequence is worth beyond recency. In a sequence of one
there is nobody else to look at: heads and positions have no effect.
"""

import math
from functools import partial
from operator import attrgetter

from torch import Tensor, nn

from recsweep.config.schema import NEXT_ITEM, PURCHASE
from recsweep.data.types import Training
from recsweep.models.attention import AttentionConfig, AttentionLayers
from recsweep.models.classifier import after, classifier
from recsweep.models.event_odds import EventLogOdds, read_unordered
from recsweep.models.fading import RecencyConfig, on_faded_means
from recsweep.models.family import Build, Family
from recsweep.models.network import Encoder, Rows
from recsweep.models.protocol import Histories
from recsweep.models.ranker import RankingConfig, ranker


class RankingAttentionConfig(AttentionConfig, RankingConfig):
    """Hyperparameters where courses are ranked."""

    tied_embeddings: bool


class UnorderedRankingConfig(RankingAttentionConfig, RecencyConfig):
    """The twin's: the same, and how events fade."""


class UnorderedConfig(AttentionConfig, RecencyConfig):
    """The twin's where it is asked for a probability."""


class AttentionEncoder(Encoder):
    """Inputs of unit order, dropout, then the blocks; their states meet the courses as they are."""

    projects = False

    def __init__(self, config: RankingAttentionConfig, training: Training) -> None:
        super().__init__()
        self.width = self.dim = config.embedding_size
        self.tied = config.tied_embeddings
        self.dropout = nn.Dropout(config.dropout)
        self.layers = AttentionLayers(config)

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        """(n_rows, longest, width)."""
        states: Tensor = self.layers(self.embedded(inputs), rows.time)
        return states

    def embedded(self, inputs: Tensor) -> Tensor:
        """The courses' vectors have length 1 at the start."""
        dropped: Tensor = self.dropout(inputs * math.sqrt(self.dim))
        return dropped


class UnorderedEncoder(AttentionEncoder):
    """The same blocks on the faded mean of the events so far, as a sequence of one."""

    def __init__(self, config: UnorderedRankingConfig, training: Training) -> None:
        super().__init__(config, training)
        self.fading = config

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        """Every place by itself."""
        return on_faded_means(self.layers, self.embedded(inputs), rows, self.fading)


class AttentionLogOdds(EventLogOdds):
    """The blocks between."""

    def __init__(self, config: AttentionConfig, training: Training) -> None:
        super().__init__(
            partial(AttentionLayers, config),
            training,
            embedding_size=config.embedding_size,
            width=config.embedding_size,
            hidden_size=config.embedding_size,
            dropout=config.dropout,
        )

    def read(self, inputs: Tensor, histories: Histories) -> Tensor:
        """One run serves all queries of a row."""
        return after(self.layers(inputs, histories.time), histories)


class UnorderedLogOdds(AttentionLogOdds):
    """The same blocks on the faded mean of the events, as a sequence of one."""

    def __init__(self, config: UnorderedConfig, training: Training) -> None:
        super().__init__(config, training)
        self.fading = config

    def read(self, inputs: Tensor, histories: Histories) -> Tensor:
        """Once a query."""
        return read_unordered(self.layers, inputs, histories, self.fading)


_fades = attrgetter("fades")

FAMILIES = (
    Family(
        name="sasrec",
        title="SASRec",
        title_zh="SASRec",
        role="network",
        twin="sasrec_unordered",
        tasks={
            NEXT_ITEM: Build(
                RankingAttentionConfig,
                ranker(AttentionEncoder),
                uses_features=True,
                portrays=True,
            ),
            PURCHASE: Build(
                AttentionConfig,
                classifier(AttentionLogOdds),
                uses_features=True,
                portrays=True,
                needs_history=True,
            ),
        },
    ),
    Family(
        name="sasrec_unordered",
        title="SASRec without order",
        title_zh="无序 SASRec",
        role="control",
        tasks={
            NEXT_ITEM: Build(
                UnorderedRankingConfig,
                ranker(UnorderedEncoder),
                reads_order=_fades,
                uses_features=True,
                portrays=True,
            ),
            PURCHASE: Build(
                UnorderedConfig,
                classifier(UnorderedLogOdds),
                reads_order=_fades,
                uses_features=True,
                portrays=True,
                needs_history=True,
            ),
        },
    ),
)
