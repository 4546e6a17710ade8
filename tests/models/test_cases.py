"""Batches of learners with their examples."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from purchases import fold_of, random_log
from worlds import labelled

from recsweep.data.types import KINDS
from recsweep.models import cases
from recsweep.models.cases import CaseBook, examples_of, labels_of, weights_of
from recsweep.models.weights import TrainingWeights

CPU = torch.device("cpu")


@pytest.mark.parametrize("most", [1, 20, 60])
def test_a_long_history_does_not_widen_the_grid_of_others(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold = fold_of(random_log(0))
    book = CaseBook(fold.validation, fold.n_items, CPU)
    monkeypatch.setattr(cases, "MOST_PLACES", most)
    monkeypatch.setattr(cases, "PADDED", 0)
    batches = [*book.epoch(5, seed=0)]
    at = np.concatenate([batch.at for batch in batches])
    assert sorted(at.tolist()) == list(range(len(book)))
    shapes = [batch.histories.items.shape for batch in batches]
    assert all(rows == 1 or rows * longest <= most for rows, longest in shapes)
    assert max(rows for rows, _ in shapes) <= 5
    assert min(rows for rows, _ in shapes) > 0


def test_batches_with_little_padding_are_as_large_as_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fold = fold_of(random_log(0))
    monkeypatch.setattr(cases, "MOST_PLACES", 1)
    batches = CaseBook(fold.validation, fold.n_items, CPU).epoch(5, seed=0)
    assert sorted(len(batch.histories.items) for batch in batches)[1:] == [5] * 5


@pytest.mark.parametrize("places", [1, 20, 60])
def test_blocks_hold_every_example_once_and_as_many_learners_as_a_grid_may(
    places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold = fold_of(random_log(0))
    book = CaseBook(fold.validation, fold.n_items, CPU)
    monkeypatch.setattr(cases, "BLOCK_PLACES", places)
    blocks = [*book.blocks()]
    at = np.concatenate([block.at for block in blocks])
    assert sorted(at.tolist()) == list(range(len(book)))
    shapes = [block.histories.items.shape for block in blocks]
    assert all(rows == 1 or rows * (longest + 1) <= 2 * places for rows, longest in shapes)
    longest_of = [longest for _, longest in shapes]
    assert longest_of == sorted(longest_of)
    first = shapes[0][0]
    assert first > 1 if places == 60 else first == max(1, places // (longest_of[0] + 1))


def test_an_example_weighs_by_itself_and_by_its_age_together_with_mean_one() -> None:
    examples = examples_of(fold_of(random_log(0)).training)
    own = np.arange(1, len(examples) + 1, dtype=np.float64)
    weighted = replace(examples, labels=replace(labels_of(examples), weight=own))
    plain = TrainingWeights()
    fading = TrainingWeights(training_fading="time", training_half_life_days=20)
    by_age = weights_of(examples, fading)
    assert weights_of(examples, plain) is None
    assert by_age is not None
    for config, expected in ((plain, own), (fading, own * by_age)):
        found = weights_of(weighted, config)
        assert found is not None
        np.testing.assert_allclose(found, expected / expected.mean())


def book_of(*lengths: int) -> CaseBook:
    return CaseBook(labelled([[length] for length in lengths]), 8, CPU)


def test_a_case_is_its_learners_history_so_far_the_course_and_the_answer() -> None:
    told = [[3, 4, 5], [6], [7, 1]]
    book = CaseBook(labelled([[1, 3, 3], [0], [2, 2, 2, 1, 1]], told), 8, CPU)
    assert len(book) == 9
    (batch,) = book.blocks()
    # Learners by the longest history that they are asked after, and then in their order.
    assert batch.at.tolist() == [3, 4, 5, 6, 7, 8, 0, 1, 2]
    assert batch.candidate.tolist() == [3, 4, 5, 6, 7, 8, 0, 1, 2]  # the last one isn't known
    assert batch.bought.tolist() == [1, 0, 1, 0, 1, 0, 0, 1, 0]
    assert batch.inputs.tolist() == [[n, -n] for n in batch.at]
    assert batch.bought.dtype == batch.inputs.dtype == torch.float32
    asked = batch.histories
    assert asked.row.tolist() == [0, 1, 1, 1, 1, 1, 2, 2, 2]
    assert asked.length.tolist() == [0, 2, 2, 2, 1, 1, 1, 3, 3]
    read = [asked.items[r, :n].tolist() for r, n in zip(asked.row, asked.length, strict=True)]
    assert read == [[], *[[7, 1]] * 3, *[[7]] * 2, [3], *[[3, 4, 5]] * 2]
    assert asked.items.shape == (3, 3)
    wide = CaseBook(book.targets, 8, CPU, width=5)
    assert next(wide.blocks()).histories.items.shape == (3, 5)


@pytest.mark.parametrize(
    ("lengths", "blocks"),
    [
        ((1, 1, 1, 1), [[0, 1, 2], [3]]),  # 6 / (1 + 1)
        ((9, 2), [[1], [0]]),  # two rows of ten are more than twice six
        ((20, 2), [[1], [0]]),
        ((5, 2), [[1, 0]]),  # two rows of six are not
        ((0, 3), [[0, 1]]),
        ((0,) * 7, [[0, 1, 2, 3, 4, 5], [6]]),
        ((4, 0, 0, 0, 0, 0), [[1, 2, 3], [4], [5], [0]]),
        ((), []),
    ],
)
def test_a_block_has_the_rows_that_its_shortest_allows_halved_until_its_longest_fits(
    lengths: tuple[int, ...], blocks: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "BLOCK_PLACES", 6)
    assert [block.at.tolist() for block in book_of(*lengths).blocks()] == blocks


@pytest.mark.parametrize(
    ("most", "padded", "parts"),
    [
        (119, 0, [[0, 1, 2], [3], [4]]),
        (120, 0, [[0, 1, 2, 3], [4]]),  # four rows of 30
        (1, 0, [[0], [1], [2], [3], [4]]),
        (1499, 0, [[0, 1, 2, 3], [4]]),
        (1500, 0, [[0, 1, 2, 3, 4]]),
        (1, 4, [[0], [1], [2], [3], [4]]),  # 1500 places of 361 events
        (1, 5, [[0, 1, 2, 3, 4]]),
    ],
)
def test_a_batch_that_would_be_mostly_padding_is_dealt_in_grids_of_so_many_places(
    most: int, padded: int, parts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "MOST_PLACES", most)
    monkeypatch.setattr(cases, "PADDED", padded)
    found = [*book_of(5, 10, 16, 30, 300).epoch(9, seed=0)]
    assert [batch.at.tolist() for batch in found] == parts


def test_a_batch_holds_learners_with_like_lengths_mixed_anew_each_epoch() -> None:
    book = book_of(1000, 100, 1, 130, 10, 1300)
    groups = [[sorted(batch.at.tolist()) for batch in book.epoch(2, seed)] for seed in range(9)]
    assert all(sorted(each) == [[0, 5], [1, 3], [2, 4]] for each in groups)
    assert len({str(each) for each in groups}) > 2  # in another order
    short = book_of(3, 0, 2, 1)
    for seed in range(9):
        assert sorted(sorted(b.at.tolist()) for b in short.epoch(2, seed)) == [[0, 2], [1, 3]]
    near = book_of(100, 104, 108, 112)
    mixed = {str(sorted(sorted(b.at.tolist()) for b in near.epoch(2, seed))) for seed in range(40)}
    assert len(mixed) == 3
    none = book_of(0, 0, 0)
    assert len({str([*batch.at]) for seed in range(9) for batch in none.epoch(3, seed)}) > 3
    again, same = ([b.at.tolist() for b in near.epoch(2, 5)] for _ in range(2))
    assert again == same


def test_of_no_examples_nothing_weighs_anything() -> None:
    none = labelled([])
    labels = replace(labels_of(none), weight=np.zeros(0))
    assert weights_of(replace(none, labels=labels), TrainingWeights()) is None


def test_an_example_weighs_by_its_kind_where_that_is_told() -> None:
    told = replace(labelled([[1], [1], [1]]), kind=np.array([0, 2, 0], np.int8))
    found = weights_of(told, TrainingWeights(weight_purchase=4.0))
    assert found is not None
    assert KINDS[2] == "purchase"
    assert found.tolist() == [0.5, 2, 0.5]
