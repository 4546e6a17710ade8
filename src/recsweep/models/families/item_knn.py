"""`item_knn`: nearest courses by co-occurrence, through the `implicit` library.

A history's score is the sum of its courses' similarity rows, each weighted by its age.
"""

import warnings
from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
import torch
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from implicit.utils import ParameterWarning
from pydantic import Field, model_validator
from scipy.sparse import csr_matrix
from torch import Tensor

from recsweep.config.schema import NEXT_ITEM
from recsweep.models.fading import FadingConfig
from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context, Histories
from recsweep.models.sparse import faded_histories, from_state, interactions, to_state
from recsweep.models.weights import TrainingWeights


class ItemKnnConfig(FadingConfig, TrainingWeights):
    """Hyperparameters of `item_knn`."""

    neighbours: int = Field(ge=1)
    weighting: Literal["cosine", "tfidf", "bm25"]
    k1: float | None = Field(None, ge=0)  # bm25
    b: float | None = Field(None, ge=0, le=1)  # bm25

    @model_validator(mode="after")
    def _bm25_is_complete(self) -> Self:
        if self.weighting == "bm25" and (self.k1 is None or self.b is None):
            raise ValueError("weighting bm25 needs k1 and b")
        return self


class ItemKnn:
    """A `Recommender` around a sparse similarity matrix."""

    def __init__(self, config: ItemKnnConfig, context: Context) -> None:
        self.config, self._context = config, context
        n = context.training.n_items
        self.similarity = csr_matrix((n, n), dtype=np.float32)

    def fit_epoch(self) -> None:
        """Compute all similarities at once; there is nothing to train further."""
        k, counts = self.config.neighbours, interactions(self._context.training, self.config)
        library: CosineRecommender | TFIDFRecommender | BM25Recommender
        if self.config.weighting == "bm25":
            library = BM25Recommender(K=k, K1=self.config.k1, B=self.config.b, num_threads=1)
        elif self.config.weighting == "tfidf":
            library = TFIDFRecommender(K=k, num_threads=1)
        else:
            library = CosineRecommender(K=k, num_threads=1)
        with warnings.catch_warnings():
            # The library makes a COO matrix of its own and warns about the conversion.
            warnings.simplefilter("ignore", ParameterWarning)
            library.fit(counts, show_progress=False)
        self.similarity = csr_matrix(library.similarity, dtype=np.float32)

    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items)."""
        scores = [
            (history @ self.similarity).toarray()
            for history in faded_histories(histories, self.config, self.similarity.shape[0])
        ]
        return torch.from_numpy(np.concatenate(scores)).to(self._context.device, torch.float32)

    def state(self) -> dict[str, Tensor]:
        """The similarity matrix in compressed rows."""
        return to_state(self.similarity)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over a similarity matrix."""
        self.similarity = from_state(state)


FAMILY = Family(
    name="item_knn",
    title="item neighbours",
    title_zh="课程近邻",
    role="floor",
    tasks={
        NEXT_ITEM: Build(
            ItemKnnConfig, ItemKnn, epochs=1, random=False, reads_order=lambda c: c.fades
        )
    },
)
