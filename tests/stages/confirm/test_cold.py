from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.testing import assert_array_equal
from worlds import experiment_of

from recsweep.data.types import Float64
from recsweep.stages.confirm.cold import cold_verdicts

FAMILIES = {
    "gru+ids": {"space": "gru.yaml", "features": []},
    "gru+text": {"space": "gru.yaml", "features": ["title"]},
    "lstm": "lstm.yaml",
}
SEQUENCE = np.array([0, 0, 1, 2, 2, 2, 3], np.int32)
COURSES = np.array([5, 1, 4, 6, 5, 0, 2], np.int32)
VALUES = {name: np.random.default_rng(n).random((2, 7)) for n, name in enumerate(FAMILIES)}


def judged(courses: Any, n_known: int) -> list[Mapping[str, Float64]]:
    """What is compared, and what a judge said of each."""
    told: list[Mapping[str, Float64]] = []

    def judge(of: Mapping[str, Float64]) -> list[Any]:
        told.append(of)
        return [f"{len(told)} first", f"{len(told)} second"]

    targets: Any = SimpleNamespace(item=courses, sequence=SEQUENCE)
    found: Any = cold_verdicts(VALUES, targets, n_known, experiment_of(families=FAMILIES), judge)
    said = ("1 first", "1 second", "2 first", "2 second")
    assert found == said[: 2 * len(told)]
    return told


def test_arms_of_each_family_are_compared_on_the_learners_with_a_cold_course() -> None:
    of_gru, of_lstm = judged(COURSES, 5)  # courses 5 and 6: learners 0 and 2
    assert (list(of_gru), list(of_lstm)) == (["gru+ids", "gru+text"], ["lstm"])
    for name, table in {**of_gru, **of_lstm}.items():
        values = VALUES[name]
        expected = np.stack([values[:, 0], (values[:, 3] + values[:, 4]) / 2], axis=1)
        assert_array_equal(table, expected)


def test_fewer_than_two_such_learners_are_compared_by_nobody() -> None:
    assert judged(COURSES, 6) == []
    assert judged(COURSES, 7) == []
    assert len(judged(COURSES, 5)) == 2
