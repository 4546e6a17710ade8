"""Implicit alternating least squares, through the `implicit` library.

Its item factors Y are trained there; the factors of the history at hand solve the same least
squares problem (Hu, Koren & Volinsky 2008, eq. 4), where an item whose events weigh w together
(their number, unless they fade, or in training have weights) has confidence `alpha * w` and every
other item confidence 1:

    p = (YᵀY + Yᵀ(C - I)Y + λI)⁻¹ YᵀC·1
"""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from implicit.cpu.als import AlternatingLeastSquares as Library
from threadpoolctl import threadpool_limits
from torch import Tensor

from recsweep.data.types import Float32, Sequences
from recsweep.models.fading import FadingConfig
from recsweep.models.histories import whole_histories
from recsweep.models.protocol import Context, Histories
from recsweep.models.sparse import interactions
from recsweep.models.weights import TrainingWeights

ITERATIONS_PER_EPOCH = 2
"""An epoch of ALS: a block of so many alternations over users and items."""

CHUNK_VALUES = 1 << 21


class AlternatingLeastSquares:
    """A `Recommender` that scores with freshly solved learner factors."""

    def __init__(
        self,
        factors: int,
        regularization: float,
        alpha: float,
        fading: FadingConfig,
        weights: TrainingWeights,
        context: Context,
    ) -> None:
        self.regularization, self.alpha, self.device = regularization, alpha, context.device
        self.fading = fading
        with threadpool_limits(1, "blas"):  # the library warns of anything else
            self._library = Library(
                factors=factors,
                regularization=regularization,
                alpha=alpha,
                iterations=ITERATIONS_PER_EPOCH,
                num_threads=1,
                random_state=context.seed % (1 << 32),
            )
        self._interactions = interactions(context.training, weights)
        # On the CPU whatever the device: a history's system is built query by query, and a device
        # would be asked for each.
        self.items = torch.zeros(context.training.n_items, factors)

    def fit_epoch(self) -> None:
        """A block of alternations, continuing from the factors so far. ALS reports no loss."""
        with threadpool_limits(1, "blas"):
            self._library.fit(self._interactions, show_progress=False)
        self.items = torch.from_numpy(self._library.item_factors)

    @torch.inference_mode()
    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items)."""
        scores = torch.empty(len(histories.row), len(self.items))
        for first, factors in self._factors(histories):
            scores[first : first + len(factors)] = factors @ self.items.T
        return scores.to(self.device)

    @torch.inference_mode()
    def learner_vectors(self, histories: Sequences) -> Float32:
        """(n_learners, factors)."""
        out = np.zeros((len(histories), self.items.shape[1]), np.float32)
        for at, block in whole_histories(histories, torch.device("cpu")):
            for first, factors in self._factors(block):
                out[at[first : first + len(factors)]] = factors.numpy()
        return out

    def _factors(self, histories: Histories) -> Iterator[tuple[int, Tensor]]:
        """The first query of each chunk, and the chunk's (n, factors) learner factors."""
        items, row_of, length_of = histories.items.cpu(), histories.row, histories.length
        time = None if histories.time is None else histories.time.cpu()
        ages, first = self.fading.ages(items, time), _first_occurrence(items)
        n_queries, width = len(row_of), self.items.shape[1]
        gram = self.items.T @ self.items
        # Without regularisation and with few items the system can be singular; the smallest
        # jitter that single precision notices keeps it solvable.
        gram.diagonal().add_(self.regularization + 1e-6 * float(gram.diagonal().mean()) + 1e-12)
        size = max(1, CHUNK_VALUES // (width * width))
        systems = torch.empty(min(size, n_queries), width, width)
        rights = torch.empty(min(size, n_queries), width, 1)
        # What events add, by their weights as of the last one, and what an item's unobserved
        # weight of one added before its first event.
        observed, unobserved = torch.zeros(width, width), torch.zeros(width, width)
        right = torch.zeros(width, 1)
        before, done = -1, 0
        for n, (row, length) in enumerate(zip(row_of.tolist(), length_of.tolist(), strict=True)):
            if row != before or length < done:
                for each in (observed, unobserved, right):
                    each.zero_()
                before, done = row, 0
            if length > done:  # only what the query before has not seen
                age = ages[row, done:length]
                if done:
                    kept = float((ages[row, done - 1] - age[-1]).exp())
                    observed.mul_(kept)
                    right.mul_(kept)
                weight = self.alpha * (age - age[-1]).exp().float()[:, None]
                new = self.items[items[row, done:length]]
                observed.addmm_(new.T, new * weight)
                right.addmm_(new.T, weight)
                new = new[first[row, done:length]]
                unobserved.addmm_(new.T, new)
                done = length
            torch.add(gram, observed, out=systems[n % size]).sub_(unobserved)
            rights[n % size] = right
            if n % size == size - 1 or n == n_queries - 1:
                filled = n % size + 1
                yield n + 1 - filled, _solve(systems[:filled], rights[:filled])

    def state(self) -> dict[str, Tensor]:
        """The item factors; learners' factors are solved when they are needed."""
        return {"items": self.items.clone()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over item factors."""
        self.items = state["items"].cpu()

    def checkpoint(self) -> dict[str, Tensor]:
        """Both sides' factors; alternations draw no random numbers after their start."""
        library = self._library
        return {
            "users": torch.from_numpy(library.user_factors.copy()),
            "items": torch.from_numpy(library.item_factors.copy()),
        }

    def restore(self, checkpoint: Mapping[str, Tensor]) -> None:
        """Go on from there."""
        users, items = checkpoint["users"], checkpoint["items"]
        expected = (self._interactions.shape[0], self._library.factors)
        if tuple(users.shape) != expected or items.shape != self.items.shape:
            raise ValueError(f"factors of shape {tuple(users.shape)}, expected {expected}")
        self._library.user_factors = users.cpu().numpy().copy()
        self._library.item_factors = items.cpu().numpy().copy()
        self.items = torch.from_numpy(self._library.item_factors)


def _solve(systems: Tensor, rights: Tensor) -> Tensor:
    """(n, width) solutions of n symmetric systems."""
    triangles, failed = torch.linalg.cholesky_ex(systems)
    if bool(failed.any()):  # alpha below one can make a system indefinite
        solved: Tensor = torch.linalg.solve(systems, rights)
        return solved.squeeze(2)
    return torch.cholesky_solve(rights, triangles).squeeze(2)


def _first_occurrence(items: Tensor) -> Tensor:
    """(n_rows, longest) bool: is this the first place of its row that holds its item?"""
    order = items.argsort(dim=1, stable=True)
    sorted_items = items.gather(1, order)
    new = torch.ones_like(items, dtype=torch.bool)
    new[:, 1:] = sorted_items[:, 1:] != sorted_items[:, :-1]
    return torch.zeros_like(new).scatter(1, order, new)
