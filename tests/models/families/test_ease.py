"""`ease` against the closed form of its paper, in a few lines of numpy."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from families import CPU, FAMILIES, asked
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import training_of

from recsweep.data.types import KINDS
from recsweep.errors import BadInput
from recsweep.models.families import ease
from recsweep.models.protocol import Context

HISTORIES = st.lists(st.lists(st.integers(0, 7), min_size=2, max_size=9), min_size=1, max_size=12)


@given(
    histories=HISTORIES,
    query=st.lists(st.integers(0, 7), min_size=1, max_size=6),
    penalty=st.floats(0.5, 1000),
    kept=st.sampled_from([None, 0.6]),
    n=st.sampled_from([8, 9]),
    block=st.sampled_from([1, 27, ease.BLOCK_VALUES]),
)
@settings(max_examples=40)
def test_scores_are_those_of_equation_8(
    histories: list[list[int]],
    query: list[int],
    penalty: float,
    kept: float | None,
    n: int,
    block: int,
) -> None:
    fading = {} if kept is None else {"fading": "step", "fading_weight": kept}
    training = training_of(histories, n_items=n)
    config = {"regularization": penalty, **fading}
    model = FAMILIES["ease"].model(config, Context(training, 0, CPU, "fp32"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ease, "BLOCK_VALUES", block)
        model.fit_epoch()
    x = np.array([np.bincount(history, minlength=n) for history in histories], float)
    p = np.linalg.inv(x.T @ x + penalty * np.eye(n))
    b = np.array([[0 if i == j else -p[i, j] / p[j, j] for j in range(n)] for i in range(n)])
    steps = range(len(query) - 1, -1, -1)
    expected = sum((kept or 1) ** n * b[item] for n, item in zip(steps, query, strict=True))
    np.testing.assert_allclose(model.score(asked(query))[0], expected, rtol=1e-6, atol=1e-6)


def test_a_catalogue_that_memory_would_not_hold_is_refused_in_one_line() -> None:
    def built(n_items: int) -> None:
        training = replace(training_of([[0, 1]]), n_items=n_items)
        FAMILIES["ease"].model({"regularization": 1.0}, Context(training, 0, CPU, "fp32"))

    built(ease.MOST_COURSES)
    with pytest.raises(BadInput, match=r"^ease: 20,001 courses, at most 20,000: .* 3 GiB$"):
        built(ease.MOST_COURSES + 1)


def test_nothing_but_one_dense_matrix_grows_with_the_square_of_courses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n, rng = 800, np.random.default_rng(0)
    monkeypatch.setattr(ease, "BLOCK_VALUES", 10 * n)
    training = training_of(rng.integers(0, n, (40, 5)).tolist(), n_items=n)
    model = FAMILIES["ease"].model({"regularization": 9.0}, Context(training, 0, CPU, "fp32"))
    tracemalloc.start()
    try:
        model.fit_epoch()
        left, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 8 * n * n < most < 1.3 * 8 * n * n
    assert left < 1.3 * 4 * n * n
    assert model.state()["weights"].data_ptr() == model.weights.ctypes.data


def test_what_double_precision_cannot_solve_is_refused_in_one_line() -> None:
    context = Context(training_of([[0, 1]] * 4), 0, CPU, "fp32")
    model = FAMILIES["ease"].model({"regularization": 1e-30}, context)
    with pytest.raises(BadInput, match=r"^ease: regularization 1e-30 is too small for this log$"):
        model.fit_epoch()


def test_a_state_is_all_that_scores_need() -> None:
    training, config = training_of([[0, 1, 2], [0, 2], [1, 3]]), {"regularization": 1.0}
    model = FAMILIES["ease"].model(config, Context(training, 0, CPU, "fp32"))
    assert not model.score(asked([0, 1])).any()  # nothing is known before training
    model.fit_epoch()
    other = FAMILIES["ease"].model(config, Context(training, 1, CPU, "fp32"))
    other.load_state(model.state())
    np.testing.assert_array_equal(other.score(asked([0, 1])), model.score(asked([0, 1])))


def test_order_is_read_only_where_older_courses_weigh_less() -> None:
    for weight, reads in ((0.5, True), (1.0, False)):
        keys = {"regularization": 1.0, "fading": "step", "fading_weight": weight}
        assert FAMILIES["ease"].sees_order(keys) is reads


def test_an_event_of_weight_three_is_three_events() -> None:
    training = training_of([[0, 1, 2], [0, 2, 1]])
    kind = np.array([0, 0, KINDS.index("purchase")] * 2, np.int8)
    dear = replace(training, sequences=replace(training.sequences, kind=kind))
    often = training_of([[0, 1, 2, 2, 2], [0, 2, 1, 1, 1]])
    found = []
    for each, penalty, weight in ((dear, 1.0, 3.0), (often, (10 / 6) ** 2, 1.0)):
        # Weights have mean 1: six events of weight 10 / 6 are ten events.
        config = {"regularization": penalty, "weight_purchase": weight}
        model = FAMILIES["ease"].model(config, Context(each, 0, CPU, "fp32"))
        model.fit_epoch()
        found.append(model.score(asked([0], [1], [2])).numpy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)
