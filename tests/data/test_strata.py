"""Rows without a clock, dealt out into folds and a test."""

from pathlib import Path

import numpy as np
import pytest

from recsweep.config.schema import Folds
from recsweep.data.strata import dealt, dealt_by_group
from recsweep.errors import BadInput

LOG = Path("texts.csv")


def rule(count: int, test: float, name: str = "stratified") -> Folds:
    return Folds.model_validate({"rule": name, "count": count, "test": test})


def test_each_answer_has_the_same_share_of_every_part() -> None:
    answer = np.array(["no"] * 100 + ["yes"] * 41)
    part, few = dealt(answer, rule(3, 0.2))
    assert few == {}
    for each, sizes in (("no", [27, 27, 26, 20]), ("yes", [11, 11, 11, 8])):
        assert np.bincount(part[answer == each]).tolist() == sizes


def test_rows_are_dealt_at_random_and_always_alike() -> None:
    answer = np.zeros(60, np.int64)
    part, _ = dealt(answer, rule(2, 0.5))
    again, _ = dealt(answer, rule(2, 0.5))
    assert part.tolist() == again.tolist()
    assert 5 < (part[:30] == 2).sum() < 25  # the test is no end of the file
    assert 3 < (part[:30] == 0).sum() < 12


@pytest.mark.parametrize(
    ("rows", "count", "test", "enough"),
    [
        (8, 2, 0.2, True),  # 2 for the test, 3 for each fold
        (7, 2, 0.2, False),  # 1 for the test
        (16, 4, 0.5, True),
        (15, 4, 0.5, False),  # a fold has 1
        (9, 2, 0.5, True),
        (6, 2, 0.5, False),
    ],
)
def test_an_answer_needs_two_rows_in_every_part(
    rows: int, count: int, test: float, enough: bool
) -> None:
    answer = np.array(["rare"] * rows + ["usual"] * 100)
    assert dealt(answer, rule(count, test))[1] == ({} if enough else {"rare": rows})


def test_no_group_is_in_two_parts_and_answers_keep_their_share() -> None:
    group = np.repeat(np.arange(60), 5)
    answer = (np.arange(300) % 5 == 0).astype(np.int64)
    part = dealt_by_group(answer, group, rule(3, 0.25, "group"), LOG)
    assert set(part.tolist()) == {0, 1, 2, 3}
    assert all(len(set(part[group == each].tolist())) == 1 for each in range(60))
    assert np.bincount(part).tolist() == [75] * 4  # a quarter for the test, the rest in three
    assert np.bincount(part[answer == 1]).tolist() == [15] * 4


@pytest.mark.parametrize(
    ("groups", "count", "test", "enough"),
    [
        (5, 2, 0.2, True),  # the test is a fifth of the groups
        (4, 2, 0.2, False),
        (6, 3, 0.5, True),  # half of them for the test, and one for each fold
        (5, 3, 0.5, False),
        (4, 2, 0.7, True),  # a test takes half of them at most
        (3, 2, 0.7, False),
    ],
)
def test_too_few_groups_are_refused(groups: int, count: int, test: float, enough: bool) -> None:
    group = np.repeat(np.arange(groups), 10)
    answer = np.tile([0, 1], 5 * groups)
    if enough:
        part = dealt_by_group(answer, group, rule(count, test, "group"), LOG)
        assert set(part.tolist()) == set(range(count + 1))
        return
    with pytest.raises(
        BadInput, match=rf"{groups} groups are too few for {count} folds and a test"
    ):
        dealt_by_group(answer, group, rule(count, test, "group"), LOG)


def test_groups_are_dealt_at_random_and_always_alike() -> None:
    group, answer = np.repeat(np.arange(40), 2), np.tile([0, 1], 40)
    part = dealt_by_group(answer, group, rule(2, 0.5, "group"), LOG)
    again = dealt_by_group(answer, group, rule(2, 0.5, "group"), LOG)
    assert part.tolist() == again.tolist()
    of_groups = part[::2]
    for step in range(1, 5):  # in the order of the file, parts would come in turn
        assert of_groups[step:].tolist() != of_groups[:-step].tolist()
    assert 5 < (of_groups[:20] == 2).sum() < 15
