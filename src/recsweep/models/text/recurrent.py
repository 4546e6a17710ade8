"""Recurrent networks over the characters or words of a text, forwards or both ways."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from recsweep.data.types import Training
from recsweep.models.stacks import Cell, StackConfig, run, stack
from recsweep.models.text.batches import TextBatch
from recsweep.models.text.network import TextNetwork, TextNetworkConfig


class TextStackConfig(TextNetworkConfig, StackConfig):
    """Hyperparameters of `gru` and `lstm` where they read texts."""

    bidirectional: bool
    pooling: Literal["last", "mean", "max"]

    @property
    def both_ways(self) -> bool:  # noqa: D102
        return self.bidirectional


class RecurrentText(TextNetwork):
    """A stack of recurrent layers, and one state of all that it went through."""

    def __init__(self, cell: Cell, config: TextStackConfig, training: Training) -> None:
        super().__init__(config, training, config.hidden_size * (2 if config.both_ways else 1))
        self.pooling = config.pooling
        self.layers = stack(cell, config)

    def states(self, inputs: Tensor, batch: TextBatch) -> Tensor:
        """(n_texts, width); 0 of an empty text."""
        inside = batch.inside()[..., None]
        states = self._places(inputs, batch.length.clamp(min=1))
        if self.pooling == "max":
            pooled = states.masked_fill(~inside, -torch.inf).amax(1)
        elif self.pooling == "mean":
            pooled = (states * inside).sum(1) / batch.length.clamp(min=1)[:, None]
        else:
            last = (batch.length - 1).clamp(min=0)
            pooled = states[torch.arange(len(states), device=states.device), last]
            if self.layers.bidirectional:  # backwards, the last state is that of the first place
                half = self.layers.hidden_size
                pooled = torch.cat((pooled[:, :half], states[:, 0, half:]), 1)
        return torch.where(batch.length[:, None] > 0, pooled, 0.0)

    def _places(self, inputs: Tensor, length: Tensor) -> Tensor:
        """(n_texts, longest, width)."""
        if not self.layers.bidirectional:
            return run(self.layers, inputs, self.dropout)
        packed = pack_padded_sequence(inputs, length.cpu(), batch_first=True, enforce_sorted=False)
        states: Tensor = pad_packed_sequence(
            self.layers(packed)[0], batch_first=True, total_length=inputs.shape[1]
        )[0]
        return states
