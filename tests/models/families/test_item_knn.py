from typing import Any

import numpy as np
import pytest
from families import CPU, FAMILIES, asked
from pydantic import ValidationError
from worlds import training_of

from recsweep.models.families.item_knn import ItemKnnConfig
from recsweep.models.protocol import Context

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
