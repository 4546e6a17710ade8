import math

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsweep.models.text.terms import idf_of, tfidf

COUNTS = np.array([[2.0, 0, 1], [0, 0, 0], [3, 0, 0], [1, 4, 0]])


def plain(sublinear: bool, idf: list[float]) -> list[list[float]]:
    rows = []
    for counted in COUNTS.tolist():
        row = [
            ((1 + math.log(count) if sublinear else count) if count else 0.0) * rare
            for count, rare in zip(counted, idf, strict=True)
        ]
        size = math.sqrt(sum(value**2 for value in row))
        rows.append([value / size for value in row] if size else row)
    return rows


def test_a_term_is_rarer_the_fewer_texts_hold_it_smoothed_by_one_text_more() -> None:
    expected = [math.log((1 + 4) / (1 + held)) + 1 for held in (3, 1, 1)]
    np.testing.assert_allclose(idf_of(csr_matrix(COUNTS.astype(np.float32))), expected)


@pytest.mark.parametrize("sublinear", [False, True])
def test_a_text_is_its_counts_by_how_rare_terms_are_of_length_one(sublinear: bool) -> None:
    idf = [1.5, 2.0, 3.0]
    found = tfidf(csr_matrix(COUNTS.astype(np.float32)), np.array(idf), sublinear=sublinear)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found.toarray(), plain(sublinear, idf))


def test_without_any_term_there_is_nothing_to_tell() -> None:
    none = csr_matrix((3, 0), dtype=np.float32)
    assert idf_of(none).tolist() == []
    found = tfidf(none, np.zeros(0), sublinear=True)
    assert (found.shape, found.dtype) == ((3, 0), np.float64)
