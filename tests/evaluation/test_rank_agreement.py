import numpy as np
import pytest

from recsweep.data.types import Float64
from recsweep.evaluation.rank_agreement import RankAgreement, rank_agreement
from recsweep.evaluation.resampling import learner_weights


def tables(means: list[float], noise: float, learners: int = 60) -> dict[str, Float64]:
    """Families a, b, c, … of two seeds, whose learners scatter around their means."""
    random = np.random.default_rng(len(means))
    return {
        chr(ord("a") + n): mean + noise * random.standard_normal((2, learners))
        for n, mean in enumerate(means)
    }


def of(before: list[float], after: list[float], noise: float = 0.0) -> RankAgreement | None:
    made = (tables(means, noise) for means in (before, after))
    return rank_agreement(*made, resamples=200, seed=0, level=0.95)


def test_kendall_and_spearman_are_those_of_their_definitions() -> None:
    """Ranks 1 2 3 4 against 2 1 3 4: one of six pairs turned; ρ = 1 - 6 Σd² / (n (n² - 1))."""
    found = of([0.1, 0.2, 0.3, 0.4], [0.2, 0.1, 0.3, 0.4])
    assert found is not None
    assert (found.turned, found.pairs) == (1, 6)
    assert isinstance(found.turned, int)
    assert found.kendall.value == pytest.approx((5 - 1) / 6)
    assert found.spearman.value == pytest.approx(1 - 6 * 2 / (4 * 15))


def test_scores_without_noise_leave_the_correlation_no_room() -> None:
    found = of([0.1, 0.2, 0.3], [0.5, 0.3, 0.1])
    assert found is not None
    assert (found.kendall.lower, found.kendall.value, found.kendall.upper) == (-1, -1, -1)


def test_families_may_have_different_numbers_of_seeds() -> None:
    seeds, means = ((1, 5, 2), (5, 1, 2)), (0.5, 0.3, 0.1)
    made = [
        {name: np.full((n, 20), mean) for name, n, mean in zip("abc", of, means, strict=True)}
        for of in seeds
    ]
    found = rank_agreement(*made, resamples=50, seed=0, level=0.95)
    assert found is not None
    assert found.kendall.lower == found.kendall.upper == 1


def test_noise_widens_the_interval_downwards_though_the_order_is_the_same() -> None:
    found = of([0.1, 0.12, 0.14, 0.5], [0.2, 0.22, 0.24, 0.6], noise=0.1)
    assert found is not None
    assert found.kendall.value == 1 == found.kendall.upper
    assert found.kendall.lower < 1


def test_an_interval_of_a_lower_level_is_the_narrower() -> None:
    made = [tables(means, 0.3) for means in ([0.1, 0.2, 0.3, 0.4], [0.1, 0.4, 0.2, 0.5])]
    wide, narrow = (rank_agreement(*made, resamples=200, seed=0, level=n) for n in (0.95, 0.4))
    assert wide is not None
    assert narrow is not None
    for value, other in ((wide.kendall, narrow.kendall), (wide.spearman, narrow.spearman)):
        assert value.lower <= other.lower < other.upper < value.upper


@pytest.mark.parametrize("means", [[0.1, 0.2], [0.1, 0.1, 0.1]])
def test_too_few_families_or_equal_scores_have_no_order(means: list[float]) -> None:
    assert of(means, means) is None


def plain_kendall(a: list[float], b: list[float]) -> float:
    """Without ties."""
    pairs = [(i, j) for i in range(len(a)) for j in range(i)]
    alike = sum((a[i] - a[j]) * (b[i] - b[j]) > 0 for i, j in pairs)
    return (2 * alike - len(pairs)) / len(pairs)


def test_intervals_are_percentiles_over_drawn_learners_and_drawn_seeds() -> None:
    """The same draws, family by family and resample by resample."""
    learners, resamples, level = 7, 40, 0.8
    made = [tables(means, 0.4, learners) for means in ([0.1, 0.3, 0.6, 0.7], [0.3, 0.1, 0.6, 0.8])]
    found = rank_agreement(*made, resamples=resamples, seed=5, level=level)
    assert found is not None
    random = np.random.default_rng(5)
    drawn = []
    for table in made:
        ((_, weights),) = learner_weights(learners, resamples, random)
        means = np.empty((resamples, 4))
        for family, values in enumerate(table.values()):
            seeds = random.integers(0, 2, (resamples, 2))
            for r in range(resamples):
                of_seeds = [float(weights[r] @ values[s]) / learners for s in seeds[r]]
                means[r, family] = sum(of_seeds) / 2
        drawn.append(means.tolist())
    of_resamples = [plain_kendall(a, b) for a, b in zip(*drawn, strict=True)]
    lower, upper = np.quantile(of_resamples, (0.1, 0.9))
    value = plain_kendall(*([float(v.mean()) for v in table.values()] for table in made))
    assert found.kendall.value == pytest.approx(value)
    assert (found.kendall.lower, found.kendall.upper) == pytest.approx(
        (min(value, lower), max(value, upper))
    )
    assert lower < upper


def test_three_families_are_enough_and_no_pair_is_turned_where_all_agree() -> None:
    found = of([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])
    assert found is not None
    assert (found.turned, found.pairs, found.kendall.value, found.spearman.value) == (0, 3, 1, 1)
    assert rank_agreement({}, {}, resamples=9, seed=0, level=0.95) is None
    assert of([0.1, 0.2, 0.3], [0.2, 0.2, 0.2]) is None
