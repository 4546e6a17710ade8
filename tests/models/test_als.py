import numpy as np
import torch
from implicit.cpu.als import AlternatingLeastSquares as Library
from scipy.sparse import csr_matrix
from worlds import training_of

from recsweep.models.als import AlternatingLeastSquares
from recsweep.models.protocol import Context, Histories
from recsweep.models.sparse import interactions


def test_fresh_factors_score_as_the_librarys_own_recalculation_does() -> None:
    rng = np.random.default_rng(0)
    training = training_of([rng.integers(0, 12, 8).tolist() for _ in range(30)], n_items=12)
    model = AlternatingLeastSquares(5, 0.1, 3.0, Context(training, 7, torch.device("cpu"), "fp32"))
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


def test_interactions_count_repeats() -> None:
    found = interactions(training_of([[0, 1, 1], [2]])).toarray()
    assert found.tolist() == [[1, 2, 0], [0, 0, 1]]
