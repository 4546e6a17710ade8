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


def plain_freedom(
    learners: float, n: int, seeds: list[tuple[float, SeedSpread]]
) -> tuple[float, float]:
    """What seeds add, and Satterthwaite's degrees of freedom."""
    added, uncertain = 0.0, learners**2 / (n - 1)
    fewest = n - 1
    for between, spread in seeds:
        if spread.seeds > 1 and between > spread.interaction:
            added += between - spread.interaction
            squares = between**2 + spread.interaction**2 / (n - 1)
            uncertain += squares / (spread.seeds - 1)
            fewest = min(fewest, spread.seeds - 1)
    total = learners + added
    return added, max(total**2 / uncertain if uncertain else n - 1, fewest)


def test_seeds_move_each_family_on_its_own_and_each_group_has_its_smallest_root(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n, resamples = 5, 6
    monkeypatch.setattr(resampling, "_CELLS", 4 * n)
    spreads = [SeedSpread(3, 0.5, 0.1), SeedSpread(1, 0.0, 0.0), SeedSpread(4, 0.05, 0.2)]
    means = np.random.default_rng(1).normal(size=(3, n))
    draws = np.random.default_rng(8)
    shift, between = [], []
    for spread in spreads:  # N(0, added), and a scaled chi-square with S - 1 degrees of freedom
        freedom = max(1, spread.seeds - 1)
        moves = draws.standard_normal(resamples)
        shift.append(moves * max(0, spread.between - spread.interaction) ** 0.5)
        larger = max(spread.between, spread.interaction)
        between.append(larger * draws.chisquare(freedom, resamples) / freedom)
    counts = [w for _, weights in resampling.learner_weights(n, resamples, draws) for w in weights]
    groups = [[(0, 1)], [(1, 0), (2, 0), (1, 2)]]
    expected = np.ones((2, resamples))
    for r, times in enumerate(counts):
        for number, group in enumerate(groups):
            for pair in group:
                a, b = sorted(pair)
                difference = means[a] - means[b]
                centred = difference - difference.mean()
                sample = np.repeat(centred, times.astype(int))
                learners = max(sample.var() / (n - 1), 0.1 * difference.var(ddof=1) / n)
                seeds = [(between[f][r], spreads[f]) for f in (a, b)]
                added, of_pair = plain_freedom(learners, n, seeds)
                away = sample.mean() + shift[a][r] - shift[b][r]
                root = 2 * stats.t.sf(abs(away) / (learners + added) ** 0.5, of_pair)
                expected[number, r] = min(expected[number, r], root)
    found = smallest_roots(means, spreads, groups, resamples, seed=8)
    np.testing.assert_allclose(found, expected)
    assert (found[1] <= found[0]).all()


def test_where_all_learners_agree_only_seeds_move_anything() -> None:
    means = np.array([[0.1] * 4, [0.4] * 4])
    once = SeedSpread(1, 0.0, 0.0)
    assert (smallest_roots(means, (once, once), [[(0, 1)]], 9, seed=0) == 1).all()
    seeds = SeedSpread(3, 0.2, 0.0)
    draws = np.random.default_rng(0)
    shift, between = resampling._draw_seeds((seeds, once), 9, draws)
    expected = 2 * stats.t.sf(np.abs(shift[0]) / np.sqrt(between[0]), 2)
    found = smallest_roots(means, (seeds, once), [[(0, 1)]], 9, seed=0)
    np.testing.assert_allclose(found[0], expected)


def test_pieces_are_as_large_as_cells_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "_CELLS", 10)
    pieces = [*resampling.learner_weights(4, 5, np.random.default_rng(0))]
    assert [(rows.start, rows.stop) for rows, _ in pieces] == [(0, 2), (2, 4), (4, 5)]
    drawn = np.random.default_rng(0).integers(0, 4, (2, 4))
    assert pieces[0][1].tolist() == [[row.tolist().count(n) for n in range(4)] for row in drawn]
