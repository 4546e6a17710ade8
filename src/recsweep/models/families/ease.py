"""`ease`: a linear model of courses in closed form (Steck 2019, EASE^R).

With X the learners' events by course and G = XᵀX, the weights between courses are, by eq. 8,

    P = (G + λI)⁻¹    B[i, j] = -P[i, j] / P[j, j], and 0 where i = j

and a history's score is the sum of its courses' rows of B, each weighted by its age. G + λI is
positive definite, so that its Cholesky factor, P and B are all worked out in its own place: beside
this one dense matrix in double precision, 8 bytes a pair of courses, nothing grows with their
square.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from pydantic import Field
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits
from torch import Tensor

from recsweep.config.schema import NEXT_ITEM
from recsweep.data.types import Float32, Float64
from recsweep.errors import BadInput
from recsweep.models.fading import FadingConfig
from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context, Histories
from recsweep.models.sparse import faded_histories, interactions
from recsweep.models.weights import TrainingWeights

MOST_COURSES = 20_000
"""A larger catalogue is refused; at this size the computation holds 3 GiB."""
BLOCK_VALUES = 1 << 20
"""So many values of a dense matrix are moved at once: 8 MiB."""


class EaseConfig(FadingConfig, TrainingWeights):
    """Hyperparameters of `ease`."""

    regularization: float = Field(gt=0)  # λ


class Ease:
    """A `Recommender` around a dense matrix of weights between courses.

    Raises:
        BadInput: the catalogue has more than MOST_COURSES courses.
    """

    def __init__(self, config: EaseConfig, context: Context) -> None:
        self.config, self._context = config, context
        n = context.training.n_items
        if n > MOST_COURSES:
            raise BadInput(
                f"ease: {n:,} courses, at most {MOST_COURSES:,}:"
                f" its dense matrix would take {8 * n * n / 2**30:.0f} GiB"
            )
        self.weights: Float32 = torch.zeros(()).expand(n, n).numpy()  # takes no memory yet

    def fit_epoch(self) -> None:
        """Solve for all weights at once; there is nothing to train further.

        Raises:
            BadInput: λ is so small that G + λI is not positive definite in double precision.
        """
        events = interactions(self._context.training, self.config).astype(np.float64)
        matrix = _gram(events)
        matrix[np.diag_indices_from(matrix)] += self.config.regularization
        with threadpool_limits(1, "blas"):  # the same bits on any number of cores
            # LAPACK counts by column: the lower triangle of its matrix is the upper one of ours.
            factor, failed = dpotrf(matrix.T, lower=1, clean=0, overwrite_a=1)
            if failed:
                raise BadInput(
                    f"ease: regularization {self.config.regularization:g} is too small for this log"
                )
            dpotri(factor, lower=1, overwrite_c=1)
        n = len(matrix)
        _write_weights(matrix)
        matrix.resize((n * n + 1) // 2, refcheck=False)  # gives the other half back
        self.weights = matrix.view(np.float32)[: n * n].reshape(n, n)

    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items)."""
        scores = [
            history @ self.weights
            for history in faded_histories(histories, self.config, len(self.weights))
        ]
        return torch.from_numpy(np.concatenate(scores)).to(self._context.device, torch.float32)

    def state(self) -> dict[str, Tensor]:
        """(n_items, n_items) weights."""
        return {"weights": torch.from_numpy(self.weights)}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over weights."""
        self.weights = state["weights"].numpy()


def _gram(events: csr_matrix) -> Float64:
    """(n_items, n_items) XᵀX."""
    by_course, n = events.T.tocsr(), events.shape[1]
    gram = np.empty((n, n))
    for rows in _blocks(n):
        (by_course[rows] @ events).toarray(out=gram[rows])
    return gram


def _write_weights(inverse: Float64) -> None:
    """Make of the upper triangle of P (n_items, n_items) B, in the first half of its memory."""
    n = len(inverse)
    scale = -inverse.diagonal()
    weights = inverse.reshape(-1).view(np.float32)[: n * n].reshape(n, n)
    for rows in _blocks(n):
        square, after = inverse[rows, rows], slice(rows.stop, n)
        np.copyto(square, square.T, where=np.tri(len(square), k=-1, dtype=bool))
        inverse[after, rows] = inverse[rows, after].T
        weights[rows] = inverse[rows] / scale  # ends before the rows that are still to be read
    np.fill_diagonal(weights, 0)


def _blocks(n: int) -> Iterator[slice]:
    """Of rows of n values."""
    step = max(1, BLOCK_VALUES // max(1, n))
    return (slice(at, min(at + step, n)) for at in range(0, n, step))


FAMILY = Family(
    name="ease",
    title="linear autoencoder (EASE)",
    title_zh="线性自编码器（EASE）",
    role="baseline",
    tasks={
        NEXT_ITEM: Build(EaseConfig, Ease, epochs=1, random=False, reads_order=lambda c: c.fades)
    },
)
