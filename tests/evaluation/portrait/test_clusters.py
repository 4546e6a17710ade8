import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from recsweep.data.types import Float64
from recsweep.evaluation.portrait import clusters as portrait_clusters
from recsweep.evaluation.portrait.clusters import (
    SAMPLE,
    Clusters,
    _halves,
    directions,
    find_clusters,
    largest_first,
    project,
    stability,
    structure,
)


def clouds(*sizes: int, width: int = 6, spread: float = 0.1) -> Float64:
    """One cloud around each axis."""
    random = np.random.default_rng(1)
    centres = np.repeat(np.eye(width)[: len(sizes)], sizes, axis=0)
    return directions((centres + random.normal(0, spread, centres.shape)).astype(np.float32))


def test_clouds_are_told_apart_and_their_number_is_found() -> None:
    sizes = (30, 50, 20)
    found = find_clusters(clouds(*sizes))
    assert found.count == 3
    assert [*found.silhouettes] == [*range(2, 9)]
    assert adjusted_rand_score(np.repeat([0, 1, 2], sizes), found.labels) == 1
    assert np.bincount(found.labels).tolist() == [50, 30, 20]
    assert structure(found.silhouette) == "strong"
    assert found.stability == 1


def test_one_cloud_has_no_clear_groups() -> None:
    points = np.random.default_rng(0).normal(size=(200, 12)).astype(np.float32)
    found = find_clusters(directions(points))
    assert structure(found.silhouette) == "none"
    assert found.stability is not None
    assert found.stability < 0.5


def test_groups_are_sought_in_either_half_of_the_points() -> None:
    for one, other in _halves(7):
        assert (len(one), len(other)) == (3, 4)
        assert {*one, *other} == {*range(7)}


def test_a_number_that_is_asked_for_is_kept_to() -> None:
    found = find_clusters(clouds(30, 30), count=4)
    assert found.count == 4
    assert list(found.silhouettes) == [4]


@pytest.mark.parametrize("different", [1, 2])
def test_learners_who_hardly_differ_are_one_group_without_a_silhouette(different: int) -> None:
    points = np.repeat(np.eye(3)[:different], 10, axis=0)
    found = find_clusters(points)
    assert found.count == 1
    assert found.silhouette is None
    assert found.stability is None
    assert structure(found.silhouette) == "none"


def test_the_same_points_give_the_same_groups_however_many_there_are() -> None:
    random = np.random.default_rng(3)
    points = np.repeat(np.eye(3), SAMPLE // 2, axis=0) + random.normal(0, 0.2, (SAMPLE // 2 * 3, 3))
    first, second = find_clusters(points, 3), find_clusters(points, 3)
    assert np.array_equal(first.labels, second.labels)
    assert (first.silhouette, first.stability) == (second.silhouette, second.stability)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_groups_are_numbered_by_size_and_stay_the_same_groups(labels: list[int]) -> None:
    old = np.array(labels, np.int64)
    new = largest_first(old)
    assert adjusted_rand_score(old, new) == 1
    sizes = np.bincount(new)
    assert (np.diff(sizes) <= 0).all()
    assert (sizes > 0).all()
    ties = [np.flatnonzero(new == n)[0] for n in range(len(sizes))]
    assert all(ties[n] < ties[n + 1] for n in range(len(ties) - 1) if sizes[n] == sizes[n + 1])


@pytest.mark.parametrize("silhouette", [None, -0.1, 0.25])
def test_up_to_a_quarter_a_silhouette_says_that_nothing_was_found(silhouette: float) -> None:
    assert structure(silhouette) == "none"


def test_above_it_the_words_grow_with_the_silhouette() -> None:
    assert [structure(s) for s in (0.26, 0.5, 0.51, 0.7, 0.71)] == [
        "weak", "weak", "reasonable", "reasonable", "strong",
    ]  # fmt: skip


def test_a_direction_has_length_one_and_no_direction_stays_none() -> None:
    found = directions(np.array([[3, 4], [0, 0], [300, 400]], np.float32))
    assert found.tolist() == [[0.6, 0.8], [0, 0], [0.6, 0.8]]


@pytest.mark.parametrize("points", [np.ones((5, 3)), np.arange(4.0)[:, None], np.eye(1)])
def test_what_has_fewer_than_two_components_is_projected_all_the_same(points: Float64) -> None:
    at, explained = project(points)
    assert at.shape == (len(points), 2)
    assert np.isfinite(at).all()
    assert explained[1] == 0


def test_a_number_of_groups_without_a_silhouette_is_not_listed_with_one() -> None:
    found = find_clusters(np.eye(3), count=3)
    assert found.count == 3
    assert found.silhouettes == {}
    assert found.silhouette is None


def test_a_projection_is_that_on_the_axes_of_most_variance() -> None:
    points = np.random.default_rng(0).normal(size=(30, 4)) * [1, 5, 2, 0.1]
    at, explained = project(points)
    centred = points - points.mean(axis=0)
    values, axes = np.linalg.eigh(centred.T @ centred)
    expected = centred @ axes[:, [-1, -2]]
    np.testing.assert_allclose(np.abs(at), np.abs(expected))
    assert explained == pytest.approx(tuple(values[[-1, -2]] / values.sum()))


def test_two_points_lie_on_one_axis() -> None:
    at, explained = project(np.array([[0.0, 0.0, 0.0], [2.0, 3.0, 6.0]]))
    assert np.abs(at[:, 0]).tolist() == pytest.approx([3.5, 3.5])
    assert explained == pytest.approx((1, 0))


def test_silhouettes_are_those_of_each_number_of_groups_and_the_best_is_taken() -> None:
    points = clouds(12, 9, 7)
    found = find_clusters(points)
    for k, value in found.silhouettes.items():
        labels = KMeans(k, n_init=10, random_state=0).fit_predict(points)
        assert value == pytest.approx(silhouette_score(points, labels))
    assert found.silhouette == max(found.silhouettes.values())
    few = np.repeat(np.eye(4), 3, axis=0)  # four different ones: 2 and 3 groups can be compared
    assert [*find_clusters(few).silhouettes] == [2, 3]


def test_stability_is_the_mean_agreement_of_groupings_of_both_halves() -> None:
    points = clouds(20, 20, spread=0.6)
    random, agreements = np.random.default_rng(0), []
    for _ in range(5):
        order = random.permutation(40)
        groupings = [
            KMeans(3, n_init=10, random_state=0).fit(points[half]).predict(points)
            for half in (order[:20], order[20:])
        ]
        agreements.append(adjusted_rand_score(*groupings))
    found = stability(points, 3)
    assert found == pytest.approx(np.mean(agreements))
    assert found is not None
    assert found < 1
    assert stability(np.eye(5), 3) is None  # a half has two different points


def test_many_points_are_judged_by_a_sample_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portrait_clusters, "SAMPLE", 20)
    points = clouds(25, 15, spread=0.3)
    found = find_clusters(points, 2)
    chosen = np.sort(np.random.default_rng(0).choice(40, 20, replace=False))
    labels = KMeans(2, n_init=10, random_state=0).fit_predict(points)
    assert found.silhouette == pytest.approx(silhouette_score(points[chosen], labels[chosen]))
    assert len(found.labels) == 40
    assert found.stability == stability(points[chosen], 2)


def test_nobody_is_in_no_group() -> None:
    assert Clusters(np.zeros(0, np.int64), {}, None).count == 0
    assert structure(None) == "none"
