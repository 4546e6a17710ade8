"""The scores of a `GradientRanker` as one module of plain tensors, for exporters."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recsweep.models.attention import Positions
from recsweep.models.fading import FadingConfig
from recsweep.models.ranker import GradientRanker


@dataclass(frozen=True, slots=True)
class GraphRows:
    """Rows of histories, each asked after its last event."""

    items: Tensor
    user_features: Tensor
    event_features: Tensor | None
    time: Tensor | None


class ScoringGraph(nn.Module):
    """Histories in, (n_rows, n_items) scores out; seen courses keep theirs."""

    def __init__(self, ranker: GradientRanker) -> None:
        super().__init__()
        self.network, training = ranker.network.eval(), ranker.context.training
        self.n_items = training.n_items
        self.n_user_features = training.sequences.features.shape[1]
        self.n_event_features = len(training.event_columns)
        self.logits = ranker.logits
        fading = getattr(self.network.encoder, "fading", None)
        if isinstance(fading, FadingConfig):
            self.timed = fading.fading in ("instant", "time")
        else:
            parts = self.network.encoder.modules()
            self.timed = any(isinstance(part, Positions) and part.timed for part in parts)

    def example(self, rows: int, longest: int, seed: int = 0) -> dict[str, Tensor]:
        """Inputs by name, drawn at random: `items` (rows, longest) catalogue indices, oldest first;
        `length` (rows,), the events of each row; `time` (rows, longest) microseconds, where the
        network reads it; `user_features` and `event_features`, where the model has any.
        """
        draw = torch.Generator().manual_seed(seed)
        found = {
            "items": torch.randint(self.n_items, (rows, longest), generator=draw),
            "length": torch.randint(1, longest + 1, (rows,), generator=draw),
        }
        if self.timed:
            gaps = torch.randint(0, 3, (rows, longest), generator=draw)
            found["time"] = gaps.cumsum(1) * 86_400_000_000
        if self.n_user_features:
            found["user_features"] = torch.randn(rows, self.n_user_features, generator=draw)
        if self.n_event_features:
            size = (rows, longest, self.n_event_features)
            found["event_features"] = torch.randn(size, generator=draw)
        return found

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """(rows, n_items)."""
        items, length = inputs["items"], inputs["length"]
        nothing = items.new_zeros((items.shape[0], 0), dtype=torch.float32)
        rows = GraphRows(
            items,
            inputs.get("user_features", nothing),
            inputs.get("event_features"),
            inputs.get("time"),
        )
        at = torch.arange(items.shape[0])
        states = self.network.states(rows)[at, length - 1]
        scores = self.logits(states, self.network.catalogue(), self.network.biases())
        memory = getattr(self.network.encoder, "padded_pairs", None)
        if memory is not None:
            item, value = memory(items[at, length - 1])
            scores = scores.scatter_add(1, item, value)
        return scores
