"""Families that give the probability of an answer and are trained by gradient.

The loss is binary cross-entropy. Imbalance needs no weights here: answers weigh the same, so that
probabilities stay probabilities, and the output starts at the log-odds of training's share of yes.
What depends on a decision (threshold, precision, recall) is left to the threshold.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from recsweep.data.types import Float64, Training
from recsweep.models.cases import CaseBook, Cases, examples_of, labels_of, weights_of
from recsweep.models.gradient import GradientConfig, HistoryModel
from recsweep.models.network import relu_layers
from recsweep.models.protocol import Context, Histories

C = TypeVar("C", bound=GradientConfig)


class LogOdds(nn.Module):
    """What a family brings."""

    base: Tensor  # () float64, the log-odds that all examples start from

    def forward(self, cases: Cases) -> Tensor:
        """(n_examples,) log-odds above the base."""
        raise NotImplementedError

    def states(self, histories: Histories) -> Tensor:
        """(n_queries, width) what it makes of each history before it looks at a course."""
        raise NotImplementedError


class GradientClassifier(HistoryModel[LogOdds, Cases]):
    """A `Classifier` around a `LogOdds` network."""

    def __init__(
        self, network: Callable[[C, Training], LogOdds], config: C, context: Context
    ) -> None:
        super().__init__(lambda: network(config, context.training), config, context)
        examples = examples_of(context.training)
        weights = weights_of(examples, config)
        least = 0.5 / max(len(examples), 1)  # weights can leave examples of one answer only
        share = 0.5  # of no examples: a state will say
        if len(examples):
            share = float(np.average(labels_of(examples).bought, weights=weights))
        share = min(max(share, least), 1 - least)
        base = torch.tensor(math.log(share / (1 - share)), dtype=torch.float64)
        self.network.register_buffer("base", base.to(context.device))
        self._weight = None
        if weights is not None:
            self._weight = torch.from_numpy(weights).to(context.device, torch.float32)
        self._book = CaseBook(examples, context.training.n_items, context.device)

    @property
    def entries(self) -> int:
        """Learners."""
        return len(self.context.training.sequences)

    def training_batches(self, seed: int) -> Iterator[Cases]:
        """Learners with all their examples."""
        return self._book.epoch(self.batch_size, seed)

    def loss(self, batch: Cases) -> tuple[Tensor, int]:
        """Binary cross-entropy."""
        weight = None if self._weight is None else self._weight[torch.from_numpy(batch.at)]
        logits = self._logits(batch)
        return binary_cross_entropy_with_logits(logits, batch.bought, weight), len(batch.at)

    @torch.inference_mode()
    def probability(self, book: CaseBook) -> Float64:
        """(n_examples,)."""
        self.network.eval()
        out = np.empty(len(book))
        for cases in book.blocks():
            out[cases.at] = torch.sigmoid(self._logits(cases).double()).cpu().numpy()
        return out

    def states(self, histories: Histories) -> Tensor:
        """(n_queries, width) of the network."""
        with self.context.autocast():
            return self.network.states(histories).float()

    def _logits(self, cases: Cases) -> Tensor:
        with self.context.autocast():
            logits: Tensor = self.network(cases).float() + self.network.base
        return logits


def classifier(
    network: Callable[[C, Training], LogOdds],
) -> Callable[[C, Context], GradientClassifier]:
    """What builds a family's models from its network."""
    return lambda config, context: GradientClassifier(network, config, context)


def after(places: Tensor, histories: Histories) -> Tensor:
    """(n_queries, d) what (n_rows, longest, d) holds at each query's last event; 0 after none."""
    start = places.new_zeros(places.shape[0], 1, places.shape[2])
    return torch.cat((start, places), 1)[histories.row, histories.length]


def deep_layers(sizes: Sequence[int], dropout: float) -> nn.Sequential:
    """Layers of ReLU and dropout between these sizes, then one number that starts at 0."""
    layers, last = relu_layers(sizes, dropout), nn.Linear(sizes[-1], 1)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*layers, last)
