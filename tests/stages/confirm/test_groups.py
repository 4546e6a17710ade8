from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from worlds import dataset_of, events_of, experiment_of

from recsweep.config.schema import Experiment
from recsweep.data.features.dated import ID, VALID_FROM
from recsweep.evaluation.estimate import estimate
from recsweep.evaluation.learner_groups import LearnerGroups, largest_gap
from recsweep.records.confirmation import Estimate
from recsweep.stages.confirm.groups import groups_of_learners, in_groups
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


def test_a_table_of_one_row_knows_one_learner() -> None:
    experiment = experiment_with(groups=["team"], smallest_group=2)
    events = events_of([(user, time, time) for user in range(3) for time in (1, 2, 9)])
    rows = pl.DataFrame({ID: ["1"], VALID_FROM: [0], "team": ["red"]})
    dataset = replace(dataset_of(events), users=pl.DataFrame({ID: list("012")}), user_rows=rows)
    fold = make_fold("sealed test", events, (9, 10), dataset, experiment)
    groups = groups_of_learners(fold, dataset, experiment)["team"]
    assert {name: mask.tolist() for name, mask in groups.members.items()} == {
        "(not known)": [True, False, True]
    }
    assert (groups.pooled, groups.withheld) == (("red",), 1)


def test_a_column_that_the_table_of_learners_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"confirm\.groups: city is no categorical or numeric"):
        experiment_with(groups=["city"])


def test_without_columns_to_group_by_there_are_no_groups() -> None:
    events = events_of([(user, time, time) for user in range(3) for time in (1, 2, 9)])
    dataset = replace(dataset_of(events), users=pl.DataFrame({ID: list("012")}))
    fold = make_fold("sealed test", events, (9, 10), dataset, experiment_of())
    assert groups_of_learners(fold, dataset, experiment_of()) == {}


BLUE = np.array([True, True, False, False, False])
TABLE = np.array([[0.0, 0.3, 0.9, 1.0, 0.2], [0.1, 0.4, 1.0, 1.0, 0.1]])


def test_every_metric_is_told_for_every_group_of_every_column() -> None:
    team = LearnerGroups({"blue": BLUE, "red": ~BLUE}, pooled=("green",), withheld=1)
    age = LearnerGroups({"all": np.ones(5, bool)})
    tables = {"gru": {"recall@5": TABLE, "bits": TABLE}, "lstm": {"bits": 1 - TABLE}}
    by_team, by_age = in_groups(tables, {"team": team, "age": age}, 2)
    assert (by_team.column, by_age.column) == ("team", "age")
    assert (by_team.learners, by_age.learners) == ({"blue": 2, "red": 3}, {"all": 5})
    assert (by_team.smallest_group, by_team.pooled, by_team.withheld) == (2, ("green",), 1)
    assert {name: set(of) for name, of in by_team.means.items()} == {
        "gru": {"recall@5", "bits"},
        "lstm": {"bits"},
    }
    each = {"blue": TABLE[:, :2], "red": TABLE[:, 2:]}
    free = {name: Estimate(*estimate(part, 0.975)) for name, part in each.items()}  # 0.95 of both
    assert by_team.means["gru"]["bits"] == free
    held = {name: Estimate(e.mean, max(0, e.lower), min(1, e.upper)) for name, e in free.items()}
    assert held != free
    assert by_team.means["gru"]["recall@5"] == held
    gap = by_team.gaps["lstm"]["bits"]
    assert (gap.highest, gap.lowest) == ("blue", "red")
    assert gap.difference == pytest.approx(0.5)
    assert by_team.gaps["gru"]["bits"] == largest_gap(TABLE, team, 0.95)
    held_gap, wide = by_team.gaps["gru"]["recall@5"], by_team.gaps["gru"]["bits"]
    assert (held_gap.lower, held_gap.upper) == (max(-1, wide.lower), min(1, wide.upper))
    assert by_age.gaps == {"gru": {}, "lstm": {}}


def test_without_columns_nothing_is_told() -> None:
    assert in_groups({"gru": {"bits": TABLE}}, {}, 2) == ()
