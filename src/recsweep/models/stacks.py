"""Stacks of recurrent layers, whatever is read and asked."""

import torch
from pydantic import Field
from torch import Tensor, nn

from recsweep.models.gradient import GradientConfig
from recsweep.models.recurrence import run_gru

Cell = type[nn.GRU | nn.LSTM]


class StackConfig(GradientConfig):
    """The hyperparameters of a stack of recurrent layers."""

    depth: int = Field(ge=1)
    hidden_size: int = Field(ge=1)
    embedding_size: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)

    @property
    def both_ways(self) -> bool:
        """Is a history read from its end as well?"""
        return False


def stack(cell: Cell, config: StackConfig) -> nn.GRU | nn.LSTM:
    """Layers with dropout between them."""
    return cell(
        config.embedding_size,
        config.hidden_size,
        config.depth,
        batch_first=True,
        dropout=config.dropout if config.depth > 1 else 0.0,
        bidirectional=config.both_ways,
    )


def run(layers: nn.GRU | nn.LSTM, inputs: Tensor, dropout: nn.Module) -> Tensor:
    """(n_rows, longest, hidden_size) states from a zero state."""
    ours = isinstance(layers, nn.GRU) and inputs.device.type == "cpu"
    if ours and not torch.onnx.is_in_onnx_export():  # ONNX has an operator for the whole layer
        assert isinstance(layers, nn.GRU)
        return run_gru(layers, inputs, dropout)
    return states_of(layers, inputs)


def states_of(layers: nn.GRU | nn.LSTM, inputs: Tensor) -> Tensor:
    """(n_rows, longest, hidden_size) by torch's own layers."""
    states: Tensor = layers(inputs)[0]
    return states
