import numpy as np
import pytest
import torch
from families import asked
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
    lengths = [1, 2, 2, 5, 3]  # two targets may share their history, or lie apart
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
    query = Histories(
        torch.tensor([items]), torch.zeros(1, 0), torch.zeros_like(length), length, time=time
    )
    np.testing.assert_allclose(model.score(query).numpy(), expected, rtol=1e-3, atol=1e-4)


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


def small(
    regularization: float = 0.1, alpha: float = 3.0, seed: int = 7, device: str = "cpu"
) -> AlternatingLeastSquares:
    rng = np.random.default_rng(0)
    training = training_of([rng.integers(0, 12, 8).tolist() for _ in range(30)], n_items=12)
    context = Context(training, seed, torch.device(device), "fp32")
    return AlternatingLeastSquares(
        5, regularization, alpha, FadingConfig(), TrainingWeights(), context
    )


@pytest.mark.parametrize("chunk", [1, 3 * 25, 1 << 21])
def test_queries_are_answered_alike_in_whatever_order_and_chunks(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(als, "CHUNK_VALUES", chunk)
    model = small()
    model.fit_epoch()
    items = torch.tensor([[3, 5, 5, 0], [1, 2, 1, 9]])
    queries = [
        (0, 1),
        (0, 4),
        (0, 4),
        (0, 2),
        (1, 2),
        (1, 3),
        (0, 3),
    ]  # back to what is shorter, too
    row, length = torch.tensor(queries).T
    found = model.score(Histories(items, torch.zeros(2, 0), row, length))
    alone = [
        model.score(Histories(items[[r]], torch.zeros(1, 0), torch.tensor([0]), torch.tensor([n])))
        for r, n in queries
    ]
    torch.testing.assert_close(found, torch.cat(alone))


def test_a_learners_vector_is_what_courses_are_scored_with() -> None:
    model, histories = small(), [[3, 5, 5, 0], [1], [2, 4]]
    model.fit_epoch()
    vectors = model.learner_vectors(training_of(histories, n_items=12).sequences)
    assert vectors.shape == (3, 5)
    assert vectors.dtype == np.float32
    for vector, history in zip(vectors, histories, strict=True):
        (scores,) = model.score(asked(history)).numpy()
        np.testing.assert_allclose(model.items.numpy() @ vector, scores, rtol=1e-5, atol=1e-6)


def test_without_regularisation_fewer_courses_than_factors_have_scores_too() -> None:
    context = Context(training_of([[0, 1], [1]]), 7, torch.device("cpu"), "fp32")
    model = AlternatingLeastSquares(8, 0.0, 3.0, FadingConfig(), TrainingWeights(), context)
    model.fit_epoch()
    assert model.score(asked([0], [0, 1])).isfinite().all()


def test_an_untrained_model_scores_nothing_and_takes_over_a_state() -> None:
    model, other = small(), small()
    assert not model.score(asked([1, 2])).any()
    other.fit_epoch()
    state = other.state()
    assert list(state) == ["items"]
    model.load_state(state)
    torch.testing.assert_close(model.score(asked([1, 2])), other.score(asked([1, 2])))
    other.items += 1
    assert not torch.equal(state["items"], other.items)  # a copy


def test_training_goes_on_from_a_checkpoint_of_the_same_model_alone() -> None:
    model, other = small(), small()
    model.fit_epoch()
    kept = model.checkpoint()
    other.load_state(model.state())
    other.restore(kept)
    torch.testing.assert_close(other.items, model.items, rtol=0, atol=0)
    model.fit_epoch()
    other.fit_epoch()
    torch.testing.assert_close(other.items, model.items, rtol=0, atol=0)
    assert not torch.equal(kept["items"], model.items)
    for name in ("users", "items"):
        with pytest.raises(ValueError, match=r"factors of shape"):
            small().restore({**kept, name: kept[name][1:]})


def test_factors_stay_with_the_histories_that_they_meet_whatever_the_device() -> None:
    kept = small()
    kept.fit_epoch()
    model = small(device="meta")
    where = [model.items.device.type]
    for step in (
        model.fit_epoch,
        lambda: model.load_state(kept.state()),
        lambda: model.restore(kept.checkpoint()),
    ):
        step()
        where.append(model.items.device.type)
    assert where == ["cpu"] * 4


def test_a_seed_of_any_size_starts_training() -> None:
    models = [small(seed=seed) for seed in (7, 7 + (1 << 32), 8)]
    for model in models:
        model.fit_epoch()
    assert torch.equal(models[0].items, models[1].items)
    assert not torch.equal(models[0].items, models[2].items)


def test_a_course_is_new_at_its_first_place_of_each_row() -> None:
    found = als._first_occurrence(torch.tensor([[3, 5, 3, 5], [0, 0, 0, 1], [2, 1, 0, 1]]))
    expected = [[1, 1, 0, 0], [1, 0, 0, 1], [1, 1, 1, 0]]
    assert found.int().tolist() == expected
