"""`item_knn` against the formulas of its library's documents."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from families import CPU, FAMILIES, asked
from pydantic import ValidationError
from worlds import training_of

from recsweep.models.families.item_knn import ItemKnnConfig
from recsweep.models.protocol import Context, Recommender

HISTORIES = [[0, 1, 2], [0, 1], [1, 3], [2, 2, 0]]


def scores_of(neighbours: int) -> Any:
    context = Context(training_of(HISTORIES, 4), 0, CPU, "fp32")
    config = {"neighbours": neighbours, "weighting": "cosine"}
    model = FAMILIES["item_knn"].model(config, context)
    model.fit_epoch()
    return model.score(asked([0], [1, 3])).numpy()


def test_a_score_is_the_sum_over_the_history_of_the_cosines_of_courses() -> None:
    counts = np.array([[history.count(item) for item in range(4)] for history in HISTORIES])
    sizes = np.sqrt((counts**2).sum(axis=0))
    cosines = counts.T @ counts / sizes / sizes[:, None]
    np.testing.assert_allclose(scores_of(4), [cosines[0], cosines[1] + cosines[3]], rtol=1e-6)


def model_of(config: dict[str, object], histories: list[list[int]]) -> Recommender:
    context = Context(training_of(histories, 4), 0, CPU, "fp32")
    model: Recommender = FAMILIES["item_knn"].model(config, context)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the library's words on its own matrices are no user's
        model.fit_epoch()
    return model


def counts_of(histories: list[list[int]]) -> np.ndarray:
    """(n_items, n_users)."""
    return np.array([[history.count(item) for history in histories] for item in range(4)], float)


MORE = [*HISTORIES, [3], [0, 3, 3, 3]]


def idf(counts: np.ndarray) -> np.ndarray:
    """(n_users,) how rare a learner is among courses."""
    users: np.ndarray = np.log(len(counts)) - np.log1p((counts > 0).sum(0))
    return users


def test_by_tfidf_a_course_is_its_learners_by_how_few_courses_each_has() -> None:
    counts = counts_of(MORE)
    vectors = np.sqrt(counts) * idf(counts)
    vectors /= np.sqrt((vectors**2).sum(1, keepdims=True))
    found = model_of({"neighbours": 4, "weighting": "tfidf"}, MORE).score(asked([0], [1, 3]))
    expected = vectors @ vectors.T
    np.testing.assert_allclose(found, [expected[0], expected[1] + expected[3]], atol=1e-6)


@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.25), (0.5, 1.0)])
def test_by_bm25_a_course_is_its_learners_by_bm25(k1: float, b: float) -> None:
    counts = counts_of(MORE)
    sizes = counts.sum(1, keepdims=True)
    vectors = counts * (k1 + 1) / (k1 * (1 - b + b * sizes / sizes.mean()) + counts) * idf(counts)
    config = {"neighbours": 4, "weighting": "bm25", "k1": k1, "b": b}
    found = model_of(config, MORE).score(asked([0], [1, 3]))
    expected = vectors @ vectors.T
    np.testing.assert_allclose(found, [expected[0], expected[1] + expected[3]], atol=1e-5)


@pytest.mark.parametrize("weighting", ["cosine", "tfidf"])
def test_fitting_says_nothing(weighting: str, capfd: pytest.CaptureFixture[str]) -> None:
    model_of({"neighbours": 4, "weighting": weighting}, HISTORIES)
    assert capfd.readouterr() == ("", "")


def test_older_courses_count_less_where_events_fade() -> None:
    config: dict[str, object] = {"neighbours": 4, "weighting": "cosine"}
    plain = model_of(config, HISTORIES).score(asked([0], [1]))
    faded = model_of(config | {"fading": "step", "fading_weight": 0.25}, HISTORIES)
    torch.testing.assert_close(faded.score(asked([0, 1]))[0], plain[0] / 4 + plain[1])


def test_a_state_is_all_that_scores_need_and_a_copy() -> None:
    config: dict[str, object] = {"neighbours": 4, "weighting": "cosine"}
    model = model_of(config, HISTORIES)
    before = model.score(asked([0, 3]))
    other = FAMILIES["item_knn"].model(config, Context(training_of([[3]], 4), 0, CPU, "fp32"))
    assert other.score(asked([0, 3])).tolist() == [[0, 0, 0, 0]]
    other.load_state(model.state())
    assert torch.equal(other.score(asked([0, 3])), before)
    model.state()["value"].zero_()
    assert torch.equal(model.score(asked([0, 3])), before)


def test_a_course_has_so_many_neighbours_itself_among_them() -> None:
    few = scores_of(2)
    assert np.count_nonzero(few[0]) == 2
    np.testing.assert_allclose(few[0], np.where(few[0] > 0, scores_of(4)[0], 0))


@pytest.mark.parametrize("given", [{}, {"k1": 1.0}, {"b": 0.5}])
def test_bm25_needs_both_of_its_numbers(given: dict[str, float]) -> None:
    keys = {"neighbours": 4, "weighting": "bm25"}
    with pytest.raises(ValidationError, match="weighting bm25 needs k1 and b"):
        ItemKnnConfig.model_validate({**keys, **given})
    assert ItemKnnConfig.model_validate({**keys, "k1": 0, "b": 0}).b == 0
    assert ItemKnnConfig.model_validate({**keys, "weighting": "tfidf", **given})


def test_order_is_read_only_where_older_courses_weigh_less() -> None:
    reads_order = FAMILIES["item_knn"].reads_order
    assert callable(reads_order)
    for weight, reads in ((0.5, True), (1.0, False)):
        keys = {"neighbours": 4, "weighting": "cosine", "fading": "step", "fading_weight": weight}
        assert reads_order(ItemKnnConfig.model_validate(keys)) is reads
