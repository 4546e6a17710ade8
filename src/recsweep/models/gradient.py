"""Training by gradient: one loop for every family and task that is trained so."""

import math
from abc import ABC, abstractmethod
from collections import abc
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Generic, TypeVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from recsweep.data.types import Float32, Sequences
from recsweep.models.averaging import SAMPLES, WeightAverage
from recsweep.models.checkpoint import (
    below,
    checkpoint_of,
    load_parameters,
    parameters_of,
    restore_checkpoint,
)
from recsweep.models.histories import whole_histories
from recsweep.models.protocol import Context, Histories
from recsweep.models.schedule import ScheduledConfig
from recsweep.models.tables import SparseTables

CLIP_NORM = 5.0
"""The gradient of a step is scaled down to this norm."""

N = TypeVar("N", bound=nn.Module)
B = TypeVar("B")


class GradientConfig(ScheduledConfig):
    """The hyperparameters that every family trained by gradient has."""

    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    batch_size: int = Field(ge=1)  # learners, texts, or what a ranking's `batch_unit` says
    wide_learning_rate: float | None = Field(None, gt=0)  # of a wide part, where there is one
    # That a moving average of the weights reaches back; 0: the weights are the last step's.
    weight_ema_epochs: float = Field(0.0, ge=0)


class GradientModel(ABC, Generic[N, B]):
    """A `Resumable` model around a network. A task brings its batches and their loss."""

    def __init__(self, new: Callable[[], N], config: GradientConfig, context: Context) -> None:
        self.context = context
        with context.weights():
            network = new()
        self.network: N = network.to(context.device)
        self.epoch = 0
        self.gradient_norm: float | None = None  # before clipping, mean over the epoch's steps
        tables = self.sparse_tables()
        rates = (config.learning_rate, config.weight_decay)
        self._tables = SparseTables(tables, *rates) if tables else None
        self.optimizer = torch.optim.AdamW(
            _parameter_groups(network, config, tables), lr=config.learning_rate, fused=self.fused()
        )
        epochs, weights = config.weight_ema_epochs, list(network.parameters())
        self._average = WeightAverage(weights, epochs) if epochs else None
        self._schedule, self.batch_size = config, config.batch_size
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["initial_lr"] = group["lr"]

    @property
    @abstractmethod
    def entries(self) -> int:
        """What is dealt into batches of `batch_size` in an epoch: windows, learners or texts."""

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return math.ceil(self.entries / self.batch_size)

    @property
    def _between_samples(self) -> int:
        return max(1, round(self.steps / SAMPLES))

    @abstractmethod
    def training_batches(self, seed: int) -> Iterator[B]:
        """Every training target once, in an order that the seed decides."""

    @abstractmethod
    def loss(self, batch: B) -> tuple[Tensor, int]:
        """The mean loss of a batch's targets, each times its weight, and how many there are."""

    def sparse_tables(self) -> abc.Sequence[nn.Parameter]:
        """Those of which a step moves the used rows alone; see `tables.py`."""
        return ()

    def fused(self) -> bool | None:
        """Optimise in one pass? It rounds otherwise; None: torch's default."""
        return None

    def fit_epoch(self, steps: int | None = None) -> float:
        """One pass over every training target, or the first `steps` of its batches: the mean loss,
        nan without one.
        """
        self.epoch += 1
        self.network.train()
        if self._average:
            self._average.begin()
        device = self.context.device
        total = torch.zeros((), device=device)  # stays on the device: no waiting in the loop
        norms = torch.zeros((), device=device)
        seen = done = 0
        with self.context.randomness(self.epoch) as seed:
            for batch in islice(self.training_batches(seed), steps):
                self.optimizer.zero_grad(set_to_none=True)
                self._set_rates(done)
                loss, n_targets = self.loss(batch)
                loss.backward()  # type: ignore[no-untyped-call]
                norms += self._step()
                total += loss.detach() * n_targets
                seen += n_targets
                done += 1
                if self._average and done % self._between_samples == 0:
                    self._average.take()
        if self._average:
            self._average.end()
        summed, norm = torch.stack([total, norms]).tolist()  # the epoch's one wait for the device
        self.gradient_norm = norm / done if done else None
        return summed / seen if seen else math.nan

    def _set_rates(self, steps: int) -> None:
        """Of the epoch's step after `steps`."""
        if not self._schedule.scheduled:
            return
        share = self._schedule.share_of_rate(self.epoch - 1 + (steps + 1) / self.steps)
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * share

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

    def state(self) -> dict[str, Tensor]:
        """The network's parameters."""
        return parameters_of(self.network)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over saved parameters."""
        load_parameters(self.network, state)

    def checkpoint(self) -> dict[str, Tensor]:
        """The network's parameters, what the optimisers keep of each, and the epoch; training's own
        weights, too, where the network's are an average.
        """
        average = self._average.checkpoint() if self._average else {}
        return {
            **checkpoint_of(self.network, self._optimizers, self.epoch),
            **{f"average/{name}": value for name, value in average.items()},
        }

    def restore(self, checkpoint: Mapping[str, Tensor]) -> None:
        """Go on from there."""
        self.epoch = restore_checkpoint(self.network, self._optimizers, checkpoint)
        if self._average:
            self._average.restore(below("average/", checkpoint))

    @property
    def _optimizers(self) -> tuple[torch.optim.Optimizer, ...]:
        sparse = () if self._tables is None else (self._tables.optimizer,)
        return (self.optimizer, *sparse)


class HistoryModel(GradientModel[N, B]):
    """One that makes something of a history before it looks at a course: a `Portrayable`."""

    @abstractmethod
    def states(self, histories: Histories) -> Tensor:
        """(n_queries, width) float32: what is made of a history before any course is looked at."""

    @torch.inference_mode()
    def learner_vectors(self, histories: Sequences) -> Float32:
        """(n_learners, width) states after whole histories."""
        self.network.eval()
        blocks = whole_histories(histories, self.context.device)
        found = [(at, self.states(block).cpu().numpy()) for at, block in blocks]
        at, vectors = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return vectors[np.argsort(at)]


def _parameter_groups(
    network: nn.Module, config: GradientConfig, tables: abc.Sequence[nn.Parameter]
) -> list[dict[str, object]]:
    """Biases and norms aren't decayed; a wide part has a rate of its own; sparse tables another
    optimiser.

    A wide part is decayed like the rest: most of its weights stand for pairs that training saw once
    or twice. Cheng et al. 2016, section 3.3, shrink it too, by the L1 penalty of FTRL.
    """
    rest: list[nn.Parameter] = []
    kept: list[nn.Parameter] = []
    wide: list[nn.Parameter] = []
    for path, parameter in network.named_parameters():
        parts = path.split(".")
        if any(part.startswith("wide") for part in parts):
            wide.append(parameter)
        elif parts[-1].startswith("bias") or any("norm" in part for part in parts):
            kept.append(parameter)
        elif all(parameter is not table for table in tables):
            rest.append(parameter)
    decay = config.weight_decay
    groups: list[dict[str, object]] = [
        {"params": rest, "weight_decay": decay},
        {"params": kept, "weight_decay": 0.0},
    ]
    if wide:
        rate = config.wide_learning_rate
        groups.append({"params": wide, "weight_decay": decay, "lr": rate})
    return groups
