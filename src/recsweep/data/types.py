"""The types that data takes on its way from a log to a fold. Arrays only: no torch, no files."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, get_args

import numpy as np
from numpy.typing import NDArray

from recsweep.config.schema import EventType

if TYPE_CHECKING:
    import polars as pl

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

KINDS: tuple[str, ...] = get_args(EventType)
"""Event types; `Events.kind` holds positions in this tuple."""
BOUGHT = KINDS.index("purchase")

UNKNOWN = -1
"""Fold-local index of an item outside the fold's catalogue."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A prepared log. The sealed test is not in here: it lies in a file of its own."""

    folder: Path
    fingerprint: str  # sha256 over the content of every prepared file, and the cuts
    cuts: "Cuts"
    development: "Events"  # everything before the sealed test
    users: "pl.DataFrame | None"  # row = user code; `_id`, `_label`, declared feature columns
    items: "pl.DataFrame | None"  # row = item code
    n_users: int  # codes in use in development
    n_items: int
    # Of a table that says since when its rows are known: all of them, of any id, with `_id` and
    # `_valid_from`; then the features are here, and not above.
    user_rows: "pl.DataFrame | None" = None
    item_rows: "pl.DataFrame | None" = None
    word_vectors: "pl.DataFrame | None" = None  # `_id`, a word, and a column for each number


@dataclass(frozen=True, slots=True)
class Cuts:
    """Windows [start, end) of `Events.cut_by`: microseconds since 1970 UTC where the clock is cut,
    else numbers of parts.
    """

    validation: tuple[tuple[int, int], ...]  # one window a fold
    test: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Events:
    """Columns of equal length, ordered by (user, time, item, kind).

    Codes of users and items count up in order of first appearance on the clock (ties by raw id),
    so that later events never change an earlier code.
    """

    user: Int32
    item: Int32
    time: Int64  # microseconds since 1970 UTC
    kind: NDArray[np.int8]  # index into KINDS
    dwell: Float32 | None = None  # seconds spent, nan: not known; None: no table has them
    # Where folds are not cut at an event's own time: the part that it was dealt to, or the end of
    # its session.
    part: Int64 | None = None
    treated: Float32 | None = None  # 1 or 0, nan: no treatment came into question
    propensity: Float64 | None = None  # of treatment, nan: not known

    def __len__(self) -> int:
        return len(self.user)

    @property
    def cut_by(self) -> Int64:
        """(n_events,) what windows are intervals of."""
        return self.time if self.part is None else self.part

    @property
    def beside(self) -> dict[str, NDArray[Any]]:
        """The columns that not every log has."""
        found = {name: getattr(self, name) for name in BESIDE}
        return {name: column for name, column in found.items() if column is not None}


BESIDE = ("dwell", "part", "treated", "propensity")


@dataclass(frozen=True, slots=True)
class Sequences:
    """Users' events laid end to end: sequence s is rows `offsets[s]:offsets[s + 1]`, oldest first.

    Items are fold-local indices, all of them of the fold's catalogue.
    """

    user: Int32  # (n_sequences,) user codes
    offsets: Int64  # (n_sequences + 1,)
    item: Int32  # (n_events,)
    time: Int64  # (n_events,)
    kind: NDArray[np.int8]  # (n_events,)
    features: Float32  # (n_sequences, n_user_features)
    item_features: Float32 | None = None  # (n_events, n_item_features), if dated
    event_features: Float32 | None = None  # (n_events, n_event_features), if any is asked for

    def __len__(self) -> int:
        return len(self.user)

    def at(self, rows: Int64) -> "Sequences":
        """Some of the sequences."""
        counts = np.diff(self.offsets)[rows]
        ends = np.cumsum(counts)
        at = np.arange(counts.sum()) + np.repeat(self.offsets[rows] - (ends - counts), counts)
        dated, events = self.item_features, self.event_features
        return Sequences(
            user=self.user[rows],
            offsets=np.concatenate(([0], ends)).astype(np.int64),
            item=self.item[at],
            time=self.time[at],
            kind=self.kind[at],
            features=self.features[rows],
            item_features=None if dated is None else dated[at],
            event_features=None if events is None else events[at],
        )


@dataclass(frozen=True, slots=True)
class Training:
    """All that a model may learn from: nothing in here happened at or after the cut."""

    sequences: Sequences
    n_items: int
    item_features: Float32  # (n_items, n_item_features)
    n_cold: int = 0  # the last so many items have no event in training, only a table knows them
    user_columns: tuple[str, ...] = ()  # (n_user_features,) the declared column each comes from
    item_columns: tuple[str, ...] = ()  # (n_item_features,)
    event_columns: tuple[str, ...] = ()  # (n_event_features,)
    examples: "Targets | None" = None  # labelled; their histories are `sequences`

    @property
    def n_known(self) -> int:
        """Items with events: the first so many."""
        return self.n_items - self.n_cold

    def without_learners(self) -> "Training":
        """The catalogue and the columns alone: what a model is built from that takes over a state
        instead of learning one.
        """
        examples = self.examples
        if examples is not None:
            none = examples.at(np.zeros(0, np.int64))
            examples = replace(none, histories=none.histories.at(np.zeros(0, np.int64)))
        nobody = self.sequences.at(np.zeros(0, np.int64))
        return replace(self, sequences=nobody, examples=examples)


@dataclass(frozen=True, slots=True)
class Treatments:
    """Who was treated of some labelled examples, one row each, and what is known of that without
    the models that are asked.
    """

    treated: Mask  # (n_targets,)
    propensity: Float64  # (n_targets,) the probability of treatment
    budget: float  # the share that a policy may treat
    # (n_targets, 2) probability of a yes without and with, by a model of training; None: of its own
    expected: Float64 | None = None
    # (n_targets,) probability of treatment by a classifier of training; None: the data give it
    guessed: Float64 | None = None

    def at(self, positions: Int64) -> "Treatments":
        """Some of the rows."""
        return replace(
            self,
            treated=self.treated[positions],
            propensity=self.propensity[positions],
            expected=None if self.expected is None else self.expected[positions],
            guessed=None if self.guessed is None else self.guessed[positions],
        )


class RowLabels(Protocol):
    """What makes targets labelled examples, one row each: a dataclass that a task brings."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def inputs(self) -> Float32:
        """(n_targets, n_inputs) what is known besides."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """(n_inputs,) the declared column or summary that an input is of."""
        ...

    def at(self, positions: Int64) -> Self:
        """Some of the rows."""
        ...


@dataclass(frozen=True, slots=True)
class Labels:
    """What makes targets labelled examples, one row each."""

    bought: Mask  # (n_targets,)
    inputs: Float32  # (n_targets, n_inputs): learner, course and history as they were known then
    columns: tuple[str, ...]  # (n_inputs,) the declared column or summary that an input is of
    price: Float64 | None  # (n_targets,) of the course; nan: not known
    likeness: Float64 | None = None  # of an ablation: (n_targets, n_columns, 3), `likeness.py`
    treatments: Treatments | None = None
    weight: Float64 | None = None  # (n_targets,) of each in training, mean 1; None: all the same

    def at(self, positions: Int64) -> "Labels":
        """Some of the rows."""
        return replace(
            self,
            bought=self.bought[positions],
            inputs=self.inputs[positions],
            price=None if self.price is None else self.price[positions],
            likeness=None if self.likeness is None else self.likeness[positions],
            treatments=None if self.treatments is None else self.treatments.at(positions),
            weight=None if self.weight is None else self.weight[positions],
        )


@dataclass(frozen=True, slots=True)
class Targets:
    """Events to predict, each from the first `length` events of one history.

    Those are exactly the user's events on items of the catalogue strictly before the target's
    time, before and after the cut. An item outside the catalogue is UNKNOWN: nobody can rank it.
    """

    histories: Sequences  # one for every user with a target
    sequence: Int32  # (n_targets,) index into histories, non-decreasing
    length: Int32  # (n_targets,) non-decreasing within a sequence; a list needs >= 1
    item: Int32  # (n_targets,) fold-local index or UNKNOWN
    time: Int64  # (n_targets,)
    drop_seen: bool  # seen items of the history are no candidates
    counts: Mapping[str, int]  # rule -> events of the window that it took out or marked
    labels: RowLabels | None = None
    kind: NDArray[np.int8] | None = None  # (n_targets,) index into KINDS; None: not told
    same_instant_competes: bool = True  # are targets of one learner and instant ranked apart?
    seen_kinds: tuple[int, ...] | None = None  # kinds of events that make an item seen; None: all

    def __len__(self) -> int:
        return len(self.item)

    def at(self, positions: Int64) -> "Targets":
        """Some of the targets, with the same histories."""
        return replace(
            self,
            sequence=self.sequence[positions],
            length=self.length[positions],
            item=self.item[positions],
            time=self.time[positions],
            labels=None if self.labels is None else self.labels.at(positions),
            kind=None if self.kind is None else self.kind[positions],
        )


@dataclass(frozen=True, slots=True)
class Fold:
    """A training period and the window right after it. It has no test: the search can't see it."""

    name: str
    cut: int  # microseconds since 1970 UTC
    items: Int32  # (n_items,) item code of each fold-local index
    training: Training
    validation: Targets

    @property
    def n_items(self) -> int:
        """Size of the catalogue that is ranked."""
        return self.training.n_items
