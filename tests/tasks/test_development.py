"""All of the development period: what the confirmation trains on, and whole histories."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from purchases import CUT, END, dataset_with_prices, log_of, purchase_experiment, random_log
from worlds import experiment_of

from recsweep.config.schema import Experiment
from recsweep.data.before_cut import rows_of
from recsweep.data.clock import DAY
from recsweep.data.types import Cuts, Dataset, Events
from recsweep.tasks.development import whole_development, whole_split
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


def test_another_cut_trains_on_all_before_it_and_knows_nothing_later() -> None:
    _, _, sealed = both(seed=5)
    early = 40 * DAY
    experiment = experiment_of(folds={"min_user_events": 2, "min_item_events": 1})
    fold = whole_development(sealed, experiment, early)
    events = sealed.development
    assert fold.cut == early
    assert fold.name == "development"
    assert np.array_equal(fold.validation.histories.time, events.time[events.time < early])
    assert np.array_equal(fold.training.sequences.time, events.time[events.time < early])
    split = whole_split(sealed, experiment, early)
    assert split.window == (early, early)
    assert split.before.all()
    assert not split.inside.any()


def test_where_the_clock_is_not_cut_all_events_are_learned_from() -> None:
    events = log_of(random_log(6))
    events = replace(events, part=np.arange(len(events)) % 5)
    dataset = replace(dataset_with_prices(events), cuts=Cuts(validation=(), test=(4, 5)))
    experiment = experiment_of(folds={"rule": "leave_one_out", "count": 1})
    split = whole_split(dataset, experiment, 7)
    assert np.array_equal(split.events.time, events.time)
    fold = whole_development(dataset, experiment)
    assert fold.cut == events.time.max() + 1
    assert len(fold.validation.histories.time) == len(events)


def test_of_a_dated_table_courses_are_told_as_each_was_known_just_before_its_event() -> None:
    _, _, sealed = both(seed=7)
    ids = [f"c{code}" for code in range(sealed.n_items)]
    rows = pl.DataFrame(
        {
            "_id": ids * 2,
            "_valid_from": [0] * len(ids) + [30 * DAY] * len(ids),
            "price": [*np.arange(len(ids)) * 1.0, *np.arange(len(ids)) + 100.0],
        }
    )
    dataset = replace(sealed, items=pl.DataFrame({"_id": ids}), item_rows=rows)
    fold = whole_development(dataset, experiment_of(folds={"min_item_events": 1}))
    histories = fold.validation.histories
    assert histories.item_features is not None
    # At the cut all prices are of the later rows; they have mean 103.5 and this deviation.
    spread = np.arange(8).std()
    code = fold.items[histories.item]
    price = np.where(histories.time - 1 >= 30 * DAY, 100 + code, code)
    np.testing.assert_allclose(
        histories.item_features[:, 0], np.clip((price - 103.5) / spread, -10, 10), rtol=1e-5
    )


def test_nothing_is_asked() -> None:
    targets = whole_development(both(seed=4)[2], purchase_experiment()).validation
    assert (len(targets.item), len(targets.time), len(targets.length)) == (0, 0, 0)
    assert not targets.drop_seen
    assert targets.counts == {}


def test_a_row_counts_from_the_microsecond_after_its_own_and_an_event_before_the_cut() -> None:
    days = ((0, 0, 1.0), (0, 1, 2.0), (1, 1, 3.0), (1, 0, 4.0))
    events = log_of([(user, item, day, "browse") for user, item, day in days])
    rows = pl.DataFrame(
        {
            "_id": ["a", "a", "b", "b"],
            "_valid_from": [0, DAY, 0, 2 * DAY - 1],
            "price": [1.0, 5.0, 2.0, 6.0],
        }
    )
    ids = pl.DataFrame({"_id": ["a", "b"]})
    dataset = replace(dataset_with_prices(events), items=ids, item_rows=rows)
    fold = whole_development(dataset, experiment_of(), 4 * DAY)
    histories = fold.validation.histories
    assert (histories.time / DAY).tolist() == [1, 2, 3]
    assert histories.item_features is not None
    # By the cut the prices are 5 and 6.
    assert histories.item_features[:, 0].tolist() == [-9, 1, 1]
