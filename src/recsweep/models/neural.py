"""Families trained by gradient: one training loop and one way to score around a `Network`."""

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from recsweep.data.batches import Batch, Batches
from recsweep.data.types import Float32, Sequences
from recsweep.models import losses, tables
from recsweep.models.bf16 import kernels
from recsweep.models.checkpoint import checkpoint_of, parameters_of, restore_checkpoint
from recsweep.models.histories import whole_histories
from recsweep.models.network import Network
from recsweep.models.protocol import Context, FamilyConfig, Histories
from recsweep.models.tables import SparseTables

CLIP_NORM = 5.0
"""The gradient of a step is scaled down to this norm."""


class GradientConfig(FamilyConfig):
    """The hyperparameters that every family trained by gradient has."""

    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    batch_size: int = Field(ge=1)  # windows
    window: int = Field(ge=1)  # events that the gradient reaches back
    loss: Literal["cross_entropy", "sampled_softmax", "bpr"]
    negatives: int = Field(1, ge=1)  # drawn a batch; for the sampled losses
    wide_learning_rate: float | None = Field(None, gt=0)  # of a wide part, where there is one


class Neural:
    """A `Recommender` around a `Network`."""

    def __init__(self, network: Network, config: GradientConfig, context: Context) -> None:
        self.config, self.context = config, context
        self.network = network.to(context.device)
        n_items = context.training.n_items
        network.sparse = config.loss != "cross_entropy" and n_items >= tables.SPARSE_FROM
        self._tables: SparseTables | None = None
        if network.sparse:
            self._tables = SparseTables(network.tables, config.learning_rate, config.weight_decay)
        self.batches = Batches(context.training, config.window, config.batch_size, context.device)
        self.optimizer = torch.optim.AdamW(
            _parameter_groups(network, config),
            lr=config.learning_rate,
            fused=_fused(network, context),
        )
        self.epoch = 0
        self.gradient_norm: float | None = None  # before clipping, mean over the epoch's steps
        counts = np.bincount(context.training.sequences.item, minlength=context.training.n_known)
        self._popularity = torch.from_numpy(counts / counts.sum()).to(context.device, torch.float32)
        self._log_q = (self._popularity * config.negatives).log()

    def fit_epoch(self) -> float:
        """One pass over every training target."""
        self.epoch += 1
        self.network.train()
        device = self.context.device
        total = torch.zeros((), device=device)  # stays on the device: no waiting in the loop
        norms = torch.zeros((), device=device)
        seen = steps = 0
        with self.context.randomness(self.epoch) as seed:
            for batch in self.batches.epoch(seed):
                self.optimizer.zero_grad(set_to_none=True)
                loss = self._loss(batch)
                loss.backward()  # type: ignore[no-untyped-call]
                norms += self._step()
                total += loss.detach() * len(batch.target)
                seen += len(batch.target)
                steps += 1
        summed, norm = torch.stack([total, norms]).tolist()  # the epoch's one wait for the device
        self.gradient_norm = norm / steps if steps else None
        return summed / seen if seen else math.nan

    def _step(self) -> Tensor:
        """Clip, take the step, and give the gradient's norm before clipping."""
        if self._tables is None:
            norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP_NORM)
        else:
            dense = [p for group in self.optimizer.param_groups for p in group["params"]]
            gradients = [p.grad for p in dense if p.grad is not None] + self._tables.gradients()
            norm = torch.nn.utils.get_total_norm(gradients)
            scale = (CLIP_NORM / (norm + 1e-6)).clamp(max=1.0)
            for gradient in gradients:
                gradient.mul_(scale)
            self._tables.step()
        self.optimizer.step()
        return norm

    @torch.inference_mode()
    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items) logits."""
        self.network.eval()
        with self.context.autocast():
            grid = self.network.states(histories)
        states = grid[histories.row, histories.length - 1].float()
        scores = torch.addmm(self.network.biases(), states, self.network.catalogue().T)
        memory = self.network.encoder.memory(histories.items[histories.row, histories.length - 1])
        if memory is not None:
            scores.view(-1).index_add_(
                0, memory.state * scores.shape[1] + memory.item, memory.value
            )
        return scores

    @torch.inference_mode()
    def learner_vectors(self, histories: Sequences) -> Float32:
        """(n_learners, dim): the states that scores are products with."""
        self.network.eval()
        out = np.zeros((len(histories), self.network.embedding.shape[1]), np.float32)
        for at, block in whole_histories(histories, self.context.device):
            with self.context.autocast():
                grid = self.network.states(block)
            out[at] = grid[block.row, block.length - 1].float().cpu().numpy()
        return out

    def state(self) -> dict[str, Tensor]:
        """The network's parameters."""
        return parameters_of(self.network)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over saved parameters."""
        self.network.load_state_dict(dict(state))

    def checkpoint(self) -> dict[str, Tensor]:
        """The network's parameters, what the optimisers keep of each, and the epoch."""
        return checkpoint_of(self.network, self._optimizers, self.epoch)

    def restore(self, checkpoint: Mapping[str, Tensor]) -> None:
        """Go on from there."""
        self.epoch = restore_checkpoint(self.network, self._optimizers, checkpoint)

    @property
    def _optimizers(self) -> tuple[torch.optim.Optimizer, ...]:
        sparse = () if self._tables is None else (self._tables.optimizer,)
        return (self.optimizer, *sparse)

    def _loss(self, batch: Batch) -> Tensor:
        network, config = self.network, self.config
        with self.context.autocast():
            grid = network.states(batch)
            states = grid.flatten(0, 1).index_select(0, batch.state)
            last_item = batch.items.flatten().index_select(0, batch.state)
        states = states.float()
        if config.loss == "cross_entropy":
            memory = network.encoder.memory(last_item)
            return losses.cross_entropy(
                states,
                network.catalogue(),
                network.bias,
                batch.target,
                batch.target_state,
                memory,
                half=self.context.precision == "bf16",
            )
        memory = None if network.sparse else network.encoder.memory(last_item)
        drawn = self._draw(config.loss)
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
        if config.loss == "bpr":
            return losses.bpr(positive, negative, batch.target[:, None] == drawn)
        log_q = self._log_q
        return losses.sampled_softmax(positive, negative, log_q[batch.target], log_q[drawn])

    def _draw(self, loss: str) -> Tensor:
        """Negatives shared by a batch: by popularity for the softmax, evenly for BPR."""
        n_known, device = self.context.training.n_known, self.context.device
        if loss == "bpr":
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


def _fused(network: Network, context: Context) -> bool | None:
    """Optimise in one pass? It rounds otherwise, so float32 keeps to the way that it began with."""
    half = context.precision == "bf16"
    return True if half and kernels.runs(network.embedding.shape[1], context.device) else None


def _parameter_groups(network: Network, config: GradientConfig) -> list[dict[str, object]]:
    """Biases and the wide part aren't decayed; the wide part has a rate of its own."""
    wide: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    decayed: list[nn.Parameter] = []
    for path, parameter in network.named_parameters():
        name = path.rpartition(".")[2]
        kind = wide if name == "wide" else plain if name.startswith("bias") else decayed
        kind.append(parameter)
    if network.sparse:  # those have an optimiser of their own
        decayed = [p for p in decayed if all(p is not table for table in network.tables)]
    groups: list[dict[str, object]] = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    if wide:
        groups.append({"params": wide, "weight_decay": 0.0, "lr": config.wide_learning_rate})
    return groups
