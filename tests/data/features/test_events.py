"""What is said of a history's events: their type, gap and dwell."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import dataset_of, events_of, experiment_of

from recsweep.config.schema import EVENT_FEATURES
from recsweep.data.features.choose import with_features
from recsweep.data.features.events import SECOND, fit_events, known_dwell, summaries
from recsweep.data.types import KINDS, Events, Fold
from recsweep.tasks.folds import make_fold

CUT, END = 100, 200
Timed = tuple[int, int, int, int, float]  # user, item, second, kind, seconds spent


def timed_log(rows: list[Timed]) -> Events:
    rows = sorted(rows, key=lambda row: (row[0], row[2], row[1]))
    plain = events_of([(user, item, second * SECOND) for user, item, second, _, _ in rows])
    return replace(
        plain,
        kind=np.array([row[3] for row in rows], np.int8),
        dwell=np.array([row[4] for row in rows], np.float32),
    )


def fold_of(rows: list[Timed]) -> Fold:
    events = timed_log(rows)
    experiment = experiment_of(
        data={
            "name": "test",
            "events": [{"path": "x", "user": "u", "item": "i", "time": "t", "dwell": "d"}],
        },
        features=EVENT_FEATURES,
        targets={"seen": "keep"},
    )
    window = (CUT * SECOND, END * SECOND)
    return make_fold("fold0", events, window, dataset_of(events), experiment)


def test_a_dwell_lasts_no_longer_than_until_the_learners_next_moment_or_the_end() -> None:
    rows: list[Timed] = [
        (0, 0, 10, 0, 5), (0, 1, 20, 0, 500), (0, 2, 20, 0, np.nan), (0, 0, 50, 0, 500),
        (1, 0, 15, 0, 500),
    ]  # fmt: skip
    found = known_dwell(timed_log(rows), 90 * SECOND)
    np.testing.assert_array_equal(found, [5, 30, np.nan, 40, 75])


def test_without_a_column_of_dwells_none_is_known() -> None:
    events = replace(timed_log([(0, 0, 10, 0, 5), (0, 1, 20, 0, 5)]), dwell=None)
    np.testing.assert_array_equal(known_dwell(events, 90 * SECOND), [np.nan, np.nan])


def test_a_missing_dwell_is_zero_and_marked() -> None:
    events = timed_log([(0, 0, 10, 0, 5), (0, 1, 20, 0, np.nan), (0, 2, 40, 0, 9)])
    encoder = fit_events(events, ["event.dwell"], 90 * SECOND)
    found = encoder.encode(events, 90 * SECOND)
    assert found is not None
    assert encoder.sources == ("event.dwell", "event.dwell")
    assert found[1].tolist() == [0, 1]
    assert found[[0, 2], 0].tolist() == pytest.approx([-1, 1])


def test_a_learners_first_event_has_no_gap() -> None:
    events = timed_log([(0, 0, 10, 0, 1), (0, 1, 20, 0, 1), (1, 2, 40, 0, 1), (1, 2, 140, 0, 1)])
    found = fit_events(events, ["event.gap"], CUT).encode(events, CUT)
    assert found is not None
    assert found[:, 1].tolist() == [1, 0, 1, 0]
    assert found[1, 0] == pytest.approx(-found[3, 0])


def test_a_type_that_training_has_not_seen_is_all_zeros() -> None:
    seen = timed_log([(0, 0, 10, 0, 1), (0, 1, 20, 1, 1)])
    other = timed_log([(0, 0, 10, KINDS.index("comment"), 1)])
    found = fit_events(seen, ["event.type"], CUT).encode(other, CUT)
    assert found is not None
    assert found.tolist() == [[0, 0]]


def test_without_a_declared_feature_there_is_none() -> None:
    events = timed_log([(0, 0, 10, 0, 1), (0, 1, 20, 1, 1)])
    encoder = fit_events(events, [], CUT)
    assert encoder.encode(events, CUT) is None
    assert encoder.sources == ()


def test_a_set_of_features_without_some_is_what_fitting_without_them_gives() -> None:
    fold = fold_of(EARLY + [(u, u % 3, CUT + 5 + u, 0, 3.0) for u in range(4)])
    less = with_features(fold, ["event.type"])
    assert set(less.training.event_columns) == {"event.type"}
    for part in (less.training.sequences, less.validation.histories):
        assert part.event_features is not None
        assert part.event_features.shape[1] == len(less.training.event_columns)


EARLY: list[Timed] = [
    (u, (u + t) % 3, 10 * t + u + 1, t % 2, float((7 * u + 13 * t) % 40))
    for u in range(4)
    for t in range(8)
]
late_rows = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(0, 2), st.integers(CUT, END - 1), st.integers(0, 2),
        st.floats(0, 1e6),
    ),
    max_size=12,
)  # fmt: skip


def visible(fold: Fold, user: int, second: int) -> bytes:
    """What is said of the history of a learner's target."""
    targets = fold.validation
    of_user = targets.histories.user[targets.sequence] == user
    n = int(np.flatnonzero(of_user & (targets.time == second * SECOND))[0])
    start = targets.histories.offsets[targets.sequence[n]]
    assert targets.histories.event_features is not None
    return targets.histories.event_features[start : start + targets.length[n]].tobytes()


@settings(max_examples=30)
@given(late_rows, st.integers(CUT, END - 1), st.floats(0, 1e6), st.integers(0, 2))
def test_no_later_event_and_nothing_but_the_time_of_a_target_reaches_its_inputs(
    later: list[Timed], second: int, dwell: float, kind: int
) -> None:
    """The target's own type and dwell are rewritten, and all after it; training stays as well."""
    one = fold_of([*EARLY, (0, 1, second, 0, 1.0)])
    after = [row for row in later if row[2] > second or (row[0] != 0 and row[2] >= CUT)]
    other = fold_of([*EARLY, (0, 1, second, kind, dwell), *after])
    assert visible(one, 0, second) == visible(other, 0, second)
    for fold in (one, other):
        assert fold.training.sequences.event_features is not None
    training, rewritten = (f.training.sequences.event_features for f in (one, other))
    assert training is not None
    assert rewritten is not None
    assert training.tobytes() == rewritten.tobytes()


def test_an_earlier_dwell_does_reach_the_inputs() -> None:
    target = (0, 1, CUT + 50, 0, 1.0)
    one = fold_of([*EARLY, (0, 0, CUT + 10, 0, 5.0), target])
    other = fold_of([*EARLY, (0, 0, CUT + 10, 0, 9.0), target])
    assert visible(one, 0, CUT + 50) != visible(other, 0, CUT + 50)


def test_gaps_and_dwells_are_logarithms_of_one_and_the_seconds() -> None:
    rows: list[Timed] = [
        (0, 0, 10, 0, 4), (0, 1, 20, 0, 9), (0, 2, 50, 0, 99), (0, 0, 90, 0, 1),
        (1, 2, 5, 0, np.nan),
    ]  # fmt: skip
    events = timed_log(rows)
    encoder = fit_events(events, ["event.dwell", "event.gap"], 100 * SECOND)
    found = encoder.encode(events, 100 * SECOND)
    assert found is not None
    assert encoder.sources == ("event.dwell",) * 2 + ("event.gap",) * 2

    def standardised(*seconds: float) -> list[float]:
        logs = np.log([1 + s for s in seconds])
        return [float(x) for x in (logs - logs.mean()) / logs.std()]

    assert found[:4, 0] == pytest.approx(standardised(4, 9, 40, 1))  # one until the next event
    assert found[1:4, 2] == pytest.approx(standardised(10, 30, 40))
    assert found[:, 1].tolist() == [0, 0, 0, 0, 1]
    assert found[:, 3].tolist() == [1, 0, 0, 0, 1]


def test_times_are_in_microseconds() -> None:
    events = replace(
        timed_log([(0, 0, 0, 0, 9.0), (0, 0, 1, 0, 9.0)]), time=np.array([0, 2_500_000])
    )
    assert known_dwell(events, 4_000_000).tolist() == [2.5, 1.5]


def test_a_dwell_that_begins_at_or_after_the_end_of_what_is_seen_has_no_length() -> None:
    events = timed_log([(0, 0, 10, 0, 5), (1, 0, 30, 0, 5), (1, 0, 20, 0, 3)])
    assert known_dwell(events, 20 * SECOND).tolist() == [5, 3, 0]


def test_a_moment_of_several_events_and_another_learners_are_no_next_one() -> None:
    rows: list[Timed] = [(0, 0, 10, 0, 99), (0, 1, 10, 0, 99), (1, 0, 10, 0, 99), (1, 0, 30, 0, 99)]
    assert known_dwell(timed_log(rows), 40 * SECOND).tolist() == [30, 30, 20, 10]


def test_a_columns_that_does_not_vary_in_training_is_left_out() -> None:
    events = timed_log([(0, 0, 10, 0, 1), (0, 1, 20, 0, 1), (1, 0, 5, 0, 1)])
    encoder = fit_events(events, EVENT_FEATURES, 50 * SECOND)
    assert encoder.sources == ("event.gap",)  # one type, one gap, one dwell: only its lack varies
    found = encoder.encode(events, 50 * SECOND)
    assert found is not None
    assert found.tolist() == [[1], [0], [1]]
    assert found.flags["C_CONTIGUOUS"]


def test_what_a_history_says_of_a_feature_has_three_names() -> None:
    assert summaries("event.gap") == [
        "event.gap (mean)",
        "event.gap (last)",
        "event.gap (this course)",
    ]


def test_types_are_told_one_by_one() -> None:
    events = timed_log([(0, 0, 10, 0, 1), (0, 1, 20, 1, 1), (1, 0, 5, 0, 1)])
    encoder = fit_events(events, ["event.type"], CUT)
    assert encoder.parts[0].names == [f"event.type={KINDS[0]}", f"event.type={KINDS[1]}"]
    found = encoder.encode(events, CUT)
    assert found is not None
    assert found.tolist() == [[1, 0], [0, 1], [1, 0]]
