"""Batches of learners with their examples."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from purchases import fold_of, random_log

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
