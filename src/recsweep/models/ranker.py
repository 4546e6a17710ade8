"""Families that rank the catalogue and are trained by gradient: a `Network` under any loss."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from recsweep.config.schema import Loss
from recsweep.data.batches import Batch, Batches, BatchUnit
from recsweep.data.types import Training
from recsweep.models import losses, tables
from recsweep.models.bf16.library import runs
from recsweep.models.gradient import GradientConfig, HistoryModel
from recsweep.models.network import Encoder, Network
from recsweep.models.protocol import Context, Histories


class RankingConfig(GradientConfig):
    """The hyperparameters that every such family has."""

    window: int = Field(ge=1)  # events that the gradient reaches back
    batch_unit: BatchUnit = "windows"  # what batch_size counts
    loss: Loss
    negatives: int = Field(1, ge=1)  # drawn a batch; for the sampled losses
    calibration: float = Field(0.75, ge=0, le=1)  # gbce: its t
    score_penalty: float = Field(1.0, ge=0)  # bpr_max
    embedding_dropout: float = Field(0.0, ge=0, lt=1)  # courses that a batch's histories lack


C = TypeVar("C", bound=RankingConfig)


class GradientRanker(HistoryModel[Network, Batch]):
    """A `Recommender` around a `Network`."""

    def __init__(
        self, encoder: Callable[[C, Training], Encoder], config: C, context: Context
    ) -> None:
        training, self.config = context.training, config
        sparse = config.loss != "cross_entropy" and training.n_items >= tables.SPARSE_FROM
        super().__init__(
            lambda: Network(encoder(config, training), training, sparse, config.embedding_dropout),
            config,
            context,
        )
        if config.loss in ("bce", "gbce"):
            # A target is one of 1 + negatives, which even odds would take epochs to learn (Lin et
            # al. 2017, section 4.1).
            nn.init.constant_(self.network.bias, -math.log(config.negatives))
        self.batches = Batches(
            training, config.window, config.batch_size, context.device, config.batch_unit
        )
        self.batch_size = self.batches.batch_size
        self._weight = self._weights_of_events()
        counts = np.bincount(training.sequences.item, minlength=training.n_known)
        self._popularity = torch.from_numpy(counts / max(counts.sum(), 1)).to(
            context.device, torch.float32
        )
        self._log_q = (self._popularity * config.negatives).log()

    def _weights_of_events(self) -> Tensor | None:
        """(n_events,) float32 what each weighs as a target; None: all the same."""
        events, target = self.context.training.sequences, self.batches.windows.target
        weights = self.config.weights(events.time[target], events.kind[target])
        if weights is None:
            return None
        of_events = np.zeros(len(events.item), np.float32)
        of_events[target] = weights
        return torch.from_numpy(of_events).to(self.context.device)

    @property
    def entries(self) -> int:
        """Windows of histories."""
        return len(self.batches.windows.length)

    def training_batches(self, seed: int) -> Iterator[Batch]:
        """Windows of histories."""
        return self.batches.epoch(seed)

    def sparse_tables(self) -> Sequence[nn.Parameter]:
        """The item tables of a large catalogue under a sampled loss."""
        return self.network.tables if self.network.sparse else ()

    def fused(self) -> bool | None:
        """In bf16; float32 keeps to the way that it began with."""
        half = self.context.precision == "bf16"
        return True if half and runs(self.context.device) else None

    @torch.inference_mode()
    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items) logits."""
        self.network.eval()
        states = self.states(histories)
        scores = torch.addmm(self.network.biases(), states, self.network.catalogue().T)
        memory = self.network.encoder.memory(histories.items[histories.row, histories.length - 1])
        if memory is not None:
            scores.view(-1).index_add_(
                0, memory.state * scores.shape[1] + memory.item, memory.value
            )
        return scores

    def states(self, histories: Histories) -> Tensor:
        """(n_queries, dim): scores are products with them."""
        with self.context.autocast():
            grid = self.network.states(histories)
        return grid[histories.row, histories.length - 1].float()

    def logits(self, states: Tensor, courses: Tensor, biases: Tensor) -> Tensor:
        """(n, m) of (n, dim) states and (m, dim) output vectors, without an encoder's memory."""
        return states @ courses.T + biases

    def loss(self, batch: Batch) -> tuple[Tensor, int]:
        """Under the configured one."""
        return self._loss(batch), len(batch.target)

    def _loss(self, batch: Batch) -> Tensor:
        network, config = self.network, self.config
        with self.context.autocast():
            grid = network.states(batch)
            states = grid.flatten(0, 1).index_select(0, batch.state)
            last_item = batch.items.flatten().index_select(0, batch.state)
        states = states.float()
        weight = None if self._weight is None else self._weight[batch.target_event]
        if config.loss == "cross_entropy":
            memory = network.encoder.memory(last_item)
            return losses.cross_entropy(
                states,
                network.catalogue(),
                network.bias,
                batch.target,
                batch.target_state,
                memory,
                weight,
                half=self.context.precision == "bf16",
            )
        memory = None if network.sparse else network.encoder.memory(last_item)
        drawn = self._draw(batch)
        of_target, of_drawn = network.vectors(batch.target, drawn)
        at_target = states.index_select(0, batch.target_state)
        positive = (at_target * of_target).sum(1) + network.bias[batch.target]
        negative = torch.addmm(network.bias[drawn], states, of_drawn.T)
        if network.sparse:
            recalled = network.encoder.recall(last_item[batch.target_state], batch.target)
            if recalled is not None:
                positive = positive + recalled
            recalled = network.encoder.recall(last_item[:, None], drawn)
            if recalled is not None:
                negative = negative + recalled
        negative = negative.index_select(0, batch.target_state)
        if memory is not None:
            positive, negative = _remember(memory, positive, negative, batch, drawn, network)
        return self._sampled(batch.target, drawn, positive, negative, weight)

    def _sampled(
        self,
        target: Tensor,
        drawn: Tensor,
        positive: Tensor,
        negative: Tensor,
        weight: Tensor | None,
    ) -> Tensor:
        """The configured loss of logits of targets (n_targets,) and of the drawn (n_targets, n)."""
        config = self.config
        if config.loss == "sampled_softmax":
            at_target, at_drawn = self._log_q[target], self._log_q[drawn]
            return losses.sampled_softmax(positive, negative, at_target, at_drawn, weight)
        clash = target[:, None] == drawn
        if config.loss == "bpr":
            return losses.bpr(positive, negative, clash, weight)
        if config.loss == "bpr_max":
            return losses.bpr_max(positive, negative, clash, config.score_penalty, weight)
        beta = 1.0
        if config.loss == "gbce":
            n_known = self.context.training.n_known
            beta = losses.gbce_beta(config.calibration, config.negatives, n_known)
        return losses.binary_cross_entropy(positive, negative, clash, beta, weight)

    def _draw(self, batch: Batch) -> Tensor:
        """Negatives shared by a batch: by popularity for the softmax, of the batch's own targets
        for BPR-max, evenly for the others.
        """
        n_known, device, loss = self.context.training.n_known, self.context.device, self.config.loss
        if loss == "bpr_max":
            chosen = torch.randint(len(batch.target), (self.config.negatives,), device=device)
            return batch.target[chosen]
        if loss != "sampled_softmax":
            return torch.randint(n_known, (self.config.negatives,), device=device)
        if self.network.sparse:  # the courses of random events: no pass over the catalogue
            return self.batches.draw(self.config.negatives)
        return torch.multinomial(self._popularity, self.config.negatives, replacement=True)


def _remember(
    memory: losses.Memory,
    positive: Tensor,
    negative: Tensor,
    batch: Batch,
    drawn: Tensor,
    network: Network,
) -> tuple[Tensor, Tensor]:
    """Add a memory's values where it remembers a target or a drawn item."""
    n_items = len(network.bias)
    grid = memory.value.new_zeros(len(batch.state), n_items).flatten()
    grid = grid.index_add(0, memory.state * n_items + memory.item, memory.value)
    rows = grid.view(-1, n_items)
    positive = positive + rows[batch.target_state, batch.target]
    return positive, negative + rows[:, drawn].index_select(0, batch.target_state)


def ranker(encoder: Callable[[C, Training], Encoder]) -> Callable[[C, Context], GradientRanker]:
    """What builds a family's models from its encoder."""
    return lambda config, context: GradientRanker(encoder, config, context)
