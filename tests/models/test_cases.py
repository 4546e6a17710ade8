"""Batches of learners with their examples."""

import numpy as np
import pytest
import torch
from purchases import fold_of, random_log

from recsweep.models import cases
from recsweep.models.cases import CaseBook

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


def test_batches_with_little_padding_are_as_large_as_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fold = fold_of(random_log(0))
    monkeypatch.setattr(cases, "MOST_PLACES", 1)
    batches = CaseBook(fold.validation, fold.n_items, CPU).epoch(5, seed=0)
    assert sorted(len(batch.histories.items) for batch in batches)[1:] == [5] * 5
