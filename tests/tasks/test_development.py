"""All of the development period: what the confirmation trains on, and whole histories."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from purchases import CUT, END, dataset_with_prices, log_of, purchase_experiment, random_log
from worlds import experiment_of

from recsweep.config.schema import Experiment
from recsweep.data.before_cut import rows_of
from recsweep.data.clock import DAY
from recsweep.data.types import Cuts, Dataset, Events
from recsweep.tasks.development import whole_development
from recsweep.tasks.folds import make_fold

WINDOW = (CUT * DAY, END * DAY)


def both(seed: int) -> tuple[Dataset, Events, Dataset]:
    """A data set with its test opened, its events, and the same one still sealed."""
    events = log_of(random_log(seed))
    opened = replace(dataset_with_prices(events), cuts=Cuts(validation=(), test=WINDOW))
    before = rows_of(events, events.time < WINDOW[0])
    return opened, events, replace(opened, development=before)


def assert_same(a: Any, b: Any) -> None:
    for field in fields(a):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if hasattr(one, "__dataclass_fields__"):
            assert_same(one, other)
        elif isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other, err_msg=field.name)
        else:
            assert one == other, field.name


@pytest.mark.parametrize(
    "experiment", [experiment_of(targets={"seen": "keep"}), purchase_experiment()]
)
def test_it_is_what_the_confirmation_trains_on(experiment: Experiment) -> None:
    opened, events, sealed = both(seed=3)
    confirmed = make_fold("test", events, WINDOW, opened, experiment)
    whole = whole_development(sealed, experiment)
    assert_same(whole.training, confirmed.training)
    assert whole.cut == confirmed.cut


def test_every_learner_has_a_history_with_all_events_on_known_courses() -> None:
    _, _, sealed = both(seed=4)
    events = sealed.development
    rare = int(np.bincount(events.item).min())
    experiment = experiment_of(folds={"min_item_events": rare + 1, "min_user_events": 3})
    fold = whole_development(sealed, experiment)
    histories = fold.validation.histories
    known = np.isin(events.item, fold.items)
    assert not known.all()
    assert np.array_equal(histories.user, np.unique(events.user[known]))
    assert np.array_equal(fold.items[histories.item], events.item[known])
    assert np.array_equal(histories.time, events.time[known])
    assert histories.item_features is None  # courses are today what they were
    assert len(fold.validation) == 0
