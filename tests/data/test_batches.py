from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsweep.data.batches import Batches, cut_windows, windows_in_batch
from recsweep.data.types import Sequences, Training

CPU = torch.device("cpu")

histories = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=12),
    min_size=1,
    max_size=6,
)


def training_from(raw: list[list[tuple[int, int]]]) -> Training:
    """Histories of (item, step in time) pairs; a step of 0 is the same instant. An event's
    feature is its place in the whole period.
    """
    offsets = np.concatenate(([0], np.cumsum([len(h) for h in raw]))).astype(np.int64)
    return Training(
        Sequences(
            user=np.arange(len(raw), dtype=np.int32),
            offsets=offsets,
            item=np.array([i for h in raw for i, _ in h], np.int32),
            time=np.concatenate([np.cumsum([step for _, step in h]) for h in raw]).astype(np.int64),
            kind=np.zeros(int(offsets[-1]), np.int8),
            features=np.arange(len(raw), dtype=np.float32)[:, None],
            event_features=np.arange(offsets[-1], dtype=np.float32)[:, None],
        ),
        n_items=6,
        item_features=np.zeros((6, 0), np.float32),
    )


def naive_pairs(training: Training, window: int) -> list[tuple[int, tuple[int, ...], int]]:
    """(user, visible window, target) by the definition, one event at a time."""
    pairs = []
    for s in range(len(training.sequences)):
        a, b = training.sequences.offsets[s], training.sequences.offsets[s + 1]
        items, times = training.sequences.item[a:b], training.sequences.time[a:b]
        for j in range(len(items)):
            earlier = np.flatnonzero(times < times[j])
            if len(earlier):
                state = int(earlier[-1])
                begin = state // window * window
                pairs.append((s, tuple(items[begin : state + 1].tolist()), int(items[j])))
    return sorted(pairs)


@given(histories, st.integers(1, 5), st.integers(1, 4), st.integers(0, 99))
def test_every_event_with_an_earlier_one_is_a_target_once_an_epoch(
    raw: list[list[tuple[int, int]]], window: int, batch_size: int, seed: int
) -> None:
    training = training_from(raw)
    expected = naive_pairs(training, window)
    if not expected:
        assert cut_windows(training, window).n_targets == 0
        return
    found = []
    for batch in Batches(training, window, batch_size, CPU).epoch(seed):
        assert len(batch.items) <= batch_size
        longest = batch.items.shape[1]
        for target, state in zip(batch.target, batch.target_state, strict=True):
            row, place = divmod(int(batch.state[state]), longest)
            visible = tuple(batch.items[row, : place + 1].tolist())
            found.append((int(batch.user_features[row, 0]), visible, int(target)))
    assert sorted(found) == expected


@settings(max_examples=25)
@given(histories, st.integers(1, 5), st.integers(1, 4))
def test_a_batch_holds_what_is_known_of_each_event_of_its_windows(
    raw: list[list[tuple[int, int]]], window: int, batch_size: int
) -> None:
    training = training_from(raw)
    sequences = training.sequences
    owner = np.repeat(np.arange(len(raw)), np.diff(sequences.offsets))
    for batch in Batches(training, window, batch_size, CPU).epoch(0):
        assert batch.event_features is not None
        assert torch.equal(batch.target_state, batch.target_state.sort().values)
        assert batch.items.shape[1] <= window
        for event, target, state in zip(
            batch.target_event, batch.target, batch.target_state, strict=True
        ):
            row, place = divmod(int(batch.state[state]), batch.items.shape[1])
            events = batch.event_features[row, : place + 1, 0].numpy().astype(np.int64)
            assert events.tolist() == list(range(events[0], events[0] + place + 1))
            assert set(owner[events]) == {owner[event]} == {int(batch.user_features[row, 0])}
            assert batch.time[row, : place + 1].tolist() == sequences.time[events].tolist()
            assert sequences.time[events[-1]] < sequences.time[event]
            assert sequences.item[event] == target


def test_items_are_drawn_as_often_as_they_are_popular() -> None:
    torch.manual_seed(0)
    drawn = Batches(training_from([[(0, 1)] * 3, [(5, 1)]]), 2, 1, CPU).draw(4000)
    assert drawn.shape == (4000,)
    assert drawn.dtype == torch.int64
    assert torch.bincount(drawn).tolist()[1:5] == [0] * 4
    assert float((drawn == 0).float().mean()) == pytest.approx(0.75, abs=0.03)


def test_without_features_of_events_a_batch_has_none() -> None:
    training = training_from([[(0, 1), (1, 1)]])
    bare = replace(training, sequences=replace(training.sequences, event_features=None))
    (batch,) = Batches(bare, 2, 1, CPU).epoch(0)
    assert batch.event_features is None


def test_windows_of_a_batch_are_about_equally_long_and_mixed_anew_each_epoch() -> None:
    """Lengths that differ by more than a fifth never share a batch that either can fill."""
    lengths = [50] * 8 + [52] * 8 + [70] * 8
    training = training_from([[(0, 1)] * (length + 1) for length in lengths])
    batches = Batches(training, 100, 8, CPU)
    orders = []
    for seed in range(4):
        found = [batch.user_features[:, 0].int().tolist() for batch in batches.epoch(seed)]
        assert sorted(row for batch in found for row in batch) == list(range(24))
        assert {*range(16, 24)} in map(set, found)
        orders.append(found)
    assert any({*range(8)} not in map(set, found) for found in orders)
    assert len({[set(batch) for batch in found].index({*range(16, 24)}) for found in orders}) > 1


def test_a_batch_in_events_has_a_window_at_least() -> None:
    one = cut_windows(training_from([[(0, 1), (1, 1)]]), 5)
    assert one.length.tolist() == [1]
    assert windows_in_batch(one, 10, "events") == windows_in_batch(one, 10, "windows") == 10
    assert windows_in_batch(cut_windows(training_from([[(0, 1)]]), 5), 10, "events") == 1
    long = cut_windows(training_from([[(0, 1)] * 6]), 5)
    assert windows_in_batch(long, 2, "events") == 1


@pytest.mark.parametrize(
    ("events", "rows"),
    # Twelve windows of 5 events to predict from, and one of 1: 61 / 13 = 4.7 a window.
    [
        (1, [1] * 13),
        (6, [1] * 13),
        (8, [1, 2, 2, 2, 2, 2, 2]),
        (12, [1, 3, 3, 3, 3]),
        (24, [3, 5, 5]),
        (999, [13]),
    ],
)
def test_a_batch_counted_in_events_holds_as_many_windows_as_have_so_many_on_average(
    events: int, rows: list[int]
) -> None:
    training = training_from([[(0, 1)] * 6] * 12 + [[(0, 1)] * 2])
    found = Batches(training, 5, events, CPU, "events").epoch(0)
    assert sorted(len(batch.items) for batch in found) == rows


def test_the_same_seed_gives_the_same_batches_and_another_seed_others() -> None:
    rng = np.random.default_rng(0)
    training = training_from([[(int(i), 1) for i in rng.integers(0, 6, 9)] for _ in range(20)])
    batches = Batches(training, 5, 4, CPU)

    def targets(seed: int) -> list[int]:
        return torch.cat([batch.target for batch in batches.epoch(seed)]).tolist()

    assert targets(1) == targets(1)
    assert targets(1) != targets(2)


def test_histories_that_hold_one_instant_have_nothing_to_learn_from() -> None:
    training = training_from([[(0, 0), (1, 0), (2, 0)]])
    assert cut_windows(training, 4).n_targets == 0
    assert list(Batches(training, 4, 2, CPU).epoch(0)) == []
