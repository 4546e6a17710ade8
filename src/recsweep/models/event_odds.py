"""Networks that read a history event by event and are asked for a probability.

An event is its course, its type, the time since the event before and, if declared, its dwell. The
state after the last event that an example may read meets the course in two ways: as a product with
its vector, and through ReLU layers together with everything else that is known.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from recsweep.data.clock import DAY
from recsweep.data.types import KINDS, Training
from recsweep.models.cases import Cases, examples_of, labels_of
from recsweep.models.classifier import LogOdds, after, deep_layers
from recsweep.models.fading import FadingConfig, faded_means
from recsweep.models.protocol import Histories


class EventLogOdds(LogOdds):
    """Course, type and gap in; states; course and inputs out. A family brings the layers."""

    item_features: Tensor

    def __init__(
        self,
        layers: Callable[[], nn.Module],
        training: Training,
        *,
        embedding_size: int,
        width: int,  # of the states
        hidden_size: int,  # of the ReLU layers
        dropout: float,
    ) -> None:
        super().__init__()
        size, n, none = embedding_size, training.n_items + 1, training.n_items
        features = torch.from_numpy(training.item_features)
        self.register_buffer("item_features", features, persistent=False)
        self.embedding = nn.Embedding(n, size, padding_idx=none)
        self.of_features = nn.Linear(features.shape[1], size, bias=False)
        self.of_kind = nn.Embedding(len(KINDS), size)
        self.of_gap = nn.Linear(1, size, bias=False)
        self.layers = layers()
        n_inputs = labels_of(examples_of(training)).inputs.shape[1]
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(width, size, bias=False)
        self.output = nn.Embedding(n, size, padding_idx=none)
        self.out_inputs = nn.Linear(n_inputs, size, bias=False)
        self.deep = deep_layers((width + size + n_inputs, hidden_size), dropout)
        n_event_features = len(training.event_columns)
        self.of_events = nn.Linear(n_event_features, size, bias=False) if n_event_features else None
        nn.init.normal_(self.output.weight, std=0.01)
        with torch.no_grad():
            self.output.weight[none] = 0  # a course that training doesn't know has no vector
        nn.init.zeros_(self.out_inputs.weight)

    def forward(self, cases: Cases) -> Tensor:
        """(n_examples,)."""
        state = self.dropout(self.states(cases.histories))
        course = self.output(cases.candidate) + self.out_inputs(cases.inputs)
        embedded = self.embedding(cases.candidate)
        product = (self.project(state) * course).sum(1)
        deep = self.deep(torch.cat((state, embedded, cases.inputs), 1)).squeeze(1)
        logits: Tensor = product + deep
        return logits

    def states(self, histories: Histories) -> Tensor:
        """(n_queries, width) after the events that each may read; 0 after none."""
        assert histories.kinds is not None  # whoever lays out examples has both
        assert histories.time is not None
        days = histories.time.diff(dim=1, prepend=histories.time[:, :1]).double() / DAY
        gaps = days.clamp(min=0).log1p().float()
        features = histories.item_features
        if features is None:
            features = self.item_features[histories.items]
        inputs = (
            self.embedding(histories.items)
            + self.of_features(features)
            + self.of_kind(histories.kinds)
            + self.of_gap(gaps[..., None])
        )
        if self.of_events is not None:
            inputs = inputs + self.of_events(histories.event_features)
        if not inputs.shape[1]:  # nobody here has a history
            return torch.zeros(len(histories.row), self.project.in_features, device=inputs.device)
        return self.read(self.dropout(inputs), histories)

    def read(self, inputs: Tensor, histories: Histories) -> Tensor:
        """(n_queries, width) states from the embedded events, (n_rows, longest, size)."""
        raise NotImplementedError


def read_unordered(
    layers: Callable[[Tensor], Tensor], inputs: Tensor, histories: Histories, fading: FadingConfig
) -> Tensor:
    """(n_queries, width) `layers` on the faded mean of the events, as a sequence of one."""
    means = after(faded_means(inputs, histories, fading), histories)
    return torch.where(histories.length[:, None] > 0, layers(means[:, None])[:, 0], 0.0)
