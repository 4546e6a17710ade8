"""How a history's events fade: the same choices, with the same ranges, for every family that sums.

An event weighs w = 2^-(a / h) or γ^a by its age a, seen from the last event that a query may read:

- `none`: every event weighs 1;
- `step`: γ^(events since), in the order of the history;
- `instant`: γ^(instants since), so that events of one microsecond weigh the same;
- `time`: 2^-(days since / half-life).

Fading by age at use is as old as item-based recommendation (Ding & Li 2005, CIKM, eq. 6: an
exponential in time); by steps it is the decay of sequential neighbours (Ludewig & Jannach 2018).
"""

import math
from collections.abc import Callable
from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from recsweep.data.clock import DAY
from recsweep.models.network import Rows
from recsweep.models.protocol import FamilyConfig

CHUNK = 128
"""Places that are weighted against each other at once; sums are carried from chunk to chunk."""


class FadingConfig(FamilyConfig):
    """The hyperparameters of fading, of every family that reads a history as a sum."""

    fading: Literal["none", "step", "instant", "time"] = "none"
    fading_weight: float | None = Field(None, gt=0, le=1)  # of an event against the next younger
    half_life_days: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _fading_is_complete(self) -> Self:
        if self.fading in ("step", "instant") and self.fading_weight is None:
            raise ValueError(f"fading {self.fading} needs fading_weight")
        if self.fading == "time" and self.half_life_days is None:
            raise ValueError("fading time needs half_life_days")
        return self

    @property
    def fades(self) -> bool:
        """Does an older event weigh less than a younger one?"""
        return self.fading == "time" or (self.fading != "none" and self.fading_weight != 1)

    def ages(self, items: Tensor, time: Tensor | None) -> Tensor:
        """(n_rows, longest) float64, non-decreasing: -log of the weight of each row's first place,
        seen from each place. The weight of place i seen from place t is exp(ages[i] - ages[t]).

        Args:
            items: (n_rows, longest) the rows' courses, oldest first.
            time: (n_rows, longest) int64, microseconds; past a row's end anything. Without it every
                event is an instant of its own, and nothing can fade by `time`.
        """
        if self.fading == "none":
            return torch.zeros(items.shape, dtype=torch.float64, device=items.device)
        if self.fading == "step":
            steps = torch.arange(items.shape[1], device=items.device).expand(items.shape)
            return self._faded(steps)
        if self.fading == "instant":
            return self._faded(instants_of(items, time))
        assert time is not None  # rankers and batches give it
        assert self.half_life_days is not None
        since = (time - time[:, :1]).to(torch.float64) / DAY
        return since * (math.log(2) / self.half_life_days)

    def _faded(self, steps: Tensor) -> Tensor:
        assert self.fading_weight is not None
        return steps.to(torch.float64) * -math.log(self.fading_weight)


class RecencyConfig(FadingConfig):
    """Fading in a network's twin without order: an event weighs at least half of the next younger.

    Under one half each weight exceeds all smaller ones together. Such a sum tells its parts apart,
    as digits do (superincreasing weights: Merkle & Hellman 1978), and layers that read it would
    read the order of the events, the last one first.
    """

    fading_weight: float | None = Field(None, ge=0.5, le=1)

    def ages(self, items: Tensor, time: Tensor | None) -> Tensor:
        """As in all fading, but a gap of more than one half-life counts as one."""
        ages = super().ages(items, time)
        if self.fading != "time":
            return ages
        gaps = ages[:, 1:] - ages[:, :-1]  # as `diff`, which ONNX lacks
        return nn.functional.pad(gaps.clamp(max=math.log(2)).cumsum(1), (1, 0))


def instants_of(items: Tensor, time: Tensor | None) -> Tensor:
    """(n_rows, longest) int64 the number of each event's instant in its row, from 0; without times
    every event is an instant of its own.
    """
    if time is None:
        return torch.arange(items.shape[1], device=items.device).expand(items.shape)
    begins = (time[:, 1:] != time[:, :-1]).to(torch.int64)  # ONNX sums no booleans
    return nn.functional.pad(begins.cumsum(1), (1, 0))


def faded_sums(vectors: Tensor, ages: Tensor) -> Tensor:
    """(n_rows, longest, d): after each place, the sum of the vectors so far by their weights.

    The plain definition is s[t] = Σ_{i ≤ t} exp(ages[i] - ages[t]) · vectors[i]; it is carried in
    chunks, so that the memory of a long history grows with its length and not with its square.

    Args:
        vectors: (n_rows, longest, d).
        ages: (n_rows, longest), non-decreasing within a row; see `FadingConfig.ages`.
    """
    longest, chunk = vectors.shape[1], CHUNK
    if torch.onnx.is_in_onnx_export():  # a graph has no loop over a length that it doesn't know
        longest, chunk = 1, 1 << 30
    parts, carried = [], None
    for first in range(0, longest, chunk):
        age = ages[:, first : first + chunk]
        # Where a row is over its ages may fall; nobody reads there, but it must stay finite.
        between = (age[:, None, :] - age[:, :, None]).clamp(max=0)
        weights = between.exp().tril().to(vectors.dtype)
        summed = weights @ vectors[:, first : first + chunk]
        if carried is not None:
            kept = (ages[:, first - 1 : first] - age).clamp(max=0).exp().to(vectors.dtype)
            summed = summed + kept[:, :, None] * carried[:, None]
        parts.append(summed)
        carried = summed[:, -1]
    return torch.cat(parts, 1) if parts else vectors


def faded_means(vectors: Tensor, rows: Rows, fading: FadingConfig, exponent: float = 1) -> Tensor:
    """(n_rows, longest, d): faded sums over the sum of the weights to the power `exponent`."""
    if not fading.fades:  # the same, and cheaper
        places = torch.arange(1, vectors.shape[1] + 1, device=vectors.device, dtype=vectors.dtype)
        return vectors.cumsum(1) / places.pow(exponent)[:, None]
    ages = fading.ages(rows.items, rows.time)
    counts = faded_counts(ages, vectors.dtype).pow(exponent)
    return faded_sums(vectors, ages) / counts[:, :, None]


def on_faded_means(
    layers: Callable[[Tensor], Tensor], inputs: Tensor, rows: Rows, fading: FadingConfig
) -> Tensor:
    """(n_rows, longest, width): what layers for sequences make of the faded mean after each place,
    as a sequence of one. It is how a network's twin without order reads a history.

    Args:
        layers: (n_sequences, 1, d) to (n_sequences, 1, width).
        inputs: (n_rows, longest, d) embedded events.
        rows: whose they are.
        fading: how older events weigh less.
    """
    means = faded_means(inputs, rows, fading)
    return layers(means.flatten(0, 1)[:, None]).view(*inputs.shape[:2], -1)


def faded_counts(ages: Tensor, dtype: torch.dtype) -> Tensor:
    """(n_rows, longest): after each place, the sum of the weights of the events so far."""
    ones = torch.ones((*ages.shape, 1), dtype=dtype, device=ages.device)
    return faded_sums(ones, ages).squeeze(2)
