import math

import numpy as np
import pytest

from recsweep.evaluation.enough import chance_of_gain


def test_the_chance_is_never_below_that_of_trials_drawn_alike_and_not_far_above_it() -> None:
    """Against drawing: among 40 trials with an exponential tail, another 20 beat the best."""
    random = np.random.default_rng(0)
    for gain in (0.5, 2.0):
        told, happened = [], []
        for _ in range(2000):
            scores = random.exponential(1.0, 60)
            told.append(chance_of_gain(scores[:40].tolist(), 20, gain))
            happened.append(scores[40:].max() > scores[:40].max() + gain)
        assert np.mean(happened) < np.mean(told) < 3 * np.mean(happened)


def test_scores_that_keep_rising_promise_more_than_the_same_ones_in_another_order() -> None:
    rising = np.sort(np.random.default_rng(2).normal(size=16))
    assert chance_of_gain(rising.tolist(), 8, 0.2) > 2 * chance_of_gain(
        rising[::-1].tolist(), 8, 0.2
    )


def test_more_trials_are_worth_more_and_a_larger_gain_is_rarer() -> None:
    scores = np.random.default_rng(1).normal(size=20).tolist()
    few, many = (chance_of_gain(scores, more, 0.1) for more in (1, 10))
    assert 0 < few < many < 1
    assert chance_of_gain(scores, 10, 0.5) < many
    assert chance_of_gain(scores, 0, 0.1) == 0


def test_nothing_is_said_of_a_few_trials_and_equal_ones_promise_no_gain() -> None:
    assert chance_of_gain([0.1] * 5, 5, 0.1) == 1
    assert chance_of_gain([0.1] * 6, 5, 0.1) == 0


def test_the_chance_is_that_of_a_record_times_that_of_so_large_an_excess() -> None:
    """The best three of eight exceed the fourth by 2 in the mean."""
    first, rising = [8.0, 1, 2, 3, 4, 5, 6, 7], [1.0, 2, 3, 4, 5, 6, 7, 8]
    assert chance_of_gain(first, 1, 0.0) == pytest.approx(1 / 9)  # as of nine drawn alike
    assert chance_of_gain(first, 1, 2.0) == pytest.approx(math.exp(-1) / 9)
    assert chance_of_gain(rising, 1, 0.0) == pytest.approx(4.5 / 5)  # four in the second half
    many = [10.0 * n for n in range(20, 0, -1)]  # the best five of twenty exceed the sixth by 30
    assert chance_of_gain(many, 1, 30.0) == pytest.approx(math.exp(-1) / 21)
    assert chance_of_gain(rising, 3, 2.0) == pytest.approx(1 - (1 - 0.9 * math.exp(-1)) ** 3)
