"""`ease` against the closed form of its paper, in a few lines of numpy."""

from dataclasses import replace

import numpy as np
import pytest
from families import CPU, FAMILIES, asked
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import training_of

from recsweep.errors import BadInput
from recsweep.models.families.ease import MOST_COURSES
from recsweep.models.protocol import Context

HISTORIES = st.lists(st.lists(st.integers(0, 7), min_size=2, max_size=9), min_size=1, max_size=12)


@given(
    histories=HISTORIES,
    query=st.lists(st.integers(0, 7), min_size=1, max_size=6),
    penalty=st.floats(0.5, 1000),
    kept=st.sampled_from([None, 0.6]),
)
@settings(max_examples=40)
def test_scores_are_those_of_equation_8(
    histories: list[list[int]], query: list[int], penalty: float, kept: float | None
) -> None:
    fading = {} if kept is None else {"fading": "step", "fading_weight": kept}
    training = training_of(histories, n_items=8)
    config = {"regularization": penalty, **fading}
    model = FAMILIES["ease"].model(config, Context(training, 0, CPU, "fp32"))
    model.fit_epoch()
    x = np.array([np.bincount(history, minlength=8) for history in histories], float)
    p = np.linalg.inv(x.T @ x + penalty * np.eye(8))
    b = np.array([[0 if i == j else -p[i, j] / p[j, j] for j in range(8)] for i in range(8)])
    steps = range(len(query) - 1, -1, -1)
    expected = sum((kept or 1) ** n * b[item] for n, item in zip(steps, query, strict=True))
    np.testing.assert_allclose(model.score(asked(query))[0], expected, rtol=1e-6, atol=1e-6)


def test_a_catalogue_that_memory_would_not_hold_is_refused_in_one_line() -> None:
    def built(n_items: int) -> None:
        training = replace(training_of([[0, 1]]), n_items=n_items)
        FAMILIES["ease"].model({"regularization": 1.0}, Context(training, 0, CPU, "fp32"))

    built(MOST_COURSES)
    with pytest.raises(BadInput, match=r"^ease: 20,001 courses, at most 20,000: .* 6 GiB$"):
        built(MOST_COURSES + 1)
