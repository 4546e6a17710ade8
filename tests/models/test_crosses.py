"""Crossed features, by which weights reach a row's sum."""

from itertools import combinations

import numpy as np
import pytest
import torch

from recsweep.data.types import Labels
from recsweep.models.crosses import BUCKETS, Crosses

ROWS = 60


def test_a_row_has_a_weight_for_each_value_and_for_each_pair_of_values() -> None:
    random = np.random.default_rng(0)
    month, level = random.integers(0, 4, ROWS), random.integers(0, 3, ROWS)  # 0: not known
    pages, tags = random.normal(size=ROWS), random.integers(0, 2, (ROWS, 2))
    pages[0], month[0], level[0] = pages.max() + 1, 3, 2
    flags = [month == 1, month == 2, month == 3, pages, *tags.T, level == 1, level == 2]
    inputs = np.column_stack(flags).astype(np.float32)
    columns = ("month",) * 3 + ("pages",) + ("tags",) * 2 + ("level",) * 2
    crosses = Crosses(Labels(np.zeros(ROWS, bool), inputs, columns, price=None))

    uses = np.zeros((ROWS, len(crosses.weight)))
    for row, own in enumerate(uses):
        crosses.zero_grad()
        crosses(torch.from_numpy(inputs[[row]])).sum().backward()
        assert crosses.weight.grad is not None
        own[:] = crosses.weight.grad.numpy()

    cuts = np.quantile(inputs[:, 3], np.arange(1, BUCKETS) / BUCKETS).astype(np.float32)
    values = month, level, np.searchsorted(cuts, inputs[:, 3])  # of several tags none is the value
    alike = [value[:, None] == value for value in values]
    shared = sum(a.astype(int) for a in (*alike, *(a & b for a, b in combinations(alike, 2))))
    np.testing.assert_array_equal(uses @ uses.T, shared)


@pytest.mark.parametrize("kind", ["categories", "a number", "tags"])
def test_inputs_of_one_kind_are_crossed_too(kind: str) -> None:
    """Of tags a row may have several, so none is its value."""
    inputs = {
        "categories": np.array([[1, 0], [0, 1], [0, 0]]),
        "a number": np.array([[0.5], [2.0], [1.5]]),
        "tags": np.array([[1, 1], [0, 1], [0, 0]]),
    }[kind].astype(np.float32)
    columns = ("one",) * inputs.shape[1]
    crosses = Crosses(Labels(np.zeros(3, bool), inputs, columns, price=None))
    weights = {"categories": 3, "a number": BUCKETS, "tags": 0}[kind]
    assert len(crosses.weight) == weights + 1
    with torch.no_grad():
        crosses.weight.copy_(torch.arange(weights + 1.0))
    found = crosses(torch.from_numpy(inputs)).tolist()
    lowest, highest = 0, BUCKETS - 1
    expected = {"categories": [1, 2, 0], "a number": [lowest, highest], "tags": [0, 0, 0]}[kind]
    assert found[: len(expected)] == expected


def test_a_number_that_may_be_missing_is_a_bucket_and_a_flag_and_nothing_weighs_at_first() -> None:
    inputs = np.array([[0.5, 0], [2.0, 0], [0.0, 1], [3.0, 0]], np.float32)
    labels = Labels(np.zeros(4, bool), inputs, ("pages", "pages"), price=None)
    crosses = Crosses(labels)
    assert len(crosses.weight) == 2 + BUCKETS + 2 * BUCKETS + 1
    assert not crosses(torch.from_numpy(inputs)).any()
    with torch.no_grad():
        crosses.weight.copy_(torch.arange(len(crosses.weight)))
    flag, bucket = torch.tensor([0, 0, 1, 0]), torch.tensor([2, 5, 0, 7])
    cuts = np.quantile(inputs[:, 0], np.arange(1, BUCKETS) / BUCKETS).astype(np.float32)
    assert np.searchsorted(cuts, inputs[:, 0]).tolist() == bucket.tolist()
    expected = flag + (2 + bucket) + (2 + BUCKETS + flag * BUCKETS + bucket)
    assert crosses(torch.from_numpy(inputs)).tolist() == expected.tolist()


def test_of_vectors_of_text_and_of_nothing_there_is_nothing_to_cross() -> None:
    vectors = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    for inputs, columns in ((vectors, ("text", "text")), (vectors[:, :0], ())):
        crosses = Crosses(Labels(np.zeros(5, bool), inputs, columns, price=None))
        assert len(crosses.weight) == 1
        assert crosses(torch.from_numpy(inputs)).tolist() == [0] * 5
