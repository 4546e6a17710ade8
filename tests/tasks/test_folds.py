"""The rules of time, by definition, by property and by perturbation."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from worlds import dataset_of, events_of, experiment_of

from recsweep.data.types import UNKNOWN, Fold
from recsweep.errors import BadInput
from recsweep.tasks.folds import make_fold

Rows = list[tuple[int, int, int]]
CUT, END = 10, 15

logs = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 19)), min_size=4, max_size=40
).map(lambda rows: sorted(set(rows)))

relaxed = settings(
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)


def try_fold(make: Callable[..., Fold], rows: Rows, **changes: object) -> Fold | None:
    try:
        return make(rows, (CUT, END), **changes)
    except BadInput:
        return None


def training_bytes(fold: Fold) -> bytes:
    sequences = fold.training.sequences
    arrays = (
        fold.items,
        sequences.user,
        sequences.offsets,
        sequences.item,
        sequences.time,
        sequences.kind,
        sequences.features,
        fold.training.item_features,
    )
    return b"|".join(a.tobytes() for a in arrays) + str(fold.n_items).encode()


def scored(fold: Fold) -> dict[tuple[int, int, int], tuple[int, ...]]:
    """(user, item code, time) of each target -> the item codes of its visible history."""
    targets, found = fold.validation, {}
    for n in range(len(targets)):
        s = targets.sequence[n]
        a = targets.histories.offsets[s]
        history = fold.items[targets.histories.item[a : a + targets.length[n]]]
        item = -1 if targets.item[n] == UNKNOWN else int(fold.items[targets.item[n]])
        key = (int(targets.histories.user[s]), item, int(targets.time[n]))
        found[key] = tuple(history.tolist())
    return found


@relaxed
@given(rows=logs, seen=st.sampled_from(["drop", "keep"]))
def test_targets_and_histories_follow_the_written_rules(
    fold_of: Callable[..., Fold], rows: Rows, seen: str
) -> None:
    fold = try_fold(fold_of, rows, targets={"seen": seen})
    assume(fold is not None)
    assert fold is not None
    known = {i for _, i, t in rows if t < CUT}
    expected = {}
    for u, i, t in rows:
        history = [(t2, i2) for u2, i2, t2 in rows if u2 == u and t2 < t and i2 in known]
        if (
            CUT <= t < END
            and history
            and not (seen == "drop" and i in {i2 for u2, i2, t2 in rows if u2 == u and t2 < t})
        ):
            expected[(u, i if i in known else -1, t)] = tuple(i2 for _, i2 in sorted(history))
    assert scored(fold) == expected


@relaxed
@given(rows=logs, late=logs)
def test_nothing_at_or_after_a_cut_reaches_training(
    fold_of: Callable[..., Fold], rows: Rows, late: Rows
) -> None:
    """Delete every event from the cut on and put others in: training stays, byte for byte."""
    fold = try_fold(fold_of, rows)
    before = [row for row in rows if row[2] < CUT]
    changed = try_fold(fold_of, sorted(before + [(u, i, t) for u, i, t in late if t >= CUT]))
    assume(fold is not None and changed is not None)
    assert fold is not None
    assert changed is not None
    assert training_bytes(fold) == training_bytes(changed)


@relaxed
@given(rows=logs, late=logs, data=st.data())
def test_nothing_at_or_after_a_targets_own_time_reaches_its_history_or_candidates(
    fold_of: Callable[..., Fold], rows: Rows, late: Rows, data: st.DataObject
) -> None:
    fold = try_fold(fold_of, rows)
    assume(fold is not None)
    assert fold is not None
    target = data.draw(st.sampled_from(sorted(scored(fold))))
    user, item, time = target
    kept = [row for row in rows if row[2] < time]
    known = {i for _, i, t in rows if t < CUT}
    seen = {i for u, i, t in kept if u == user}  # no targets, however many are unknown
    of_target = (i for u, i, t in rows if (u, t) == (user, time) and i not in seen)
    raw_item = next(i for i in of_target if (i if i in known else -1) == item)
    others = [row for row in late if row[2] >= time and row != (user, raw_item, time)]
    changed = try_fold(fold_of, sorted({*kept, *others, (user, raw_item, time)}))
    assert changed is not None
    histories = {(u, t): h for (u, _, t), h in scored(changed).items()}
    assert histories[user, time] == scored(fold)[target]
    assert changed.items.tobytes() == fold.items.tobytes()


def test_events_at_the_cut_belong_to_the_window(fold_of: Callable[..., Fold]) -> None:
    fold = fold_of(
        [(0, 0, 1), (0, 1, 2), (0, 0, CUT - 1), (0, 1, CUT)], (CUT, END), targets={"seen": "keep"}
    )
    assert fold.training.sequences.time.max() == CUT - 1
    assert fold.validation.time.tolist() == [CUT]


def test_events_at_the_windows_end_belong_to_the_next_one(fold_of: Callable[..., Fold]) -> None:
    rows = [(0, 0, 1), (0, 1, 2), (0, 2, 3), (1, 0, 3), (1, 1, END - 1), (1, 2, END)]
    assert fold_of(rows, (CUT, END)).validation.time.tolist() == [END - 1]


def test_events_at_one_instant_are_no_history_to_each_other(fold_of: Callable[..., Fold]) -> None:
    rows = [(0, 0, 1), (0, 1, 2), (0, 2, 3), (1, 0, 11), (1, 1, 12), (1, 2, 12)]
    fold = fold_of(rows, (CUT, END))
    assert scored(fold) == {(1, 1, 12): (0,), (1, 2, 12): (0,)}


def test_support_is_counted_before_the_cut_only(fold_of: Callable[..., Fold]) -> None:
    rows = [(0, 0, 1), (0, 1, 2), (1, 0, 3), (1, 1, 4), (2, 2, 5), (2, 2, 12), (1, 2, 13)]
    fold = fold_of(rows, (CUT, END), folds={"min_item_events": 2}, targets={"seen": "keep"})
    assert fold.items.tolist() == [0, 1]  # course 2 has its second event after the cut
    assert fold.validation.counts["course unknown to training"] == 1


def test_a_fold_without_training_says_so(fold_of: Callable[..., Fold]) -> None:
    with pytest.raises(BadInput, match="fold0: no user has 2 events before its cut"):
        fold_of([(0, 0, 11), (0, 1, 12)], (CUT, END))


def test_one_course_in_the_catalogue_is_enough(fold_of: Callable[..., Fold]) -> None:
    fold = fold_of([(0, 0, 1), (0, 0, 2), (0, 0, 12)], (CUT, END), targets={"seen": "keep"})
    assert fold.n_items == 1
    assert np.array_equal(fold.validation.item, [0])


@settings(relaxed, max_examples=40)
@given(rows=logs, until=st.integers(1, CUT))
def test_a_model_that_was_fitted_earlier_learns_from_what_came_before_and_is_asked_the_same(
    fold_of: Callable[..., Fold], rows: Rows, until: int
) -> None:
    events = events_of(rows)
    experiment, dataset = experiment_of(), dataset_of(events)
    try:
        old = make_fold("old", events, (CUT, END), dataset, experiment, until)
    except BadInput:
        old = None
    assume(old is not None)
    assert old is not None
    then = [row for row in rows if row[2] < until]
    asked = try_fold(fold_of, rows)
    assert asked is not None  # who learned more can be asked as much
    assert set(old.items.tolist()) == {item for _, item, _ in then}
    assert {t for _, _, t in scored(old)} <= {t for _, _, t in scored(asked)}
    assert all(CUT <= t < END for _, _, t in scored(old))
    known = {i for _, i, _ in then}
    for (user, _, time), history in scored(old).items():
        seen = [(t, i) for u, i, t in rows if u == user and t < time and i in known]
        assert history == tuple(i for _, i in sorted(seen))
