import numpy as np
import pytest
import torch
from implicit.cpu.als import AlternatingLeastSquares as Library
from scipy.sparse import csr_matrix
from worlds import training_of

from recsweep.data.clock import DAY
from recsweep.models import als
from recsweep.models.als import AlternatingLeastSquares
from recsweep.models.fading import FadingConfig
from recsweep.models.protocol import Context, Histories
from recsweep.models.sparse import interactions
from recsweep.models.weights import TrainingWeights


def test_fresh_factors_score_as_the_librarys_own_recalculation_does() -> None:
    rng = np.random.default_rng(0)
    training = training_of([rng.integers(0, 12, 8).tolist() for _ in range(30)], n_items=12)
    context = Context(training, 7, torch.device("cpu"), "fp32")
    model = AlternatingLeastSquares(5, 0.1, 3.0, FadingConfig(), TrainingWeights(), context)
    model.fit_epoch()
    history = [3, 5, 5, 0]  # a repeat counts twice
    library = Library(factors=5, regularization=0.1, alpha=3.0, num_threads=1)
    library.item_factors = model.items.numpy()
    row = csr_matrix(np.bincount(history, minlength=12)[None].astype(np.float32))
    library.user_factors = np.zeros((1, 5), np.float32)
    expected = library.recalculate_user(0, row) @ library.item_factors.T
    found = model.score(
        Histories(torch.tensor([history]), torch.zeros(1, 0), torch.tensor([0]), torch.tensor([4]))
    )
    np.testing.assert_allclose(found.numpy().ravel(), np.ravel(expected), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "fading",
    [
        FadingConfig(fading="step", fading_weight=0.7),
        FadingConfig(fading="instant", fading_weight=0.7),
        FadingConfig(fading="time", half_life_days=2),
    ],
)
def test_faded_factors_solve_the_written_system_after_every_event(fading: FadingConfig) -> None:
    rng = np.random.default_rng(0)
    training = training_of([rng.integers(0, 12, 8).tolist() for _ in range(30)], n_items=12)
    context = Context(training, 7, torch.device("cpu"), "fp32")
    model = AlternatingLeastSquares(4, 0.5, 3.0, fading, TrainingWeights(), context)
    model.fit_epoch()
    items, days = [3, 5, 5, 0, 3], [0, 1, 1, 4, 5]

    def weight_of(i: int, n: int) -> float:
        if fading.fading == "step":
            return float(0.7 ** (n - 1 - i))
        if fading.fading == "instant":
            return float(0.7 ** len({d for d in days[:n] if d > days[i]}))
        return float(0.5 ** ((days[n - 1] - days[i]) / 2))

    y = model.items.double().numpy()
    expected = []
    lengths = [1, 2, 3, 3, 4, 5]  # two targets may lie between the same events
    for n in lengths:
        c = np.ones(12)
        for item in set(items[:n]):
            c[item] = 3.0 * sum(weight_of(i, n) for i in range(n) if items[i] == item)
        p = np.zeros(12)
        p[items[:n]] = 1
        expected.append(
            y @ np.linalg.solve(y.T @ (c[:, None] * y) + 0.5 * np.eye(4), y.T @ (c * p))
        )
    length = torch.tensor(lengths)
    time = torch.tensor([days]) * DAY
    asked = Histories(
        torch.tensor([items]), torch.zeros(1, 0), torch.zeros_like(length), length, time=time
    )
    np.testing.assert_allclose(model.score(asked).numpy(), expected, rtol=1e-3, atol=1e-4)


def test_an_epoch_is_two_alternations_and_the_next_goes_on_from_there() -> None:
    rng = np.random.default_rng(0)
    training = training_of([rng.integers(0, 12, 8).tolist() for _ in range(30)], n_items=12)
    context = Context(training, 7, torch.device("cpu"), "fp32")
    model = AlternatingLeastSquares(5, 0.1, 3.0, FadingConfig(), TrainingWeights(), context)
    for epochs in (1, 2):
        model.fit_epoch()
        library = Library(
            factors=5, regularization=0.1, alpha=3.0, iterations=2 * epochs,
            num_threads=1, random_state=7,
        )  # fmt: skip
        library.fit(interactions(training, TrainingWeights()), show_progress=False)
        np.testing.assert_allclose(model.items.numpy(), library.item_factors, rtol=1e-4)


def test_interactions_count_repeats() -> None:
    found = interactions(training_of([[0, 1, 1], [2]])).toarray()
    assert found.tolist() == [[1, 2, 0], [0, 0, 1]]


def test_a_system_that_is_not_definite_is_solved_like_the_others() -> None:
    systems = torch.tensor([[[1.0, 2.0], [2.0, 1.0]], [[2.0, 0.0], [0.0, 4.0]]])
    found = als._solve(systems, torch.tensor([[[3.0], [3.0]], [[2.0], [4.0]]]))
    np.testing.assert_allclose(found.numpy(), np.ones((2, 2)), rtol=1e-6)
