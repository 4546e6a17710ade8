import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from scipy.sparse import csr_matrix
from torch import Tensor
from worlds import dataset_of, events_of, experiment_of, training_of

from recsweep.config.schema import Metric
from recsweep.data.types import Fold
from recsweep.evaluation.jackknife import groups_of
from recsweep.models.protocol import Histories
from recsweep.tasks.next_item import ranking
from recsweep.tasks.next_item.categories import Categories, categories_of
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


def test_exposure_counts_each_learner_once_and_long_tail_is_a_share_of_places(fold: Fold) -> None:
    """Course 0 has 3 of 6 events and course 1 or 2, 3 one each: the head is 0, 1 and 2."""
    rows = ([0.0] * 4, [4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0])
    lists = lists_of(fold, Fixed(*rows), 1)
    # Learner 0 has two targets and so two lists, of course 0 and of course 3; learner 1 has one.
    lengths = fold.validation.length.tolist()
    shown: dict[int, list[int]] = {0: [], 1: []}
    for learner, length in zip(fold.validation.sequence.tolist(), lengths, strict=True):
        shown[learner].append(int(np.argmax(rows[min(length - 1, 2)])))
    expected = np.zeros(4)
    for courses in shown.values():
        for course in courses:
            expected[course] += 1 / len(courses)
    assert lists.exposure.sum(axis=0) == pytest.approx(expected)
    tails = [np.mean([course == 3 for course in courses]) for courses in shown.values()]
    assert lists.per_learner["long_tail@1"] == pytest.approx(tails)


def test_categories_tell_of_diversity_and_calibration(fold: Fold) -> None:
    has = Categories(csr_matrix([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))
    metric = Metric(k=2, report_k=(2,))
    maker = CatalogueLists(fold.validation, fold.training, metric, CPU, has)
    found = maker.lists(Fixed([4.0, 3.0, 2.0, 1.0])).per_learner  # lists of courses 0 and 1
    assert found["diversity@2"] == pytest.approx([1.0, 1.0])
    # Learner 1's history is course 0 twice, learner 0's 0 and 1, then 0, 1 and 2.
    assert found["miscalibration@2"].min() >= 0


def test_categories_are_the_tags_of_the_fold_s_courses(fold: Fold) -> None:
    items = {"path": "x", "key": "id", "tags": {"tags": " "}, "categorical": ["level"]}
    log = {"path": "x", "user": "u", "item": "i", "time": "t"}
    asked = experiment_of(data={"name": "test", "events": [log], "items": items})
    table = pl.DataFrame({"_id": list("abcd"), "tags": [["x", "y"], ["y"], None, []], "level": "1"})
    dataset = replace(dataset_of(events_of([(0, 3, 1)])), items=table, n_items=4)
    found = categories_of(fold, dataset, asked)
    assert found is not None
    expected = {0: {"x", "y"}, 1: {"y"}}
    rows = found.of_item.toarray()
    for place, code in enumerate(fold.items):
        assert rows[place].sum() == len(expected.get(int(code), ()))
    assert categories_of(fold, dataset, experiment_of()) is None


def test_miscalibration_is_that_of_each_list_from_the_history_before_its_target(
    fold: Fold,
) -> None:
    has = Categories(csr_matrix([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))
    metric = Metric(k=2, report_k=(1, 2))
    maker = CatalogueLists(fold.validation, fold.training, metric, CPU, has)
    found = maker.lists(Fixed([4.0, 3.0, 2.0, 1.0])).per_learner  # lists of courses 0 and 1
    assert set(found) == {"long_tail@2", "diversity@2", "miscalibration@2"}

    def divergence(p: list[float]) -> float:
        mixed = [0.99 * 0.5 + 0.01 * a for a in p]
        return sum(a * math.log2(a / b) for a, b in zip(p, mixed, strict=True) if a)

    # Learner 0 had courses 0 and 1, and then 2 as well; learner 1 had 0 and 2.
    of_first = (divergence([0.5, 0.5]) + divergence([2 / 3, 1 / 3])) / 2
    assert found["miscalibration@2"] == pytest.approx([of_first, divergence([1, 0])])


def test_diversity_is_of_the_places_that_a_short_list_fills(fold_of: MakeFold) -> None:
    rows = [(0, 0, 1), (0, 1, 2), (1, 2, 3), (1, 3, 4), (0, 2, 10), (1, 0, 10)]
    fold = fold_of(rows, (10, 20), targets={"seen": "drop"})
    has = Categories(csr_matrix([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]))
    metric = Metric(k=4, report_k=(4,))
    found = CatalogueLists(fold.validation, fold.training, metric, CPU, has).lists(
        Fixed([4.0, 3.0, 2.0, 1.0])
    )
    # Learner 0 is left with the courses 2 and 3, learner 1 with 0 and 1.
    assert found.per_learner["diversity@4"] == pytest.approx([0.5, 1.0])
    assert found.exposure.sum(axis=0).tolist() == [1, 1, 1, 1]
    assert found.novelty[4] == pytest.approx([1.0, 1.0])


def test_exposure_is_told_group_by_group_of_learners(fold_of: MakeFold) -> None:
    rows = [(u, i, 2 * u + i) for u in range(60) for i in (0, 1)]
    late = [(u, (u % 2) * 2, 500 + u) for u in range(60)]
    fold = fold_of([*rows, *late], (500, 600), targets={"seen": "keep"})
    found = lists_of(fold, Fixed([2.0, 1.0]), 1)
    of_group = np.bincount(groups_of(60))
    assert found.exposure.tolist() == [[n, 0] for n in of_group.tolist()]
    assert len(of_group) > 1


def test_information_of_a_course_is_by_the_share_of_learners_who_had_it() -> None:
    training = training_of([[0, 1], [1, 2], [2, 0], [0, 0], [0]], n_items=4)
    want = [-math.log2(4 / 5), -math.log2(2 / 5), -math.log2(2 / 5), -math.log2(1 / 5)]
    assert self_information(training) == pytest.approx(want)
