"""A model that is asked outside of a study says what it says of a study's targets."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from known import known_of

from recsweep.data.before_cut import rows_of
from recsweep.data.types import UNKNOWN, Events
from recsweep.models.registry import families
from recsweep.tasks.asked import Asked, closing
from recsweep.tasks.folds import make_fold
from recsweep.tasks.registry import TASKS
from recsweep.testing import cases_of
from recsweep.testing.worlds import whole_world

DAY = 86_400_000_000  # microseconds
CUT, END = 60 * DAY, 100 * DAY


@pytest.mark.parametrize(
    ("task", "family", "seen"),
    [
        ("next_item", "gru", "keep"),
        ("next_item", "markov", "keep"),
        ("next_item", "markov", "drop"),
        ("purchase", "gru", "drop"),
        ("purchase", "logistic_regression", "drop"),
    ],
)
def test_answers_are_those_of_the_studys_own_scorer(task: str, family: str, seen: str) -> None:
    split = whole_world(task, {})
    rule = split.experiment.targets.model_copy(update={"seen": seen})
    dataset, experiment = split.dataset, split.experiment.model_copy(update={"targets": rule})
    events = dataset.development
    fold = make_fold("fold0", events, (CUT, END), dataset, experiment)
    model = next(cases_of(families()[family], task)).fitted(fold)
    cpu = torch.device("cpu")
    expected = TASKS[task].scorer(fold.validation, fold.n_items, cpu).outcomes(model)
    known, index = known_of(replace(split, experiment=experiment), CUT, fold.training)
    ask, targets = TASKS[task].answers, fold.validation
    assert ask is not None
    asked = 0
    for n in range(0, len(targets), 7):
        user, item, time = (
            targets.histories.user[targets.sequence[n]],
            targets.item[n],
            targets.time,
        )
        if item == UNKNOWN:
            continue
        rows = np.flatnonzero((events.user == user) & (events.time < time[n]))
        question = Asked(
            user=np.array([user], np.int32),
            events=rows_of(events, rows),
            index=index[rows],
            moment=time[n : n + 1],
            courses=np.arange(len(known.items)),
        )
        ((at, scores),) = ask(model, question, known)
        assert at.tolist() == [0]
        own = scores[0, item]
        if own == -torch.inf:  # bought before: no question, and no target of a study
            continue
        if task == "purchase":
            assert float(own) == pytest.approx(expected[n], rel=1e-5)
        else:
            together = (targets.sequence == targets.sequence[n]) & (time == time[n])
            others = targets.item[together & (targets.item != item)]
            not_below = scores[0] >= own - 1e-6
            not_below[torch.from_numpy(others[others != UNKNOWN]).long()] = False
            assert int(not_below.sum()) == expected[n]
        asked += 1
    assert asked > 5


def three_learners() -> Asked:
    """2, 5 and 6, of whom 5 has no event."""
    item = np.array([3, 1, 2], np.int32)
    events = Events(np.array([2, 2, 6], np.int32), item, np.array([1, 4, 2]), np.zeros(3, np.int8))
    return Asked(
        user=np.array([2, 5, 6], np.int32),
        events=events,
        index=item - 1,
        moment=np.array([7, 8, 9]),
        courses=np.arange(3),
    )


def test_each_learner_is_asked_alone_by_his_own_events_and_moment() -> None:
    alone = [three_learners().of_learner(n) for n in range(3)]
    assert [one.user.tolist() for one in alone] == [[2], [5], [6]]
    assert [one.moment.tolist() for one in alone] == [[7], [8], [9]]
    assert [one.events.item.tolist() for one in alone] == [[3, 1], [], [2]]
    assert [one.index.tolist() for one in alone] == [[2, 0], [], [1]]


def test_a_look_at_each_course_comes_after_all_events_of_its_learner() -> None:
    code, index = np.array([8, 9], np.int32), np.array([0, UNKNOWN], np.int32)
    events, indices, rows = three_learners().with_looks(code, index, kind=1)
    assert events.user.tolist() == [2, 2, 2, 2, 5, 5, 6, 6, 6]
    assert events.item.tolist() == [3, 1, 8, 9, 8, 9, 2, 8, 9]
    assert events.time.tolist() == [1, 4, 7, 7, 8, 8, 2, 9, 9]
    assert events.kind.tolist() == [0, 0, 1, 1, 1, 1, 0, 1, 1]
    assert indices.tolist() == [2, 0, 0, UNKNOWN, 0, UNKNOWN, 1, 0, UNKNOWN]
    assert rows.tolist() == [2, 3, 4, 5, 7, 8]
    closed, ends = closing(three_learners())
    assert closed.item.tolist() == [3, 1, 0, 0, 2, 0]
    assert ends.tolist() == [2, 0, UNKNOWN, UNKNOWN, 1, UNKNOWN]


def test_how_long_an_event_lasted_goes_with_it_and_is_unknown_of_a_look() -> None:
    asked = three_learners()
    events = replace(asked.events, dwell=np.array([5, 6, 7], np.float32))
    timed = replace(asked, events=events)
    found, _, rows = timed.with_looks(np.array([8], np.int32), np.array([0], np.int32), kind=1)
    assert found.dwell is not None
    np.testing.assert_array_equal(found.dwell, np.array([5, 6, np.nan, np.nan, 7, np.nan]))
    assert found.dwell.dtype == np.float32
    assert rows.tolist() == [2, 3, 5]
    plain, _, _ = asked.with_looks(np.array([8], np.int32), np.array([0], np.int32), kind=1)
    assert plain.dwell is None


def test_what_ends_the_last_events_is_of_the_first_type_and_at_the_moment_asked() -> None:
    closed, _ = closing(three_learners())
    assert closed.kind.tolist() == [0] * 6
    assert closed.time.tolist() == [1, 4, 7, 8, 2, 9]
    assert closed.user.tolist() == [2, 2, 2, 5, 6, 6]
