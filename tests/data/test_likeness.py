"""Likeness by parts, from which columns can be left out."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from recsweep.data.likeness import cosine, likeness_parts

HISTORY = np.array([[3.0, 1.0, 4.0], [0.0, 2.0, 0.0]])
COURSE = np.array([[3.0, 2.0, 0.0], [5.0, 0.0, 1.0]], np.float32)
COLUMNS = ("price", "title", "price")


def test_a_columns_parts_are_sums_over_its_features() -> None:
    parts = likeness_parts(HISTORY, COURSE, COLUMNS)
    assert parts[0].tolist() == [[9, 25, 9], [2, 1, 4]]
    assert parts[1].tolist() == [[0, 0, 26], [0, 4, 0]]


def test_the_cosine_of_all_columns_is_that_of_the_whole_vectors() -> None:
    found = cosine(likeness_parts(HISTORY, COURSE, COLUMNS))
    whole = (HISTORY * COURSE).sum(1)
    assert found == pytest.approx(
        whole / np.linalg.norm(HISTORY, axis=1) / np.linalg.norm(COURSE, axis=1)
    )
    assert found.dtype == np.float32


def test_a_column_that_is_left_out_counts_for_nothing() -> None:
    parts = likeness_parts(HISTORY, COURSE, COLUMNS)
    alone = likeness_parts(HISTORY[:, [1]], COURSE[:, [1]], ["title"])
    assert_array_equal(cosine(parts[:, [1]]), cosine(alone))


def test_nothing_is_like_an_empty_history_and_nothing_is_alike_without_features() -> None:
    assert cosine(likeness_parts(np.zeros((1, 3)), COURSE[:1], COLUMNS)).tolist() == [0]
    none = likeness_parts(np.zeros((2, 0)), np.zeros((2, 0), np.float32), ())
    assert none.shape == (2, 0, 3)
    assert cosine(none).tolist() == [0, 0]


def test_likeness_is_a_matter_of_direction_and_not_of_size() -> None:
    found = cosine(likeness_parts(HISTORY / 1000, COURSE / np.float32(1000), COLUMNS))
    assert found == pytest.approx(cosine(likeness_parts(HISTORY, COURSE, COLUMNS)))
    opposite = cosine(likeness_parts(-HISTORY, COURSE, COLUMNS))
    assert opposite == pytest.approx(-cosine(likeness_parts(HISTORY, COURSE, COLUMNS)))
