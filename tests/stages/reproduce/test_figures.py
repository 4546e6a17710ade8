import numpy as np
import pytest
from scipy import stats

from recsweep.config.schema import Resources
from recsweep.records.environment import environment
from recsweep.stages.reproduce.figures import obstacles, tolerance


def test_nothing_stands_against_equal_figures_in_the_same_surroundings() -> None:
    now = environment()
    assert obstacles(now, now, Resources()) == []


def test_another_engine_stands_against_equal_figures() -> None:
    now = environment()
    before = {**now, "engine": "an earlier one"}
    assert obstacles(before, now, Resources()) == [f"engine an earlier one → {now['engine']}"]


def test_a_record_from_before_engines_had_names_must_still_agree_bit_for_bit() -> None:
    now = environment()
    before = {key: value for key, value in now.items() if key != "engine"}
    assert obstacles(before, now, Resources()) == []


def test_two_runs_may_be_as_far_apart_as_seeds_put_them_or_one_learner_of_the_fewest() -> None:
    runs = np.array([[0.1, 0.5], [0.3, 0.9]])
    spread = np.sqrt((0.02 + 0.08) / 2)  # of either place's two seeds
    asked = tolerance(runs, [10, 40])
    assert asked == pytest.approx(stats.t.ppf(0.995, 2) * np.sqrt(2) * spread)
    assert tolerance(runs / 1000, [10, 40]) == tolerance(runs[:1], [40, 10]) == 1 / 10
