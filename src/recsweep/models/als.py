"""Implicit alternating least squares, through the `implicit` library.

Its item factors Y are trained there; the factors of the history at hand solve the same least
squares problem (Hu, Koren & Volinsky 2008, eq. 4), where an item seen r times has confidence
`alpha * r` and every other item confidence 1:

    p = (YᵀY + Yᵀ(C - I)Y + λI)⁻¹ YᵀC·1
"""

from collections.abc import Mapping

import torch
from implicit.cpu.als import AlternatingLeastSquares as Library
from threadpoolctl import threadpool_limits
from torch import Tensor

from recsweep.models.protocol import Context, Histories
from recsweep.models.sparse import interactions

ITERATIONS_PER_EPOCH = 2
"""An epoch of ALS: a block of so many alternations over users and items."""

CHUNK_VALUES = 1 << 24


class AlternatingLeastSquares:
    """A `Recommender` that scores with freshly solved learner factors."""

    def __init__(self, factors: int, regularization: float, alpha: float, context: Context) -> None:
        self.regularization, self.alpha, self.device = regularization, alpha, context.device
        with threadpool_limits(1, "blas"):  # the library warns of anything else
            self._library = Library(
                factors=factors,
                regularization=regularization,
                alpha=alpha,
                iterations=ITERATIONS_PER_EPOCH,
                num_threads=1,
                random_state=context.seed % (1 << 32),
            )
        self._interactions = interactions(context.training)
        self.items = torch.zeros(context.training.n_items, factors, device=context.device)

    def fit_epoch(self) -> None:
        """A block of alternations, continuing from the factors so far. ALS reports no loss."""
        with threadpool_limits(1, "blas"):
            self._library.fit(self._interactions, show_progress=False)
        self.items = torch.from_numpy(self._library.item_factors).to(self.device)

    @torch.inference_mode()
    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items)."""
        n_queries, longest = len(histories.row), histories.items.shape[1]
        first = _first_occurrence(histories.items)
        places = torch.arange(longest, device=self.device)
        width = self.items.shape[1]
        gram = self.items.T @ self.items
        gram.diagonal().add_(self.regularization)
        # Without regularisation and with few items the system can be singular; the smallest
        # jitter that single precision notices keeps it solvable.
        gram.diagonal().add_(1e-6 * gram.diagonal().mean().clamp(min=1e-6))
        scores = torch.empty(n_queries, len(self.items), device=self.device)
        size = max(1, CHUNK_VALUES // (longest * width))
        for at in torch.split(torch.arange(n_queries, device=self.device), size):
            rows = histories.row[at]
            mask = (places < histories.length[at, None]).float()
            vectors = self.items[histories.items[rows]]  # (chunk, longest, width)
            # A repeat adds alpha; the first time also replaces the unobserved weight of one.
            weight = mask * (self.alpha - first[rows].float())
            system = gram + (vectors * weight[:, :, None]).transpose(1, 2) @ vectors
            right = ((mask * self.alpha)[:, None, :] @ vectors).squeeze(1)
            factors = torch.linalg.solve(system, right)
            scores[at] = factors @ self.items.T
        return scores

    def state(self) -> dict[str, Tensor]:
        """The item factors; learners' factors are solved when they are needed."""
        return {"items": self.items.clone()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over item factors."""
        self.items = state["items"].to(self.device)


def _first_occurrence(items: Tensor) -> Tensor:
    """(n_rows, longest) bool: is this the first place of its row that holds its item?"""
    order = items.argsort(dim=1, stable=True)
    sorted_items = items.gather(1, order)
    new = torch.ones_like(items, dtype=torch.bool)
    new[:, 1:] = sorted_items[:, 1:] != sorted_items[:, :-1]
    return torch.zeros_like(new).scatter(1, order, new)
