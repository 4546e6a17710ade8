"""What the manifest says that a fold has to go on, counted by hand."""

from dataclasses import replace

import numpy as np
from worlds import events_of

from recsweep.config.schema import Folds
from recsweep.data.manifest import Moment
from recsweep.data.periods import describe_fold, describe_period
from recsweep.data.types import KINDS

LOG = events_of(
    [
        (0, 0, 10), (0, 1, 11), (0, 2, 12),  # three events of one learner, then two learners
        (1, 0, 13), (1, 0, 14), (2, 3, 15),  # with two and with one
        (0, 0, 20), (3, 3, 21), (3, 4, 28), (3, 4, 29),  # a window: a new learner and course
        (0, 0, 30),  # after it
    ]
)  # fmt: skip
WINDOW = (20, 30)


def test_a_period_holds_its_start_and_not_its_end() -> None:
    period = describe_period(LOG, 12, 20)
    assert (period.events, period.users, period.items) == (4, 3, 3)
    assert (period.start, period.end) == (Moment.at(12), Moment.at(20))
    at_start, at_end = describe_period(LOG, 20, 21), describe_period(LOG, 19, 20)
    assert (at_start.events, at_end.events) == (1, 0)
    assert at_end.types == {}


def test_events_are_counted_by_their_kind_and_kinds_without_any_are_not_named() -> None:
    kind = np.zeros(len(LOG), np.int8)
    kind[-1] = KINDS.index("purchase")
    events = replace(LOG, kind=kind)
    assert describe_period(events, 0, 99).types == {KINDS[0]: 10, "purchase": 1}
    inside = events.kind == KINDS.index("purchase")
    assert describe_period(events, 0, 99, inside).types == {"purchase": 1}


def test_learners_and_courses_below_a_least_number_are_those_with_some_events_but_fewer() -> None:
    fold = describe_fold("f", LOG, 10, WINDOW, Folds(min_user_events=3, min_item_events=2))
    assert fold.users_below_min_user_events == 2  # of two and of one; three are enough
    assert fold.items_below_min_item_events == 3  # courses 1, 2 and 3 with one; 4 has none yet
    fold = describe_fold("f", LOG, 10, WINDOW, Folds(min_user_events=2, min_item_events=1))
    assert (fold.users_below_min_user_events, fold.items_below_min_item_events) == (1, 0)


def test_a_window_tells_how_much_of_it_training_knows_nothing_of() -> None:
    fold = describe_fold("f", LOG, 10, WINDOW, Folds())
    assert (fold.training.events, fold.validation.events) == (6, 4)
    assert (fold.training.start, fold.training.end) == (Moment.at(10), Moment.at(20))
    assert fold.validation_events_of_new_users == 3  # all of learner 3
    assert fold.validation_events_on_new_items == 2  # on course 4; course 3 has one event
    shorter = describe_fold("f", LOG, 10, (20, 29), Folds())
    assert (shorter.validation.events, shorter.validation_events_on_new_items) == (3, 1)
    assert shorter.validation_events_of_new_users == 2
