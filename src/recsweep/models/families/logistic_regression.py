"""`logistic_regression`: a linear model of the log-odds from all that is known, by scikit-learn.

What is fitted is kept as plain arrays, so that a state is loaded without scikit-learn, which is
imported where it fits: the workers of a sweep that ranks need none of it.
"""

from collections.abc import Mapping

import numpy as np
import torch
from pydantic import Field
from scipy.special import expit
from torch import Tensor

from recsweep.config.schema import PURCHASE, TEXT, UPLIFT
from recsweep.data.types import Float64
from recsweep.models.cases import CaseBook, examples_of, labels_of, weights_of
from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context
from recsweep.models.text.linear import TextLogistic, TextLogisticConfig
from recsweep.models.uplift import uplift
from recsweep.models.weights import TrainingWeights


class LogisticConfig(TrainingWeights):
    """Hyperparameters of `logistic_regression`."""

    inverse_penalty: float = Field(gt=0)  # scikit-learn's C


class Logistic:
    """A linear model of the log-odds."""

    def __init__(self, config: LogisticConfig, context: Context) -> None:
        self._config, self._training = config, context.training
        self.weight: Float64 = np.zeros(labels_of(examples_of(context.training)).inputs.shape[1])
        self.intercept = 0.0

    def fit_epoch(self) -> None:
        """Fit to the end."""
        from sklearn.linear_model import LogisticRegression

        examples = examples_of(self._training)
        labels, weights = labels_of(examples), weights_of(examples, self._config)
        library = LogisticRegression(
            C=self._config.inverse_penalty, solver="newton-cholesky", max_iter=200
        )
        library.fit(labels.inputs.astype(np.float64), labels.bought, weights)
        self.weight, self.intercept = library.coef_[0], float(library.intercept_[0])

    def probability(self, book: CaseBook) -> Float64:
        """(n_examples,)."""
        log_odds: Float64 = book.labels.inputs.astype(np.float64) @ self.weight + self.intercept
        return np.asarray(expit(log_odds))

    def state(self) -> dict[str, Tensor]:
        """Weights and intercept."""
        intercept = torch.tensor(self.intercept, dtype=torch.float64)
        return {"weight": torch.from_numpy(self.weight.copy()), "intercept": intercept}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over weights."""
        self.weight, self.intercept = state["weight"].numpy(), float(state["intercept"])


_logistic = Build(
    LogisticConfig, Logistic, epochs=1, random=False, reads_order=False, uses_features=True
)

FAMILY = Family(
    name="logistic_regression",
    title="logistic regression",
    title_zh="逻辑回归",
    role="floor",
    tasks={
        PURCHASE: _logistic,
        UPLIFT: uplift(_logistic),
        TEXT: Build(
            TextLogisticConfig,
            TextLogistic,
            epochs=1,
            random=False,
            reads_order=False,
            uses_features=True,
        ),
    },
)
