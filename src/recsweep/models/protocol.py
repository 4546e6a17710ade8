"""What every family offers: the whole contract between a model and the rest of recsweep."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import torch
from torch import Tensor

from recsweep.config.schema import Schema
from recsweep.data.types import Float32, Float64, Sequences, Training

if TYPE_CHECKING:
    from recsweep.models.cases import CaseBook


@dataclass(frozen=True, slots=True)
class Histories:
    """A batch of histories and the places in them that are asked about.

    A query stands after the first `length` events of a row. Only these events may reach its answer,
    so one row serves many queries. Past a row's end stands anything.
    """

    items: Tensor  # (n_rows, longest) int64
    user_features: Tensor  # (n_rows, n_user_features) float32
    row: Tensor  # (n_queries,) int64
    length: Tensor  # (n_queries,) int64, >= 1 where courses are ranked
    event_features: Tensor | None = None  # (n_rows, longest, n_event_features), if training has any
    time: Tensor | None = None  # (n_rows, longest) int64 microseconds
    kinds: Tensor | None = None  # (n_rows, longest) int64 event types
    item_features: Tensor | None = None  # (n_rows, longest, n_item_features), of a dated table


class Model(Protocol):
    """A fitted or fitting model of one family on one fold, whatever it is asked."""

    def fit_epoch(self) -> float | None:
        """Train for one epoch and return the mean training loss (None: the family has none)."""
        ...

    def state(self) -> dict[str, Tensor]:
        """All that its answers need, by name."""
        ...

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over a state; afterwards it answers as the saved model did."""
        ...


class Recommender(Model, Protocol):
    """A model that ranks courses."""

    def score(self, histories: Histories) -> Tensor:
        """Score the whole catalogue: (n_queries, n_items) float32, higher is better.

        A cold item gets what the family says of a course without events: counts and factors
        are 0; a family trained by gradient takes the mean course and what the features say.
        """
        ...


class Classifier(Model, Protocol):
    """A model that answers yes or no of a course, by a probability."""

    def probability(self, book: "CaseBook") -> Float64:
        """(n_examples,) in 0 to 1, in the order of the book's examples."""
        ...


@runtime_checkable
class Resumable(Protocol):
    """A model that trains for several epochs and can go on in another process.

    Restored into a freshly built model, a checkpoint makes every later epoch the same bit for bit
    as without the break. So a family draws its random numbers from generators that begin anew
    with each epoch, seeded by `Context.seed` and the epoch's number.
    """

    def checkpoint(self) -> dict[str, Tensor]:
        """All that further training needs, by name: `state`, the optimiser's, the epoch."""
        ...

    def restore(self, checkpoint: Mapping[str, Tensor]) -> None:
        """Go on from there.

        Raises:
            KeyError, RuntimeError, ValueError: it is of another model.
        """
        ...


@runtime_checkable
class Portrayable(Protocol):
    """A model that makes something of a learner before it is asked anything about a course."""

    def learner_vectors(self, histories: Sequences) -> Float32:
        """(n_learners, width), finite: its state after the last event of each history.

        The same model and histories give the same bits.

        Args:
            histories: at least one, each with an event; of the catalogue that it was trained with.
        """
        ...


class FamilyConfig(Schema):
    """The hyperparameters of a family; field names equal parameter names in its search space."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a model is built from, apart from its hyperparameters."""

    training: Training
    seed: int
    device: torch.device
    precision: str  # fp32 or bf16 (autocast)

    def autocast(self) -> torch.autocast:
        """Mixed precision where it was asked for."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

    @contextmanager
    def weights(self) -> Iterator[None]:
        """Torch's generator begins anew, seeded for a network's first weights."""
        with torch.random.fork_rng(devices=[]):
            self._seed(self.seed)
            yield

    @contextmanager
    def randomness(self, epoch: int) -> Iterator[int]:
        """Torch's generators begin anew, seeded for the epoch; gives that seed.

        What one fold draws never depends on how folds take turns, nor on a break between epochs.
        """
        seed = (self.seed * 1_000_003 + epoch) % (1 << 63)
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            self._seed(seed)
            yield seed

    def _seed(self, seed: int) -> None:
        if self.device.type == "cpu":
            # `torch.manual_seed` tells three kinds of accelerators as well, each of which keeps the
            # call's traceback for the day when one is used: milliseconds for every fold and epoch.
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)
