from dataclasses import replace

import polars as pl
import pytest
from worlds import dataset_of, events_of, experiment_of

from recsweep.config.schema import Experiment
from recsweep.data.features.dated import ID, VALID_FROM
from recsweep.stages.confirm.groups import groups_of_learners
from recsweep.tasks.folds import make_fold


def experiment_with(**confirm: object) -> Experiment:
    users = {"path": "x", "key": "u", "categorical": ["team"], "valid_from": "since"}
    event = {"path": "x", "user": "u", "item": "i", "time": "t"}
    data = {"name": "test", "events": [event], "users": users}
    return experiment_of(data=data, confirm=confirm, features=[])


def test_a_learner_is_in_the_group_that_the_table_knew_at_the_first_target() -> None:
    experiment = experiment_with(groups=["team"], smallest_group=2)
    events = events_of([(user, time, time) for user in range(5) for time in (1, 2, 9)])
    rows = pl.DataFrame(
        {
            ID: ["0", "0", "1", "2", "3", "3", "4"],
            VALID_FROM: [0, 5, 0, 0, 0, 20, 20],
            "team": ["red", "blue", "blue", "red", "red", "blue", "red"],
        }
    )
    ids = pl.DataFrame({ID: [str(code) for code in range(5)]})
    dataset = replace(dataset_of(events), users=ids, user_rows=rows)
    fold = make_fold("sealed test", events, (9, 10), dataset, experiment)
    groups = groups_of_learners(fold, dataset, experiment)["team"]
    assert {name: mask.nonzero()[0].tolist() for name, mask in groups.members.items()} == {
        "blue": [0, 1],
        "red": [2, 3],
    }
    assert (groups.pooled, groups.withheld) == (("(not known)",), 1)


def test_a_column_that_the_table_of_learners_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"confirm\.groups: city is no categorical or numeric"):
        experiment_with(groups=["city"])
