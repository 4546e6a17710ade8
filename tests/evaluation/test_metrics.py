import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    label_ranking_average_precision_score,
    ndcg_score,
    top_k_accuracy_score,
)

from recsweep.evaluation.metrics import MISS, mrr, ndcg, recall, user_means


def test_a_hand_computed_table() -> None:
    ranks = np.array([1, 2, 3, 10, 11, MISS])
    assert recall(ranks, 10).tolist() == [1, 1, 1, 1, 0, 0]
    np.testing.assert_allclose(
        ndcg(ranks, 10), [1, 1 / math.log2(3), 0.5, 1 / math.log2(11), 0, 0], rtol=1e-6
    )
    np.testing.assert_allclose(mrr(ranks, 10), [1, 1 / 2, 1 / 3, 1 / 10, 0, 0], rtol=1e-6)


@pytest.mark.parametrize("k", [1, 5, 10])
def test_recall_ndcg_and_mrr_equal_scikit_learns_on_random_rankings(k: int) -> None:
    rng = np.random.default_rng(0)
    n_items, n_queries = 30, 200
    scores = rng.permuted(np.tile(np.arange(n_items), (n_queries, 1)), axis=1).astype(float)
    targets = rng.integers(0, n_items, n_queries)
    ranks = 1 + (scores > scores[np.arange(n_queries), targets, None]).sum(1)
    relevant = targets[:, None] == np.arange(n_items)
    hit_rate = top_k_accuracy_score(targets, scores, k=k, labels=np.arange(n_items))
    assert recall(ranks, k).mean() == pytest.approx(hit_rate, abs=1e-12)
    assert ndcg(ranks, k).mean() == pytest.approx(ndcg_score(relevant, scores, k=k), abs=1e-12)
    # One course is relevant: the average precision is its reciprocal rank, beyond k as well.
    reciprocal = label_ranking_average_precision_score(relevant, scores)
    beyond = np.where(ranks > k, 1 / ranks, 0.0)
    assert (mrr(ranks, k) + beyond).mean() == pytest.approx(reciprocal, abs=1e-12)


@given(st.lists(st.integers(1, 1000), min_size=1), st.integers(1, 50))
def test_a_better_rank_never_scores_less_and_scores_lie_in_0_to_1(ranks: list[int], k: int) -> None:
    ordered = np.sort(np.array(ranks))
    for function in (recall, ndcg, mrr):
        values = function(ordered, k)
        assert ((values >= 0) & (values <= 1)).all()
        assert (np.diff(values) <= 0).all()


def test_user_means_of_one_target_each_are_the_values() -> None:
    values = np.array([0.2, 0.4])
    np.testing.assert_array_equal(user_means(values, np.array([0, 1], np.int32)), values)
