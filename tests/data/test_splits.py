"""Each rule that doesn't cut the log by its times, against a plain definition."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from worlds import Row, dataset_of, events_of, experiment_of

from recsweep.config.schema import Experiment, Folds
from recsweep.data.before_cut import rows_of
from recsweep.data.indexing import Indexed, index_events
from recsweep.data.prepare import prepare
from recsweep.data.prepared import load_dataset
from recsweep.data.sealed import unseal
from recsweep.data.splits import (
    LEARNED,
    leave_one_out,
    parts_of,
    session_ends,
    split_log,
    whole_learners,
)
from recsweep.data.types import UNKNOWN, Cuts, Fold
from recsweep.errors import BadInput
from recsweep.tasks.folds import make_fold

Rule = dict[str, object]
OUT: Rule = {"rule": "leave_one_out", "count": 2}
LEARNERS: Rule = {"rule": "learners", "count": 2, "test": 0.3}
SESSIONS: Rule = {"rule": "sessions", "count": 1, "validation": 0.3, "test": 0.3}

relaxed = settings(max_examples=40, suppress_health_check=[HealthCheck.filter_too_much])
logs = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 5), st.integers(0, 9)), min_size=12, max_size=60
).map(lambda rows: sorted(set(rows)))


def split(rows: list[Row], rule: Rule) -> tuple[Indexed, Cuts]:
    """As `prepare` splits it; raw ids are the rows' numbers."""
    user, item, time = (np.array(column) for column in zip(*rows, strict=True))
    ids = {"user": pl.Series(user), "item": pl.Series(item)}
    cleaned = pl.DataFrame(
        {name: column.cast(pl.String).cast(pl.Categorical) for name, column in ids.items()}
    ).with_columns(time=pl.Series(time), kind=pl.lit(0, pl.Int8))
    try:
        return split_log(index_events(cleaned), Folds.model_validate(rule))
    except BadInput:
        assume(condition=False)
        raise


def log_of(rows: list[Row]) -> Indexed:
    """Raw ids are the codes' numbers."""
    events = events_of(rows)
    users, items = (
        pl.Series([str(code) for code in range(int(codes.max()) + 1)])
        for codes in (events.user, events.item)
    )
    return Indexed(events, users, items, 3)


def test_the_clock_is_cut_by_times_alone() -> None:
    log = log_of([(n % 3, n % 2, n) for n in range(10)])
    found, cuts = split_log(log, Folds(count=2, validation=0.2, test=0.2))
    assert found is log
    assert (cuts.validation, cuts.test) == (((4, 6), (6, 8)), (8, 10))


def test_a_session_ends_with_its_learners_last_event() -> None:
    log = log_of([(0, 0, 1), (0, 1, 5), (1, 0, 2), (2, 0, 3), (2, 0, 9)])
    assert session_ends(log.events).tolist() == [5, 5, 2, 9, 9]
    found, cuts = split_log(log, Folds(rule="sessions", count=1, validation=0.4, test=0.3))
    assert found.events.part is not None
    assert found.events.part.tolist() == [5, 5, 2, 9, 9]
    assert (cuts.validation, cuts.test) == (((5, 9),), (9, 10))
    assert found.users.to_list() == ["0", "1", "2"]
    assert found.duplicates == 3


def test_of_each_learner_the_last_moment_is_sealed_and_the_one_before_scored() -> None:
    """Two events of a moment are never parted; one moment, or the first of two, is learned."""
    events = events_of(
        [(0, 0, 1), (0, 1, 2), (0, 2, 2), (0, 0, 3), (1, 1, 5), (1, 2, 5), (2, 0, 1), (2, 1, 2),
         (3, 0, 1), (3, 1, 2), (3, 2, 3), (3, 0, 4), (3, 1, 4)]
    )  # fmt: skip
    assert leave_one_out(events, Folds(rule="leave_one_out", count=1)).tolist() == [
        *(LEARNED, 0, 0, 1), *(LEARNED, LEARNED), *(LEARNED, 1), *(LEARNED, LEARNED, 0, 1, 1),
    ]  # fmt: skip
    assert parts_of(Folds(rule="leave_one_out", count=3)) == Cuts(((0, 1), (1, 2), (2, 3)), (3, 4))


def test_what_only_the_sealed_test_has_gets_the_last_codes() -> None:
    """Learner 1 and course 0 are in the test alone."""
    log = log_of([(0, 1, 1), (0, 2, 4), (1, 0, 9), (2, 3, 2), (2, 1, 2), (1, 3, 8)])
    found, cuts = split_log(log, Folds(rule="sessions", count=1, validation=0.3, test=0.3))
    assert cuts.test == (9, 10)
    assert found.users.to_list() == ["0", "2", "1"]
    assert found.items.to_list() == ["1", "2", "3", "0"]
    events = found.events
    rows = zip(events.user, events.item, events.time, strict=True)
    assert [tuple(map(int, row)) for row in rows] == [
        *((0, 0, 1), (0, 1, 4)), *((1, 0, 2), (1, 2, 2)), *((2, 2, 8), (2, 3, 9)),
    ]  # fmt: skip
    assert events.cut_by.tolist() == [4, 4, 2, 2, 9, 9]
    assert events.user.dtype == events.item.dtype == np.int32


def test_of_ten_learners_a_test_of_a_third_has_three_and_the_folds_the_rest() -> None:
    log = log_of([(user, 0, user) for user in range(10)])
    part = whole_learners(log.events, Folds(rule="learners", count=2, test=0.34))
    sizes = np.bincount(part).tolist()
    assert sizes[2] == 3
    assert sum(sizes) == 10
    again = whole_learners(log.events, Folds(rule="learners", count=2, test=0.34))
    assert part.tolist() == again.tolist()


def test_too_few_learners_are_refused_with_what_to_change() -> None:
    events = events_of([(0, 0, 1), (0, 1, 2), (0, 2, 3), (1, 0, 1), (1, 1, 2)])
    found = Indexed(events, pl.Series(["a", "b"]), pl.Series(["x", "y", "z"]), 0)
    with pytest.raises(BadInput, match=r"1 learners have events at three moments.*lower folds.cou"):
        split_log(found, Folds.model_validate(OUT))
    with pytest.raises(BadInput, match=r"2 learners are too few for 2 folds and a test of 30%"):
        split_log(found, Folds.model_validate(LEARNERS))


def test_one_learner_for_each_fold_is_enough() -> None:
    rows = [(user, item, item) for user in (0, 1) for item in (0, 1, 2)]
    codes = pl.Series(["a", "b"]), pl.Series(["x", "y", "z"])
    found, _ = split_log(Indexed(events_of(rows), *codes, 0), Folds.model_validate(OUT))
    assert found.events.part is not None
    assert sorted(found.events.part.tolist()) == [-1, -1, 0, 1, 2, 2]
    events = events_of([(0, 0, 1), (1, 1, 2), (2, 0, 3)])
    found, _ = split_log(
        Indexed(events, pl.Series(["a", "b", "c"]), pl.Series(["x", "y"]), 0),
        Folds.model_validate(LEARNERS),
    )
    assert found.events.part is not None
    assert sorted(found.events.part.tolist()) == [0, 1, 2]


def test_a_test_whose_share_is_less_than_half_a_learner_is_refused() -> None:
    users, items = pl.Series(["a", "b", "c", "d", "e"]), pl.Series(["x"])
    found = Indexed(events_of([(user, 0, 1) for user in range(5)]), users, items, 0)
    with pytest.raises(BadInput, match="5 learners are too few for 2 folds and a test of 5%"):
        split_log(found, Folds.model_validate({**LEARNERS, "test": 0.05}))


@pytest.mark.parametrize(
    ("rule", "parts"),
    [(LEARNERS, [0, 0, 1, 0, 1, 2, 2, 1]), (OUT, [0, 0, 1, 0, 1, 0, 1, 1])],
)
def test_a_log_is_dealt_out_as_it_always_was(rule: Rule, parts: list[int]) -> None:
    rows = [(user, item, user + 10 * item) for user in range(8) for item in range(3)]
    found, _ = split(rows, rule)
    part = found.events.part
    assert part is not None
    of = {int(found.users[int(u)]): int(p) for u, p in zip(found.events.user, part, strict=True)
          if p != LEARNED and (rule is LEARNERS or p != 2)}  # fmt: skip
    assert [of[user] for user in range(8)] == parts


def raw_rows(found: Indexed, at: np.ndarray) -> set[Row]:
    """Those events as rows of the log."""
    e, users, items = found.events, found.users, found.items
    return {
        (int(users[int(e.user[n])]), int(items[int(e.item[n])]), int(e.time[n]))
        for n in np.flatnonzero(at)
    }


def last_moments(rows: list[Row], back: int) -> set[Row]:
    """Each learner's events at the last moment but `back`, unless it is the first."""
    moments = defaultdict(set)
    for user, _, time in rows:
        moments[user].add(time)
    chosen = {u: sorted(times)[-1 - back] for u, times in moments.items() if len(times) > back + 1}
    return {row for row in rows if chosen.get(row[0]) == row[2]}


@relaxed
@given(rows=logs)
def test_leave_one_out_seals_the_last_moment_and_scores_the_one_before_in_one_fold(
    rows: list[Row],
) -> None:
    found, cuts = split(rows, OUT)
    part = found.events.cut_by
    assert raw_rows(found, part == 2) == last_moments(rows, 0)
    assert raw_rows(found, (part == 0) | (part == 1)) == last_moments(rows, 1)
    assert cuts == Cuts(((0, 1), (1, 2)), (2, 3))
    scored = [np.unique(found.events.user[part == fold]) for fold in (0, 1)]
    assert not set(scored[0]) & set(scored[1])
    assert abs(len(scored[0]) - len(scored[1])) <= 1


@relaxed
@given(rows=logs)
def test_learners_are_whole_in_one_part(rows: list[Row]) -> None:
    found, _ = split(rows, LEARNERS)
    events = found.events
    of = [set(events.user[events.cut_by == part]) for part in range(3)]
    learners = set(range(len(found.users)))
    assert of[0] | of[1] | of[2] == learners
    assert sum(map(len, of)) == len(learners)
    assert len(of[2]) == round(0.3 * len(learners))


@relaxed
@given(rows=logs)
def test_a_session_belongs_to_the_period_in_which_it_ends(rows: list[Row]) -> None:
    found, cuts = split(rows, SESSIONS)
    events = found.events
    for user in range(len(found.users)):
        mine = events.user == user
        assert set(events.cut_by[mine]) == {events.time[mine].max()}
    ends = np.unique(events.cut_by)
    assert cuts.test[1] == ends.max() + 1
    assert cuts.validation[-1][1] == cuts.test[0]


@relaxed
@given(rows=logs, rule=st.sampled_from([OUT, LEARNERS, SESSIONS]))
def test_codes_of_what_only_the_test_has_come_last_and_mean_the_same_rows(
    rows: list[Row], rule: Rule
) -> None:
    found, cuts = split(rows, rule)
    events, early = found.events, found.events.cut_by < cuts.test[0]
    assert raw_rows(found, np.ones(len(events), bool)) == set(rows)
    for codes in (events.user, events.item):
        assert set(codes[early]) == set(range(int(codes[early].max()) + 1))
    order = np.lexsort((events.kind, events.item, events.time, events.user))
    np.testing.assert_array_equal(order, np.arange(len(events)))


def fold_of(found: Indexed, window: tuple[int, int], rule: Rule) -> Fold:
    experiment = experiment_of(folds={**rule, "min_user_events": 2}, targets={"seen": "keep"})
    dataset = dataset_of(found.events)
    try:
        return make_fold("fold0", found.events, window, dataset, experiment)
    except BadInput:
        assume(condition=False)
        raise


@relaxed
@given(rows=logs, rule=st.sampled_from([OUT, LEARNERS]))
def test_a_fold_trains_on_all_but_its_own_part_and_no_target_sees_itself_or_later(
    rows: list[Row], rule: Rule
) -> None:
    found, cuts = split(rows, rule)
    early = found.events.cut_by < cuts.test[0]
    development = Indexed(rows_of(found.events, early), found.users, found.items, 0)
    fold = fold_of(development, cuts.validation[0], rule)
    events, trained = development.events, fold.training.sequences
    left = [(u, t) for u, t, p in zip(events.user, events.time, events.cut_by, strict=True) if p]
    of_event = np.repeat(trained.user, np.diff(trained.offsets))
    assert {*zip(of_event, trained.time, strict=True)} <= {*left}
    targets = fold.validation
    asked = targets.histories.user[targets.sequence]
    part_of = {(u, t): p for u, t, p in zip(events.user, events.time, events.cut_by, strict=True)}
    assert {part_of[key] for key in zip(asked, targets.time, strict=True)} == {0}
    known = set(fold.items.tolist())
    for n, (user, time) in enumerate(zip(asked, targets.time, strict=True)):
        start = targets.histories.offsets[targets.sequence[n]]
        seen = targets.histories.time[start : start + targets.length[n]]
        mine = (events.user == user) & (events.time < time) & np.isin(events.item, list(known))
        np.testing.assert_array_equal(seen, np.sort(events.time[mine]))


def test_histories_without_times_are_prepared_and_the_test_lies_in_files_of_its_own(
    write: Callable[..., Path], experiment_on: Callable[..., Experiment], tmp_path: Path
) -> None:
    path = write("u1 a b c d\nu2 b c e\n\nu3 c a\n", "log.txt")
    rows = {"format": "histories", "separator": " ", "time": None, "order": "row"}
    event = {**rows, "type": {"constant": "browse"}}
    rule = {"rule": "leave_one_out", "count": 1}
    dataset = prepare(experiment_on(path, event=event, folds=rule), tmp_path)
    loaded = load_dataset(dataset.folder)
    assert loaded.items is not None
    assert sorted(loaded.items["_id"]) == ["a", "b", "c"]  # d and e are in the test alone
    assert loaded.development.cut_by.max() == 0
    whole = unseal(loaded)
    assert whole.users is not None
    assert whole.items is not None
    users, items = whole.users["_id"], whole.items["_id"]
    events = whole.development
    histories: dict[str, str] = defaultdict(str)
    for user, item in zip(events.user, events.item, strict=True):
        histories[users[int(user)]] += items[int(item)]
    assert histories == {"u1": "abcd", "u2": "bce", "u3": "ca"}
    asked = {
        users[int(u)]: items[int(i)]
        for u, i, p in zip(events.user, events.item, events.cut_by, strict=True)
        if p == 1
    }
    assert asked == {"u1": "d", "u2": "e", "u3": "a"}
    assert LEARNED == UNKNOWN == -1


@pytest.mark.parametrize("by", ["gap", "column"])
def test_sessions_are_made_by_a_gap_or_by_a_column(
    by: str, write: Callable[..., Path], experiment_on: Callable[..., Experiment], tmp_path: Path
) -> None:
    minutes = [0, 5, 10, 100, 104, 300, 303]
    rows = [("u1", f"c{n % 3}", 60 * m, "view") for n, m in enumerate(minutes)]
    rows += [("u2", f"c{n % 3}", 60 * m + 1, "view") for n, m in enumerate(minutes)]
    lines = [f"{','.join(map(str, row))},{row[2] // 6000}" for row in rows[::-1]]
    path = write("\n".join(["user,item,time,kind,session", *lines]) + "\n")
    gap = {"session_gap_minutes": 30} if by == "gap" else {}
    experiment = experiment_on(
        path,
        event={"session": "session"} if by == "column" else {},
        data={**gap, "times": {"earliest": "1970-01-01T00:00:00Z"}},
        folds={"rule": "sessions", "count": 1, "validation": 0.3, "test": 0.2},
    )
    whole = unseal(prepare(experiment, tmp_path))
    assert whole.users is not None
    assert experiment.data.unit == "sessions"
    named = {"gap": ["u1 #1", "u1 #2", "u1 #3"], "column": ["u1 0", "u1 1", "u1 3"]}[by]
    assert sorted(i for i in whole.users["_id"] if i.startswith("u1")) == named
    lengths = dict(zip(whole.users["_id"], np.bincount(whole.development.user), strict=True))
    assert [lengths[name] for name in named] == [3, 2, 2]
