"""Families trained by gradient under binary cross-entropy: one training loop.

Imbalance needs no weights here: the loss is unweighted, so that probabilities stay probabilities,
and the output starts at the log-odds of training's share of purchases. What depends on a decision
(threshold, precision, recall) is left to the threshold.
"""

import math
from collections.abc import Mapping

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from recsweep.data.types import Float32, Float64, Int64, Labels, Sequences, Targets, Training
from recsweep.models.checkpoint import checkpoint_of, parameters_of, restore_checkpoint
from recsweep.models.protocol import Context, FamilyConfig
from recsweep.models.purchase.cases import CaseBook, Cases, whole_histories

CLIP_NORM = 5.0
"""The gradient of a step is scaled down to this norm."""


class PurchaseConfig(FamilyConfig):
    """The hyperparameters that every family trained by gradient has."""

    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    batch_size: int = Field(ge=1)  # learners
    wide_learning_rate: float | None = Field(None, gt=0)  # of a wide part, where there is one


class PurchaseNet(nn.Module):
    """What a family brings."""

    def forward(self, cases: Cases) -> Tensor:
        """(n_examples,) log-odds, without the share of purchases that all start from."""
        raise NotImplementedError

    def states(self, cases: Cases) -> Tensor:
        """(n_examples, width) what it makes of each history before it looks at the course."""
        raise NotImplementedError


class GradientPurchaser:
    """A `Purchaser` around a `PurchaseNet`."""

    def __init__(self, net: PurchaseNet, config: PurchaseConfig, context: Context) -> None:
        self.config, self.context = config, context
        self.net = net.to(context.device)
        self.base = base_log_odds(context.training)
        self.book = CaseBook(
            examples_of(context.training), context.training.n_items, context.device
        )
        self.optimizer = torch.optim.AdamW(_groups(net, config), lr=config.learning_rate)
        self.epoch = 0
        self.gradient_norm: float | None = None  # before clipping, mean over the epoch's steps

    def fit_epoch(self) -> float:
        """One pass over every example."""
        self.epoch += 1
        self.net.train()
        total = torch.zeros((), device=self.context.device)  # stays there: no waiting in the loop
        norms = torch.zeros((), device=self.context.device)
        steps = 0
        with self.context.randomness(self.epoch) as seed:
            for cases in self.book.epoch(self.config.batch_size, seed):
                self.optimizer.zero_grad(set_to_none=True)
                with self.context.autocast():
                    logits = self.net(cases).float() + self.base
                loss = binary_cross_entropy_with_logits(logits, cases.bought)
                loss.backward()  # type: ignore[no-untyped-call]
                norms += torch.nn.utils.clip_grad_norm_(self.net.parameters(), CLIP_NORM)
                self.optimizer.step()
                total += loss.detach() * len(cases.bought)
                steps += 1
        summed, norm = torch.stack([total, norms]).tolist()
        self.gradient_norm = norm / steps
        return float(summed) / len(self.book)

    @torch.inference_mode()
    def probability(self, book: CaseBook) -> Float64:
        """(n_examples,)."""
        self.net.eval()
        out = np.empty(len(book))
        for cases in book.blocks():
            with self.context.autocast():
                logits = self.net(cases).float() + self.base
            out[cases.at] = torch.sigmoid(logits.double()).cpu().numpy()
        return out

    @torch.inference_mode()
    def learner_vectors(self, histories: Sequences) -> Float32:
        """(n_learners, width) states of the network; there is at least one learner."""
        self.net.eval()
        book = CaseBook(
            whole_histories(histories), self.context.training.n_items, self.context.device
        )
        found: list[tuple[Int64, Float32]] = []
        for cases in book.blocks():
            with self.context.autocast():
                states = self.net.states(cases)
            found.append((cases.at, states.float().cpu().numpy()))
        at, vectors = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return vectors[np.argsort(at)]

    def state(self) -> dict[str, Tensor]:
        """The network's parameters, and what the output starts from."""
        return parameters_of(self.net) | {"base": torch.tensor(self.base, dtype=torch.float64)}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over saved parameters."""
        self.net.load_state_dict({name: v for name, v in state.items() if name != "base"})
        self.base = float(state["base"])

    def checkpoint(self) -> dict[str, Tensor]:
        """The network's parameters, what the optimiser keeps of each, and the epoch."""
        return checkpoint_of(self.net, [self.optimizer], self.epoch)

    def restore(self, checkpoint: Mapping[str, Tensor]) -> None:
        """Go on from there."""
        self.epoch = restore_checkpoint(self.net, [self.optimizer], checkpoint)


def examples_of(training: Training) -> Targets:
    """Training's examples."""
    assert training.examples is not None  # of the task purchase
    return training.examples


def labels_of(training: Training) -> Labels:
    """Their labels and inputs."""
    labels = examples_of(training).labels
    assert labels is not None
    return labels


def base_log_odds(training: Training) -> float:
    """Log-odds of the share of purchases among training's examples."""
    share = float(np.mean(labels_of(training).bought))
    return math.log(share / (1 - share))


def deep_layers(n_inputs: int, hidden_size: int, depth: int, dropout: float) -> nn.Sequential:
    """`depth` layers of ReLU and dropout, then one number that starts at 0."""
    layers: list[nn.Module] = []
    for width in [n_inputs, *[hidden_size] * (depth - 1)]:
        layers += [nn.Linear(width, hidden_size), nn.ReLU(), nn.Dropout(dropout)]
    last = nn.Linear(hidden_size, 1)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*layers, last)


def _groups(net: PurchaseNet, config: PurchaseConfig) -> list[dict[str, object]]:
    """Biases aren't decayed; the wide part has a rate of its own."""
    named = list(net.named_parameters())
    wide = [p for name, p in named if name.startswith("wide")]
    plain = [p for name, p in named if name.endswith("bias") and not name.startswith("wide")]
    rest = [p for name, p in named if not name.endswith("bias") and not name.startswith("wide")]
    groups: list[dict[str, object]] = [
        {"params": rest, "weight_decay": config.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    if wide:
        decay, rate = config.weight_decay, config.wide_learning_rate
        groups.append({"params": wide, "weight_decay": decay, "lr": rate})
    return groups
