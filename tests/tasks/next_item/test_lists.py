import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from torch import Tensor
from worlds import training_of

from recsweep.config.schema import Metric
from recsweep.data.types import Fold
from recsweep.models.protocol import Histories
from recsweep.tasks.next_item import ranking
from recsweep.tasks.next_item.lists import CatalogueLists, self_information
from recsweep.tasks.task import Lists

CPU = torch.device("cpu")
MakeFold = Callable[..., Fold]


class Fixed:
    """The same scores for everybody, or `by_length`: a row for each history length."""

    def __init__(self, *rows: list[float]) -> None:
        self.rows = torch.tensor(rows)

    def fit_epoch(self) -> None:
        """Nothing to fit."""

    def score(self, histories: Histories) -> Tensor:
        return self.rows[(histories.length - 1).clamp(max=len(self.rows) - 1)]

    def state(self) -> dict[str, Tensor]:
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Nothing to load."""


def lists_of(fold: Fold, model: Fixed, *ks: int) -> Lists:
    metric = Metric(k=ks[0], report_k=ks)
    return CatalogueLists(fold.validation, fold.training, metric, CPU).lists(model)


@pytest.fixture
def fold(fold_of: MakeFold) -> Fold:
    """Four courses; learner 0 has history 0, 1 and then two targets, learner 1 one target."""
    rows = [(0, 0, 1), (0, 1, 2), (1, 0, 3), (1, 2, 4), (2, 0, 5), (2, 3, 6)]
    return fold_of([*rows, (0, 2, 10), (0, 3, 11), (1, 3, 10)], (10, 20), targets={"seen": "keep"})


def test_coverage_counts_courses_that_anybody_is_shown(fold: Fold) -> None:
    same = lists_of(fold, Fixed([4.0, 3.0, 2.0, 1.0]), 1, 2, 10)
    assert same.coverage == {1: 0.25, 2: 0.5, 10: 1.0}
    by_length = lists_of(fold, Fixed([0.0] * 4, [4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0]), 1)
    assert by_length.coverage == {1: 0.5}


def test_novelty_is_the_mean_information_of_a_list(fold: Fold) -> None:
    # Course 0 was had by all three learners, the others by one of three.
    lists = lists_of(fold, Fixed([4.0, 3.0, 2.0, 1.0]), 1, 2)
    assert lists.novelty[1].tolist() == [0.0, 0.0]
    assert lists.novelty[2] == pytest.approx([math.log2(3) / 2] * 2)


def test_novelty_is_a_mean_over_a_learners_targets_first(fold: Fold) -> None:
    rows = ([0.0] * 4, [4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0])
    novelty = lists_of(fold, Fixed(*rows), 1).novelty[1]
    assert novelty == pytest.approx([math.log2(3) / 2, 0.0])


def test_courses_of_the_history_are_not_in_a_list_where_they_are_no_candidates(
    fold_of: MakeFold,
) -> None:
    rows = [(0, 0, 1), (0, 1, 2), (1, 0, 3), (1, 2, 4), (0, 2, 10)]
    fold = fold_of(rows, (10, 20), targets={"seen": "drop"})
    lists = lists_of(fold, Fixed([3.0, 2.0, 1.0]), 1, 3)
    assert lists.coverage == pytest.approx({1: 1 / 3, 3: 1 / 3})
    assert lists.novelty[3] == pytest.approx([1.0])  # a list of one: nothing else was left


def test_a_target_that_training_does_not_know_still_has_a_list(fold_of: MakeFold) -> None:
    rows = [(0, 0, 1), (0, 1, 2), (1, 0, 3), (1, 1, 4), (0, 9, 10)]
    fold = fold_of(rows, (10, 20), targets={"seen": "keep"})
    assert lists_of(fold, Fixed([1.0, 2.0]), 1).coverage == {1: 0.5}


def test_scores_that_are_not_numbers_are_shown_last(fold: Fold) -> None:
    lists = lists_of(fold, Fixed([math.nan, 3.0, 2.0, 1.0]), 1, 3)
    assert lists.novelty[1] == pytest.approx([math.log2(3)] * 2)
    assert lists.coverage[3] == 0.75


def test_blocks_change_nothing(fold: Fold, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Fixed([0.0] * 4, [4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0])
    whole = lists_of(fold, model, 1, 2)
    monkeypatch.setattr(ranking, "BLOCK_SCORES", 1)
    split = lists_of(fold, model, 1, 2)
    assert split.coverage == whole.coverage
    assert all(np.array_equal(split.novelty[k], whole.novelty[k]) for k in (1, 2))


def test_information_counts_learners_not_events() -> None:
    training = training_of([[0, 0, 0, 1], [0]], n_items=3)
    assert self_information(training).tolist() == [0.0, 1.0, 1.0]  # course 2 as if one had it
