from typing import Literal

import optuna

from recsweep.models.protocol import FamilyConfig
from recsweep.records.earlier import EarlierStudy, EarlierTrial
from recsweep.search.earlier import first_configurations, keep, kept, score
from recsweep.spaces.parameter import Parameter
from recsweep.spaces.space import Space

X = Parameter(name="x", float=(0, 100), role="nuisance", why="x")
SPACE = Space(
    family="a",
    parameters={"x": X},
    defaults={"x": 1.0},
    first_trials=({"x": 2.0}, {"x": 3.0}),
    config=FamilyConfig,
)


def trial(
    x: float, *values: float, state: Literal["complete", "pruned"] = "complete"
) -> EarlierTrial:
    return EarlierTrial(f"a-{x:04.0f}", state, {"x": x}, dict(enumerate(values, 1)))


def study(*trials: EarlierTrial) -> EarlierStudy:
    return EarlierStudy("results/one", "f00", 0, trials)


def tried(*earlier: EarlierStudy, lower_is_better: bool = False) -> list[object]:
    return [config["x"] for config in first_configurations(SPACE, earlier, lower_is_better)]


def test_without_an_earlier_study_the_spaces_own_first_trials_follow_its_defaults() -> None:
    assert tried() == [1, 2, 3]


def test_the_three_best_of_an_earlier_study_come_after_the_defaults_the_best_first() -> None:
    earlier = study(trial(10, 0.1), trial(11, 0.4), trial(12, 0.2), trial(13, 0.3))
    assert tried(earlier) == [1, 11, 13, 12, 2, 3]
    assert tried(earlier, lower_is_better=True) == [1, 10, 12, 13, 2, 3]


def test_a_trials_score_is_its_best_epochs() -> None:
    earlier = study(trial(10, 0.5, 0.1), trial(11, 0.3, 0.4), trial(12, 0.2, 0.3))
    assert tried(earlier)[1:4] == [10, 11, 12]
    assert tried(earlier, lower_is_better=True)[1:4] == [10, 12, 11]
    assert score(trial(10, 0.3, 0.1, 0.2), lower_is_better=True) == 0.1
    assert score(trial(10, 0.1, 0.3, 0.2), lower_is_better=False) == 0.3


def test_of_equals_the_earlier_trial_is_tried_first() -> None:
    for lower in (False, True):
        equal = study(trial(10, 0.2), trial(11, 0.2))
        assert tried(equal, lower_is_better=lower)[1:3] == [10, 11]


def test_studies_take_turns_and_of_more_than_three_each_has_one() -> None:
    one, other = study(trial(10, 0.2), trial(11, 0.1)), study(trial(20, 0.9), trial(21, 0.8))
    assert tried(one, other) == [1, 10, 20, 11, 2, 3]
    assert tried(study(trial(10, 0.2)), other) == [1, 10, 20, 21, 2, 3]  # one has run out
    five = [study(trial(10 * n, 0.2), trial(10 * n + 1, 0.1)) for n in range(1, 6)]
    assert tried(*five) == [1, 10, 20, 30, 40, 50, 2, 3]


def test_a_configuration_is_tried_once_and_a_stopped_one_is_none_of_the_best() -> None:
    one = study(trial(1, 0.9), trial(10, 0.8), trial(11, 0.95, state="pruned"))
    assert tried(one, study(trial(10, 0.7), trial(12, 0.1))) == [1, 10, 12, 2, 3]


def test_a_first_trial_of_the_space_that_an_earlier_study_knows_is_not_tried_for_its_own_sake() -> (
    None
):
    known = study(trial(10, 0.9), trial(11, 0.8), trial(12, 0.7), trial(2, 0.1))
    assert tried(known) == [1, 10, 11, 12, 3]


def test_earlier_studies_are_kept_with_the_study_and_none_leaves_nothing() -> None:
    optuna_study = optuna.create_study()
    keep(optuna_study, ())
    assert (optuna_study.user_attrs, kept(optuna_study)) == ({}, ())
    earlier = (study(trial(10, 0.1, 0.2)), study())
    keep(optuna_study, earlier)
    assert kept(optuna_study) == earlier
