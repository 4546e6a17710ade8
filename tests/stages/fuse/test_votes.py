"""A sample of targets is fair to learners and keeps moments whole."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsweep.data.types import Targets
from recsweep.stages.fuse.votes import Recorded, Replayed, sample
from recsweep.testing.worlds import world


@given(st.integers(1, 99), st.integers(0, 3), st.integers(1, 3))
def test_a_sample_is_fair_to_learners_and_keeps_moments_whole(
    most: int, seed: int, together: int
) -> None:
    targets = world("next_item", {}).validation
    most = min(most, len(targets))
    targets = replace(targets, time=np.arange(len(targets), dtype=np.int64) // together)
    found = sample(targets, most, seed)
    assert len(found) <= most
    if together == 1:
        assert len(found) == most
        had, taken = (np.bincount(t.sequence, minlength=99) for t in (targets, found))
        assert np.all((taken >= taken.max() - 1) | (taken == had))
    moments, asked = (
        list(zip(t.sequence.tolist(), t.time.tolist(), strict=True)) for t in (found, targets)
    )
    assert sum(moment in moments for moment in asked) == len(found)


def targets_of(sequence: list[int], time: list[int]) -> Targets:
    targets = world("next_item", {}).validation
    return replace(
        targets,
        sequence=np.array(sequence, np.int32),
        time=np.array(time, np.int64),
        length=np.ones(len(time), np.int32),
        item=np.arange(len(time), dtype=np.int32),
        kind=None,
    )


def test_as_few_targets_as_are_asked_for_stay_as_they_are() -> None:
    targets = targets_of([0, 0, 1], [1, 2, 1])
    assert sample(targets, 3, 0) is targets
    assert sample(targets, 4, 0) is targets
    assert len(sample(targets, 2, 0)) == 2


def test_every_learner_has_a_turn_before_one_has_a_second() -> None:
    targets = targets_of([0] * 6 + [1] * 2 + [2], [*range(6), 0, 1, 0])
    for seed in range(5):
        assert sorted(sample(targets, 3, seed).sequence) == [0, 1, 2]
        assert sorted(sample(targets, 5, seed).sequence) == [0, 0, 1, 1, 2]
        assert sorted(sample(targets, 7, seed).sequence) == [0, 0, 0, 0, 1, 1, 2]


def test_which_moments_are_taken_is_chance_of_the_seed() -> None:
    targets = targets_of([0] * 8, list(range(8)))
    taken = {int(sample(targets, 1, seed).time[0]) for seed in range(40)}
    assert len(taken) > 4
    again = (sample(targets, 3, 7).time.tolist() for _ in range(2))
    assert next(again) == next(again)
    who = {int(sample(targets_of([0, 1, 2], [1, 1, 1]), 1, n).sequence[0]) for n in range(40)}
    assert who == {0, 1, 2}


def test_equal_times_of_two_learners_are_two_moments() -> None:
    targets = targets_of([0, 0, 1, 1], [5, 5, 5, 6])
    for seed in range(5):
        found = sample(targets, 3, seed)
        pairs = list(zip(found.sequence.tolist(), found.time.tolist(), strict=True))
        assert (0, 5) not in pairs or pairs.count((0, 5)) == 2
        assert len(found) == 3
        assert sample(targets, 1, seed).sequence.tolist() in ([1], [])


ASKING = ("score", "probability", "probabilities", "uplift")


@pytest.mark.parametrize("name", ASKING)
def test_what_a_model_says_is_kept_before_a_scorer_writes_to_it(name: str) -> None:
    vote: Any = SimpleNamespace(
        of=lambda model, asked: [model + asked], kept=lambda answer: np.asarray(answer[0])
    )
    recorded = Recorded(np.array([1.0, 2.0]), vote)
    (given,) = getattr(recorded, name)(3)
    given[0] = 99.0
    getattr(recorded, name)(5)
    assert [each.tolist() for each in recorded.votes] == [[4.0, 5.0], [6.0, 7.0]]


@pytest.mark.parametrize("name", ASKING)
def test_votes_are_said_again_in_their_order(name: str) -> None:
    replayed = Replayed(iter("abc"))
    assert [getattr(replayed, name)(None) for _ in range(3)] == ["a", "b", "c"]
