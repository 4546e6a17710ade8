"""`wide_deep` (Cheng et al. 2016): a memory of crossed features beside a deep network.

- Wide: one weight for every pair of (last course, course in question) that training holds. Asked
  for a probability, also one for every value, and every pair of values, of what is known.
- Deep: the mean of the history's embeddings, the older ones faded, the last course's embedding and
  what is known (the learner's features; asked for a probability, the course in question as well),
  through ReLU layers.

Both parts add up to one logit and are trained together.
"""

from functools import cached_property
from typing import Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from recsweep.config.schema import NEXT_ITEM, PURCHASE, TEXT, UPLIFT
from recsweep.config.values import Sizes
from recsweep.data.batches import cut_windows
from recsweep.data.types import UNKNOWN, Int64, Targets, Training
from recsweep.models.cases import Cases, examples_of, labels_of
from recsweep.models.classifier import LogOdds, after, classifier, deep_layers
from recsweep.models.crosses import Crosses
from recsweep.models.fading import FadingConfig, faded_means
from recsweep.models.family import Build, Family
from recsweep.models.gradient import GradientConfig
from recsweep.models.losses import Memory
from recsweep.models.network import Encoder, Rows, relu_layers
from recsweep.models.protocol import Histories
from recsweep.models.ranker import RankingConfig, ranker
from recsweep.models.text.network import text_classifier
from recsweep.models.text.wide_deep import TextWideDeepConfig, WideDeepText
from recsweep.models.uplift import uplift


class WideDeepConfig(GradientConfig, FadingConfig):
    """Hyperparameters of `wide_deep`."""

    embedding_size: int = Field(ge=1)
    hidden_size: int | None = Field(None, ge=1)
    depth: int | None = Field(None, ge=1)
    hidden_sizes: Sizes | None = None  # of each layer, in place of both
    dropout: float = Field(ge=0, lt=1)
    wide_learning_rate: float = Field(gt=0)

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        given = (self.hidden_size is None, self.depth is None)
        if given != ((False, False) if self.hidden_sizes is None else (True, True)):
            raise ValueError("give hidden_size and depth, or hidden_sizes")
        return self

    @property
    def layers(self) -> tuple[int, ...]:
        """The sizes of the deep part's layers."""
        if self.hidden_sizes is not None:
            return self.hidden_sizes
        assert self.hidden_size is not None
        assert self.depth is not None
        return (self.hidden_size,) * self.depth


class RankingWideDeepConfig(WideDeepConfig, RankingConfig):
    """Those of one that ranks."""


class WideDeepEncoder(Encoder):
    """Deep states, and the wide memory."""

    pair_start: Tensor
    pair_item: Tensor
    pair: Tensor  # (n_pairs,) previous * n_items + next, ascending
    sized_by_training = ("pair_item", "wide")

    def __init__(self, config: RankingWideDeepConfig, training: Training) -> None:
        super().__init__()
        self.width, self.dim = config.layers[-1], config.embedding_size
        self.fading, n_items = config, training.n_items
        known = 2 * config.embedding_size + training.sequences.features.shape[1]
        sizes = [known, *config.layers]
        self.deep = nn.Sequential(nn.Dropout(config.dropout), *relu_layers(sizes, config.dropout))
        pair = pairs_of_windows(training)
        previous, item = np.divmod(pair, n_items)
        start = np.searchsorted(previous, np.arange(n_items + 1))
        self.register_buffer("pair_start", torch.from_numpy(start))
        self.register_buffer("pair_item", torch.from_numpy(item))
        self.register_buffer("pair", torch.from_numpy(pair), persistent=False)
        self.wide = nn.Parameter(torch.zeros(len(item)))

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        """(n_rows, longest, size of the last layer)."""
        mean = faded_means(inputs, rows, self.fading)
        features = rows.user_features[:, None].expand(-1, inputs.shape[1], -1)
        deep: Tensor = self.deep(torch.cat((mean, inputs, features), 2))
        return deep

    def memory(self, last_item: Tensor) -> Memory:
        """The weights of every pair that starts with the last item."""
        if last_item.is_cuda:
            return self.padded_memory(last_item)
        start = self.pair_start[last_item]
        count = self.pair_start[last_item + 1] - start
        state = torch.repeat_interleave(
            torch.arange(len(last_item), device=last_item.device), count
        )
        before = count.cumsum(0) - count
        pair = start[state] + torch.arange(len(state), device=state.device) - before[state]
        return Memory(state, self.pair_item[pair], self.wide[pair])

    @cached_property
    def most_pairs(self) -> int:
        """That start with one course."""
        return int(self.pair_start.diff().max())

    def padded_memory(self, last_item: Tensor) -> Memory:
        """The same with as many places a state as the most followed course needs, the rest worth 0.

        Its size is known without asking the device how many pairs there are, which would make the
        training loop wait.
        """
        item, value = self.padded_pairs(last_item)
        state = torch.arange(len(last_item), device=last_item.device)[:, None].expand_as(item)
        return Memory(state.flatten(), item.flatten(), value.flatten())

    def padded_pairs(self, last_item: Tensor) -> tuple[Tensor, Tensor]:
        """(n_states, most_pairs) items that followed each last item, and their weights."""
        start, end = self.pair_start[last_item], self.pair_start[last_item + 1]
        pair = start[:, None] + torch.arange(self.most_pairs, device=last_item.device)
        real = pair < end[:, None]
        pair = pair.clamp(max=max(0, len(self.wide) - 1))
        return self.pair_item[pair], torch.where(real, self.wide[pair], 0.0)

    def recall(self, last_item: Tensor, item: Tensor) -> Tensor:
        """The weights of single pairs, 0 where training has not seen one."""
        n_items = len(self.pair_start) - 1
        wanted = last_item * n_items + item
        at = torch.searchsorted(self.pair, wanted).clamp_(max=len(self.pair) - 1)
        return torch.where(self.pair[at] == wanted, self.wide[at], 0.0)


class WideDeepLogOdds(LogOdds):
    """Both parts; they add up to one logit."""

    pairs: Tensor
    sized_by_training = ("pairs", "wide_pairs")

    def __init__(self, config: WideDeepConfig, training: Training) -> None:
        super().__init__()
        examples, self.none, self.fading = examples_of(training), training.n_items, config
        labels = labels_of(examples)
        self.wide_crosses = Crosses(labels)
        pairs = torch.from_numpy(pairs_of_examples(examples, self.none))
        self.register_buffer("pairs", pairs)
        self.wide_pairs = nn.Parameter(torch.zeros(len(pairs) + 1))
        self.embedding = nn.Embedding(self.none + 1, config.embedding_size, padding_idx=self.none)
        width = 3 * config.embedding_size + labels.inputs.shape[1]
        self.deep = deep_layers((width, *config.layers), config.dropout)
        self.dropout = nn.Dropout(config.dropout)
        nn.init.normal_(self.embedding.weight, std=0.1)
        with torch.no_grad():
            self.embedding.weight[self.none] = 0

    def forward(self, cases: Cases) -> Tensor:
        """(n_examples,)."""
        key = self._last(cases.histories) * (self.none + 1) + cases.candidate
        place = torch.searchsorted(self.pairs, key).clamp(max=len(self.pairs) - 1)
        of_pair = torch.where(self.pairs[place] == key, self.wide_pairs[place], 0.0)
        states, candidate = self.states(cases.histories), self.embedding(cases.candidate)
        known = torch.cat((states, candidate, cases.inputs), 1)
        deep = self.deep(self.dropout(known)).squeeze(1)
        logits: Tensor = deep + self.wide_crosses(cases.inputs) + of_pair
        return logits

    def states(self, histories: Histories) -> Tensor:
        """(n_queries, 2 * embedding_size): the history's faded mean, and its last course."""
        means = faded_means(self.embedding(histories.items), histories, self.fading)
        mean = after(means, histories)
        return torch.cat((mean, self.embedding(self._last(histories))), 1)

    def _last(self, histories: Histories) -> Tensor:
        """(n_queries,) the last course of each history; `none` after none."""
        if not histories.items.shape[1]:
            return torch.full_like(histories.row, self.none)
        last = histories.items[histories.row, (histories.length - 1).clamp(min=0)]
        return torch.where(histories.length > 0, last, self.none)


def pairs_of_windows(training: Training) -> Int64:
    """(n_pairs,) ascending keys `previous course * n_items + next course` of training's targets."""
    windows = cut_windows(training, window=1)
    item = training.sequences.item.astype(np.int64)
    previous = item[windows.state[windows.target_state]]
    return np.unique(previous * training.n_items + item[windows.target])


def pairs_of_examples(examples: Targets, none: int) -> Int64:
    """(n_pairs,) ascending keys `last course * (none + 1) + course in question` of examples."""
    histories, length = examples.histories, examples.length.astype(np.int64)
    at = histories.offsets[examples.sequence] + length - 1
    items = np.append(histories.item, 0).astype(np.int64)
    last = np.where(length > 0, items[at], none)
    candidate = np.where(examples.item == UNKNOWN, none, examples.item)
    return np.unique(last * (none + 1) + candidate)


_answers = Build(WideDeepConfig, classifier(WideDeepLogOdds), uses_features=True, portrays=True)

FAMILY = Family(
    name="wide_deep",
    title="wide & deep",
    title_zh="wide & deep",
    role="baseline",
    tasks={
        NEXT_ITEM: Build(
            RankingWideDeepConfig, ranker(WideDeepEncoder), uses_features=True, portrays=True
        ),
        PURCHASE: _answers,
        UPLIFT: uplift(_answers),
        TEXT: Build(
            TextWideDeepConfig,
            text_classifier(WideDeepText),
            reads_order=False,  # of a history: there is none
            uses_features=True,
        ),
    },
)
