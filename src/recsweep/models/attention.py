"""Causal self-attention over a history, in the blocks that recommenders use.

A place attends to itself and to the `window - 1` events before it, in training and in scoring
alike; over several layers it so hears of older ones. Positions count back from the place that
looks, so that one run serves every query of a history, and a long history is like a short one:

- `learned`: a number for each distance back is added to a head's logits (Raffel et al. 2020,
  section 2.1, without its buckets), where Kang & McAuley 2018 add a vector to each input;
- `time`: and one for the log of the time between the two events (Zhai et al. 2024, HSTU, its
  relative attention bias);
- `none`: only what was last is told from the rest, since it looks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import dropout, embedding, scaled_dot_product_attention, silu

from recsweep.models.gradient import GradientConfig

CHUNK = 256
"""Places that look at once: the memory of a long history grows with its length times the window."""

INNER = 4
"""The inner width of a feed-forward layer, in widths of a state (RecBole's 256 beside 64)."""

SECOND = 1_000_000  # microseconds
GAPS = 32
"""Powers of two, in seconds: 2^31 s are 68 years."""


class AttentionConfig(GradientConfig):
    """The hyperparameters of a stack of blocks."""

    block: Literal["post_norm", "pre_norm", "ligr"]
    depth: int = Field(ge=1)
    heads: int = Field(ge=1)
    embedding_size: int = Field(ge=1)  # of the states, too
    dropout: float = Field(ge=0, lt=1)
    positions: Literal["learned", "none", "time"]
    window: int = Field(ge=1)  # events that a place attends to

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.embedding_size % self.heads:
            raise ValueError(
                f"embedding_size {self.embedding_size} is no multiple of heads {self.heads}"
            )
        return self


@dataclass(frozen=True, slots=True)
class Look:
    """Places that look at once, the places that they may look at, and how."""

    places: slice
    seen: slice
    logits: Tensor | None  # (n_rows or 1, n_heads or 1, n_places, n_seen); None: plainly causal


class Positions(nn.Module):
    """What is added to the logits of a place's look back; the same in every layer."""

    def __init__(self, config: AttentionConfig) -> None:
        super().__init__()
        self.window, learned = config.window, config.positions != "none"
        distances, gaps = (torch.zeros(n, config.heads) for n in (config.window, GAPS))
        self.bias_of_distance = nn.Parameter(distances) if learned else None
        self.bias_of_gap = nn.Parameter(gaps) if config.positions == "time" else None

    @property
    def timed(self) -> bool:
        """Is the time between two events read?"""
        return self.bias_of_gap is not None

    def forward(self, longest: int, time: Tensor | None, device: torch.device) -> list[Look]:
        """Of all places.

        Args:
            longest: how many.
            time: (n_rows, longest) int64 microseconds; past a row's end anything.
            device: of the states.
        """
        plain = self.bias_of_distance is None and longest <= self.window
        if torch.onnx.is_in_onnx_export():  # a graph doesn't know yet how long a history is
            plain = False
        if longest == 1 or plain:
            return [Look(slice(None), slice(None), None)]
        return [
            self._look(first, min(first + CHUNK, longest), time, device)
            for first in range(0, longest, CHUNK)
        ]

    def _look(self, first: int, last: int, time: Tensor | None, device: torch.device) -> Look:
        places, seen = slice(first, last), slice(max(0, first - self.window + 1), last)
        distance = torch.arange(first, last, device=device)[:, None] - torch.arange(
            seen.start, last, device=device
        )
        outside = (distance < 0) | (distance >= self.window)
        logits = torch.zeros(1, 1, *distance.shape, device=device)
        if self.bias_of_distance is not None:
            of_distance = embedding(distance.clamp(0, self.window - 1), self.bias_of_distance)
            logits = logits + of_distance.permute(2, 0, 1)
        if self.bias_of_gap is not None:
            assert time is not None  # rankers and batches give it
            seconds = (time[:, places, None] - time[:, None, seen]).clamp(min=0) // SECOND
            of_gap = embedding(power_of_two(seconds + 1), self.bias_of_gap)
            logits = logits + of_gap.permute(0, 3, 1, 2)
        return Look(places, seen, logits.masked_fill(outside, -torch.inf))


def power_of_two(number: Tensor) -> Tensor:
    """The largest power of two in each number from 1, exactly; `GAPS - 1` at most."""
    if torch.onnx.is_in_onnx_export():  # which lacks `frexp`; a logarithm may round over an edge
        return sum(((number >= 2**n).long() for n in range(1, GAPS)), torch.zeros_like(number))
    return (torch.frexp(number.double()).exponent - 1).clamp(max=GAPS - 1)


class Attention(nn.Module):
    """Scaled dot products of several heads (Vaswani et al. 2017, section 3.2)."""

    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.rate = heads, dropout
        self.project_in = nn.Linear(size, 3 * size)
        self.project_out = nn.Linear(size, size)

    def forward(self, states: Tensor, looks: list[Look]) -> Tensor:
        """(n_rows, longest, size)."""
        parts = self.project_in(states).unflatten(2, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        found = [
            self._attend(
                query[:, :, look.places], key[:, :, look.seen], value[:, :, look.seen], look.logits
            )
            for look in looks
        ]
        attended: Tensor = self.project_out(torch.cat(found, 2).transpose(1, 2).flatten(2))
        return attended

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, logits: Tensor | None) -> Tensor:
        rate = self.rate if self.training else 0.0
        if logits is None:
            return scaled_dot_product_attention(query, key, value, dropout_p=rate, is_causal=True)
        # torch's own takes twice as long where what is added needs a gradient.
        weights = (query * query.shape[-1] ** -0.5) @ key.transpose(2, 3)
        weights += logits.to(weights.dtype)
        return dropout(weights.softmax(-1), rate) @ value


class SwiGlu(nn.Module):
    """Shazeer 2020, eq. 6: one linear layer, gated by SiLU of another."""

    def __init__(self, size: int, dropout: float) -> None:
        super().__init__()
        self.project_in = nn.Linear(size, 2 * INNER * size, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.project_out = nn.Linear(INNER * size, size, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        """Of the same shape."""
        gate, value = self.project_in(states).chunk(2, -1)
        out: Tensor = self.project_out(self.dropout(silu(gate) * value))
        return out


class Block(nn.Module):
    """Attention, then a feed-forward layer, each added to what came in.

    - `post_norm`: x' = norm(x + f(x)), Vaswani et al. 2017;
    - `pre_norm`: x' = x + f(norm(x)), Kang & McAuley 2018;
    - `ligr`: x' = x + sigmoid(W x + b) · f(norm(x)), with SwiGLU to feed forward (Borisyuk et al.
      2025, LiGR; in this form the block of eSASRec, Tikhonovich et al. 2025).
    """

    def __init__(self, config: AttentionConfig) -> None:
        super().__init__()
        size, self.kind = config.embedding_size, config.block
        self.attention = Attention(size, config.heads, config.dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(2))
        self.feed_forward: nn.Module
        if self.kind == "ligr":
            self.feed_forward = SwiGlu(size, config.dropout)
            self.gates = nn.ModuleList(nn.Linear(size, size) for _ in range(2))
        else:
            self.feed_forward = nn.Sequential(
                nn.Linear(size, INNER * size),
                nn.GELU(),
                nn.Dropout(config.dropout),
                nn.Linear(INNER * size, size),
            )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, states: Tensor, looks: list[Look]) -> Tensor:
        """(n_rows, longest, size)."""
        states = self._add(0, states, lambda inputs: self.attention(inputs, looks))
        return self._add(1, states, self.feed_forward)

    def _add(self, n: int, states: Tensor, layer: Callable[[Tensor], Tensor]) -> Tensor:
        norm = self.norms[n]
        if self.kind == "post_norm":
            normed: Tensor = norm(states + self.dropout(layer(states)))
            return normed
        change: Tensor = self.dropout(layer(norm(states)))
        if self.kind == "ligr":
            change = change * torch.sigmoid(self.gates[n](states))
        return states + change


class AttentionLayers(nn.Module):
    """A stack of blocks; after `pre_norm`, whose sums grow with the depth, a last norm."""

    def __init__(self, config: AttentionConfig) -> None:
        super().__init__()
        self.positions = Positions(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        last = config.block == "pre_norm"
        self.last_norm = nn.LayerNorm(config.embedding_size) if last else nn.Identity()

    def forward(self, inputs: Tensor, time: Tensor | None = None) -> Tensor:
        """(n_rows, longest, size) states, each from the places up to its own."""
        states, looks = inputs, self.positions(inputs.shape[1], time, inputs.device)
        for block in self.blocks:
            states = block(states, looks)
        out: Tensor = self.last_norm(states)
        return out
