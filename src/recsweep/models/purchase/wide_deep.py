"""`wide_deep` (Cheng et al. 2016): crossed features beside a deep network, trained together.

- Wide: a weight for every value, for every pair of values of what is known, and for every pair of
  (last course, course in question) that training holds.
- Deep: the mean of the history's embeddings, the last course's, that of the course in question and
  all that is known, through ReLU layers.
"""

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from recsweep.data.types import UNKNOWN, Int64, Targets, Training
from recsweep.models.protocol import Context
from recsweep.models.purchase.cases import Cases
from recsweep.models.purchase.crosses import Crosses
from recsweep.models.purchase.factorization import sums_after
from recsweep.models.purchase.gradient import (
    GradientPurchaser,
    PurchaseConfig,
    PurchaseNet,
    deep_layers,
    examples_of,
    labels_of,
)
from recsweep.models.purchase.protocol import Purchaser


class WideDeepPurchaseConfig(PurchaseConfig):
    """Hyperparameters of `wide_deep`."""

    embedding_size: int = Field(ge=1)
    hidden_size: int = Field(ge=1)
    depth: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)
    wide_learning_rate: float = Field(gt=0)


class WideDeepPurchaseNet(PurchaseNet):
    """Both parts; they add up to one logit."""

    pairs: Tensor

    def __init__(self, config: WideDeepPurchaseConfig, training: Training) -> None:
        super().__init__()
        labels, none = labels_of(training), training.n_items
        self.none = none
        self.wide_crosses = Crosses(labels)
        pairs = torch.from_numpy(observed_pairs(examples_of(training), none + 1))
        self.register_buffer("pairs", pairs)
        self.wide_pairs = nn.Parameter(torch.zeros(len(pairs) + 1))
        self.embedding = nn.Embedding(none + 1, config.embedding_size, padding_idx=none)
        width = 3 * config.embedding_size + labels.inputs.shape[1]
        self.deep = deep_layers(width, config.hidden_size, config.depth, config.dropout)
        self.dropout = nn.Dropout(config.dropout)
        nn.init.normal_(self.embedding.weight, std=0.1)
        with torch.no_grad():
            self.embedding.weight[none] = 0

    def forward(self, cases: Cases) -> Tensor:
        """(n_examples,)."""
        last = self._last(cases)
        key = last * (self.none + 1) + cases.candidate
        place = torch.searchsorted(self.pairs, key).clamp(max=len(self.pairs) - 1)
        seen = self.pairs[place] == key
        of_pair = torch.where(seen, self.wide_pairs[place], 0.0)
        known = (self.states(cases), self.embedding(cases.candidate), cases.inputs)
        deep = self.deep(self.dropout(torch.cat(known, 1))).squeeze(1)
        logits: Tensor = deep + self.wide_crosses(cases.inputs) + of_pair
        return logits

    def states(self, cases: Cases) -> Tensor:
        """(n_examples, 2 * embedding_size): the history's mean, and its last course."""
        total = sums_after(self.embedding(cases.items))[cases.row, cases.length]
        mean = total / cases.length.clamp(min=1)[:, None]
        return torch.cat((mean, self.embedding(self._last(cases))), 1)

    def _last(self, cases: Cases) -> Tensor:
        """(n_examples,) the last course of each history; `none` after none."""
        if not cases.items.shape[1]:
            return torch.full_like(cases.candidate, self.none)
        last = cases.items[cases.row, (cases.length - 1).clamp(min=0)]
        return torch.where(cases.length > 0, last, self.none)


def observed_pairs(examples: Targets, width: int) -> Int64:
    """(n_pairs,) ascending keys `last course * width + course in question` of the examples."""
    histories, length = examples.histories, examples.length.astype(np.int64)
    at = histories.offsets[examples.sequence] + length - 1
    items = np.append(histories.item, 0).astype(np.int64)
    last = np.where(length > 0, items[at], width - 1)
    candidate = np.where(examples.item == UNKNOWN, width - 1, examples.item)
    return np.unique(last * width + candidate)


def build_wide_deep(config: WideDeepPurchaseConfig, context: Context) -> Purchaser:
    """An untrained wide & deep model."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        net = WideDeepPurchaseNet(config, context.training)
    return GradientPurchaser(net, config, context)
