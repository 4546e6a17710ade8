"""`gradient_boosting`: trees over all that is known, by scikit-learn.

What is fitted is kept as plain arrays, so that a state is loaded without scikit-learn and without
unpickling anything. It is imported where it fits: the
workers of a sweep that ranks need none of it.
"""

from collections.abc import Mapping

import numpy as np
import torch
from pydantic import Field
from scipy.special import expit
from torch import Tensor

from recsweep.config.schema import PURCHASE, UPLIFT
from recsweep.data.types import Float32, Float64
from recsweep.models.cases import CaseBook, examples_of, labels_of, weights_of
from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context
from recsweep.models.uplift import uplift
from recsweep.models.weights import TrainingWeights


class BoostingConfig(TrainingWeights):
    """Hyperparameters of `gradient_boosting`."""

    learning_rate: float = Field(gt=0)
    trees: int = Field(ge=1)
    leaves: int = Field(ge=2)
    min_samples_leaf: int = Field(ge=1)
    l2: float = Field(ge=0)
    columns_a_split: float = Field(gt=0, le=1)


class Boosting:
    """Gradient-boosted trees."""

    def __init__(self, config: BoostingConfig, context: Context) -> None:
        self._config, self._context = config, context
        self._trees: dict[str, np.ndarray] = {}
        self._base = 0.0

    def fit_epoch(self) -> None:
        """Fit to the end."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        config, examples = self._config, examples_of(self._context.training)
        labels, weights = labels_of(examples), weights_of(examples, config)
        library = HistGradientBoostingClassifier(
            learning_rate=config.learning_rate,
            max_iter=config.trees,
            max_leaf_nodes=config.leaves,
            min_samples_leaf=config.min_samples_leaf,
            l2_regularization=config.l2,
            max_features=config.columns_a_split,
            early_stopping=False,
            random_state=self._context.seed % (1 << 32),
        )
        library.fit(labels.inputs, labels.bought, weights)
        self._base = float(np.ravel(library._baseline_prediction)[0])
        nodes = [tree.nodes for (tree,) in library._predictors]
        start = np.cumsum([0, *map(len, nodes)])
        whole = np.concatenate(nodes)
        # Children count from their tree's root; a leaf is its own child.
        root = np.repeat(start[:-1], np.diff(start))
        place = np.arange(len(whole))
        leaf = whole["is_leaf"].astype(bool)
        self._trees = {
            "root": start[:-1],
            "feature": np.where(leaf, 0, whole["feature_idx"]).astype(np.int64),
            "threshold": np.where(leaf, np.inf, whole["num_threshold"]),
            "left": np.where(leaf, place, whole["left"] + root),
            "right": np.where(leaf, place, whole["right"] + root),
            "value": np.where(leaf, whole["value"], 0.0),
        }

    def probability(self, book: CaseBook) -> Float64:
        """(n_examples,)."""
        return np.asarray(expit(self._base + self._sum(book.labels.inputs)))

    def _sum(self, inputs: Float32) -> Float64:
        """(n,) the leaves' values, every tree walked level by level."""
        trees, rows = self._trees, np.arange(len(inputs))
        total = np.zeros(len(inputs))
        for root in trees["root"]:
            node = np.full(len(inputs), root)
            while True:
                goes_left = inputs[rows, trees["feature"][node]] <= trees["threshold"][node]
                below = np.where(goes_left, trees["left"][node], trees["right"][node])
                if np.array_equal(below, node):
                    break
                node = below
            total += trees["value"][node]
        return total

    def state(self) -> dict[str, Tensor]:
        """The trees' nodes, end to end."""
        trees = {name: torch.from_numpy(np.asarray(v).copy()) for name, v in self._trees.items()}
        return trees | {"base": torch.tensor(self._base, dtype=torch.float64)}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over trees."""
        self._trees = {name: value.numpy() for name, value in state.items() if name != "base"}
        self._base = float(state["base"])


_boosting = Build(BoostingConfig, Boosting, epochs=1, reads_order=False, uses_features=True)

FAMILY = Family(
    name="gradient_boosting",
    title="gradient boosting",
    title_zh="梯度提升",
    role="floor",
    tasks={PURCHASE: _boosting, UPLIFT: uplift(_boosting)},
)
