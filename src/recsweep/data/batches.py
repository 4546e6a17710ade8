"""Training batches in which every event with a history is a target, once an epoch.

A user's sequence is cut into windows of at most `window` events. The state after the last event of
an instant predicts every event of the user's next instant, which is the rule that targets are
scored by; so several targets may share one state, and the loss computes its logits once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from recsweep.data.arrays import changes, ranges
from recsweep.data.types import Int64, Training

BatchUnit = Literal["windows", "events"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of similar length, and what is to be predicted from which of their places."""

    items: Tensor  # (n_rows, longest) int64; past a row's end stands anything
    time: Tensor  # (n_rows, longest) int64 microseconds, alike
    user_features: Tensor  # (n_rows, n_user_features) float32
    state: Tensor  # (n_states,) int64 into the flattened (row, place) grid
    target: Tensor  # (n_targets,) int64 item
    target_state: Tensor  # (n_targets,) int64 into state, non-decreasing
    target_event: Tensor  # (n_targets,) int64 into the training period's events
    event_features: Tensor | None = None  # (n_rows, longest, n_event_features) float32


@dataclass(frozen=True, slots=True)
class Windows:
    """A training period cut into windows; everything a batch is gathered from."""

    start: Int64  # (n_windows,) first event
    length: Int64  # (n_windows,)
    sequence: Int64  # (n_windows,)
    state_start: Int64  # (n_windows + 1,) into state
    state: Int64  # (n_states,) the event after which it is taken
    target_start: Int64  # (n_windows + 1,) into target
    target: Int64  # (n_targets,) the event to predict
    target_state: Int64  # (n_targets,) into state

    @property
    def n_targets(self) -> int:
        """Training targets of an epoch."""
        return len(self.target)


def cut_windows(training: Training, window: int) -> Windows:
    """Cut every sequence into windows of at most `window` events."""
    sequences = training.sequences
    n_events = int(sequences.offsets[-1])
    lengths = np.diff(sequences.offsets)
    owner = np.repeat(np.arange(len(sequences)), lengths)
    first = sequences.offsets[:-1][owner]  # the first event of each event's sequence
    place = np.arange(n_events)
    instant = np.maximum.accumulate(np.where(changes(owner) | changes(sequences.time), place, 0))
    target = np.flatnonzero(instant > first)
    state_of_target = instant[target] - 1
    new_state = changes(state_of_target)
    state = state_of_target[new_state]
    # Windows are named by (sequence, number); both count up along the events, so states and
    # targets of one window are contiguous.
    number = (state - first[state]) // window
    per_sequence = -(-lengths // window)
    base = np.concatenate(([0], np.cumsum(per_sequence)))[owner[state]]
    _, state_count = np.unique(base + number, return_counts=True)
    state_start = np.concatenate(([0], np.cumsum(state_count)))
    head, tail = state_start[:-1], state_start[1:] - 1
    start = first[state[head]] + number[head] * window
    target_state = np.cumsum(new_state) - 1
    return Windows(
        start=start,
        length=state[tail] - start + 1,
        sequence=owner[start],
        state_start=state_start,
        state=state,
        target_start=np.searchsorted(target_state, state_start),
        target=target,
        target_state=target_state,
    )


def windows_in_batch(windows: Windows, batch_size: int, unit: BatchUnit) -> int:
    """How many windows make a batch of so many windows, or of about so many events.

    Counted in events a step learns from as much where histories are short, and whatever the window.
    """
    if unit == "windows":
        return batch_size
    events = max(1, int(windows.length.sum()))
    return max(1, round(batch_size * len(windows.length) / events))


class Batches:
    """The batches of one training period, resident on one device; a new order each epoch."""

    def __init__(
        self,
        training: Training,
        window: int,
        batch_size: int,
        device: torch.device,
        unit: BatchUnit = "windows",
    ) -> None:
        self.windows = cut_windows(training, window)
        self.batch_size = windows_in_batch(self.windows, batch_size, unit)
        self.device = device
        self._items = torch.from_numpy(training.sequences.item).to(device, torch.int64)
        self._time = torch.from_numpy(training.sequences.time).to(device)
        self._features = torch.from_numpy(training.sequences.features).to(device)
        of_events = training.sequences.event_features
        self._of_events = None if of_events is None else torch.from_numpy(of_events).to(device)

    def draw(self, n: int) -> Tensor:
        """(n,) items of random training events, repeats allowed: each as often as it is popular."""
        return self._items[torch.randint(len(self._items), (n,), device=self.device)]

    def epoch(self, seed: int) -> Iterator[Batch]:
        """Every target once.

        The whole epoch's indices are laid out and moved to the device at once, so that the
        training loop never waits on it.
        """
        if len(self.windows.length) == 0:
            return
        order, bounds = _order(self.windows.length, self.batch_size, np.random.default_rng(seed))
        windows = self.windows
        start, length = windows.start[order], windows.length[order]
        batch_of = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
        longest = np.maximum.reduceat(length, bounds[:-1])
        row = np.arange(len(order)) - bounds[:-1][batch_of]

        n_states = np.diff(windows.state_start)[order]
        states = ranges(windows.state_start[order], n_states)
        owner = np.repeat(np.arange(len(order)), n_states)
        flat = row[owner] * longest[batch_of[owner]] + windows.state[states] - start[owner]
        state_bounds = np.concatenate(([0], np.cumsum(n_states)))[bounds]

        n_targets = np.diff(windows.target_start)[order]
        targets = ranges(windows.target_start[order], n_targets)
        target_owner = np.repeat(np.arange(len(order)), n_targets)
        first_state = np.concatenate(([0], np.cumsum(n_states)[:-1]))
        # From the epoch's own numbering of states to the batch's.
        target_state = (
            windows.target_state[targets]
            - windows.state_start[order][target_owner]
            + first_state[target_owner]
            - state_bounds[:-1][batch_of[target_owner]]
        )
        target_bounds = np.concatenate(([0], np.cumsum(n_targets)))[bounds]

        def move(array: Int64) -> Tensor:
            return torch.from_numpy(array).to(self.device, non_blocking=True)

        start_, flat_, sequence_ = move(start), move(flat), move(windows.sequence[order])
        event_, target_state_ = move(windows.target[targets]), move(target_state)
        target_ = self._items[event_]
        last = len(self._items) - 1
        for b in range(len(bounds) - 1):
            rows = slice(bounds[b], bounds[b + 1])
            places = torch.arange(int(longest[b]), device=self.device)
            index = (start_[rows, None] + places).clamp_(max=last)
            at = slice(target_bounds[b], target_bounds[b + 1])
            yield Batch(
                items=self._items[index],
                time=self._time[index],
                user_features=self._features[sequence_[rows]],
                state=flat_[state_bounds[b] : state_bounds[b + 1]],
                target=target_[at],
                target_state=target_state_[at],
                target_event=event_[at],
                event_features=None if self._of_events is None else self._of_events[index],
            )


def _order(length: Int64, batch_size: int, rng: np.random.Generator) -> tuple[Int64, Int64]:
    """Windows in random batches of similar length, and the batches' bounds.

    Lengths are jittered by a few per cent before sorting, so that batches are mixed anew each
    epoch while little is padded.
    """
    order = np.argsort(length * rng.uniform(0.9, 1.1, len(length)), kind="stable")
    chunks = np.split(order, np.arange(batch_size, len(order), batch_size))
    chunks = [chunks[i] for i in rng.permutation(len(chunks))]
    sizes = np.array([len(chunk) for chunk in chunks])
    return np.concatenate(chunks), np.concatenate(([0], np.cumsum(sizes)))
