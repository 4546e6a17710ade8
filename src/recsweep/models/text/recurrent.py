"""Recurrent networks over the characters or words of a text, forwards or both ways.

Each way is a stack of its own, and the two are joined at the top: of one layer that is the usual
bidirectional network (Schuster & Paliwal 1997).
"""

from typing import Literal

import torch
from torch import Tensor

from recsweep.data.types import Training
from recsweep.models.stacks import Cell, StackConfig, run, stack
from recsweep.models.text.batches import TextBatch
from recsweep.models.text.network import TextNetwork, TextNetworkConfig


class TextStackConfig(TextNetworkConfig, StackConfig):
    """Hyperparameters of `gru` and `lstm` where they read texts."""

    bidirectional: bool
    pooling: Literal["last", "mean", "max"]


class RecurrentText(TextNetwork):
    """A stack of recurrent layers, and one state of all that it went through."""

    def __init__(self, cell: Cell, config: TextStackConfig, training: Training) -> None:
        super().__init__(config, training, config.hidden_size * (2 if config.bidirectional else 1))
        self.pooling = config.pooling
        self.layers = stack(cell, config)
        self.backwards = stack(cell, config) if config.bidirectional else None

    def states(self, inputs: Tensor, batch: TextBatch) -> Tensor:
        """(n_texts, width); 0 of an empty text."""
        ways = [self._pooled(run(self.layers, inputs, self.dropout), batch)]
        if self.backwards is not None:
            places = torch.arange(inputs.shape[1], device=inputs.device)
            rows = torch.arange(len(inputs), device=inputs.device)[:, None]
            turned = inputs[rows, (batch.length[:, None] - 1 - places).clamp(min=0)]
            ways.append(self._pooled(run(self.backwards, turned, self.dropout), batch))
        return torch.where(batch.length[:, None] > 0, torch.cat(ways, 1), 0.0)

    def _pooled(self, states: Tensor, batch: TextBatch) -> Tensor:
        """(n_texts, hidden_size) of (n_texts, longest, hidden_size)."""
        length, inside = batch.length.clamp(min=1), batch.inside()[..., None]
        if self.pooling == "max":
            return states.masked_fill(~inside, -torch.inf).amax(1)
        if self.pooling == "mean":
            return (states * inside).sum(1) / length[:, None]
        return states[torch.arange(len(states), device=states.device), length - 1]
