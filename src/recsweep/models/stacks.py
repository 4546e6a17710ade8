"""Stacks of recurrent layers, whatever is read and asked."""

from collections.abc import Mapping
from functools import partial

import torch
from pydantic import Field
from torch import Tensor, nn

from recsweep.models.bf16.gru import HalfGruLayer
from recsweep.models.bf16.library import runs
from recsweep.models.bf16.lstm import HalfLstmLayer
from recsweep.models.bf16.operands import Layer, on_padded_units
from recsweep.models.gradient import GradientConfig
from recsweep.models.gru_layer import GruLayer

Cell = type[nn.GRU | nn.LSTM]

WHOLE: Mapping[Cell, Layer] = {nn.GRU: GruLayer.apply}
"""Layers of ours for the CPU; torch's LSTM is the quicker one."""
HALF: Mapping[Cell, Layer] = {
    nn.GRU: partial(on_padded_units, HalfGruLayer.apply),
    nn.LSTM: partial(on_padded_units, HalfLstmLayer.apply),
}
"""The same in bfloat16."""


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
    """(n_rows, longest, hidden_size) states from a zero state; `dropout` between layers.

    By layers of ours, where there are some, to which `layers` lends its weights. Under autocast, on
    a processor that multiplies in bfloat16, their states are in bfloat16.
    """
    half = torch.is_autocast_enabled("cpu") and runs(inputs.device)
    layer = (HALF if half else WHOLE).get(type(layers))
    # ONNX has an operator for a whole layer.
    if layer is None or inputs.device.type != "cpu" or torch.onnx.is_in_onnx_export():
        return states_of(layers, inputs)
    for number in range(layers.num_layers):
        weights = [
            getattr(layers, f"{name}_l{number}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        inputs = layer(dropout(inputs) if number else inputs, *weights)
    return inputs


def states_of(layers: nn.GRU | nn.LSTM, inputs: Tensor) -> Tensor:
    """(n_rows, longest, hidden_size) by torch's own layers."""
    states: Tensor = layers(inputs)[0]
    return states
