import numpy as np
import pytest
from scipy import stats

from recsweep.evaluation import resampling
from recsweep.evaluation.resampling import smallest_roots
from recsweep.evaluation.variance import SeedSpread


def test_learners_are_drawn_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "_CELLS", 3)
    pieces = [*resampling.learner_weights(5, 2, np.random.default_rng(0))]
    assert [weights.sum() for _, weights in pieces] == [5, 5]


def test_every_learner_is_drawn_as_often_as_any_other() -> None:
    pieces = resampling.learner_weights(4, 2000, np.random.default_rng(0))
    drawn = sum(weights.sum(axis=0) for _, weights in pieces) / 2000
    np.testing.assert_allclose(drawn, np.ones(4), atol=0.1)


def test_a_root_is_the_t_probability_of_each_resamples_distance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Against a loop over the same resamples, which are drawn in pieces of two."""
    n, resamples, once = 6, 7, SeedSpread(1, 0.0, 0.0)
    monkeypatch.setattr(resampling, "_CELLS", 2 * n)
    means = np.random.default_rng(0).normal(size=(2, n))
    draws = np.random.default_rng(3)
    resampling._draw_seeds((once, once), resamples, draws)
    pieces = [*resampling.learner_weights(n, resamples, draws)]
    assert [(rows.start, rows.stop) for rows, _ in pieces] == [(0, 2), (2, 4), (4, 6), (6, 7)]
    difference = means[0] - means[1]
    centred = difference - difference.mean()
    expected = []
    for times in np.concatenate([weights for _, weights in pieces]):
        sample = np.repeat(centred, times.astype(int))
        assert len(sample) == n
        variance = max(sample.var(ddof=1), 0.1 * difference.var(ddof=1)) / n
        expected.append(2 * stats.t.sf(abs(sample.mean()) / np.sqrt(variance), n - 1))
    found = smallest_roots(means, (once, once), [[(0, 1)]], resamples, seed=3)
    np.testing.assert_allclose(found, [expected])
