"""`matrix_factorization`: biases, and the product of a learner's and a course's factors.

The log-odds are b + b_course + w · x + p · q_course (Koren et al. 2009, eq. 4, with what is known
as further biases), under the logistic loss. A learner's factors are the normalised sum of the
history's input factors, p = sum_i x_i / n^a (Kabbur et al. 2013, FISM eq. 2): most learners of a
window are new, and have no factors of their own.
"""

import torch
from pydantic import Field
from torch import Tensor, nn

from recsweep.data.types import Training
from recsweep.models.protocol import Context
from recsweep.models.purchase.cases import Cases
from recsweep.models.purchase.gradient import (
    GradientPurchaser,
    PurchaseConfig,
    PurchaseNet,
    labels_of,
)
from recsweep.models.purchase.protocol import Purchaser


class FactorizationPurchaseConfig(PurchaseConfig):
    """Hyperparameters of `matrix_factorization`."""

    factors: int = Field(ge=1)
    history_exponent: float = Field(ge=0, le=1)
    dropout: float = Field(ge=0, lt=1)


class FactorizationPurchaseNet(PurchaseNet):
    """Biases and factors."""

    def __init__(self, config: FactorizationPurchaseConfig, training: Training) -> None:
        super().__init__()
        n, none = training.n_items + 1, training.n_items
        self.exponent = config.history_exponent
        self.dropout = nn.Dropout(config.dropout)
        self.course_bias = nn.Embedding(n, 1, padding_idx=none)
        self.known_bias = nn.Linear(labels_of(training).inputs.shape[1], 1, bias=False)
        self.of_history = nn.Embedding(n, config.factors, padding_idx=none)
        self.of_course = nn.Embedding(n, config.factors, padding_idx=none)
        nn.init.zeros_(self.course_bias.weight)
        nn.init.zeros_(self.known_bias.weight)
        for table in (self.of_history, self.of_course):
            nn.init.normal_(table.weight, std=0.1)
            with torch.no_grad():
                table.weight[none] = 0

    def forward(self, cases: Cases) -> Tensor:
        """(n_examples,)."""
        product = (self.states(cases) * self.of_course(cases.candidate)).sum(1)
        biases = self.course_bias(cases.candidate) + self.known_bias(cases.inputs)
        logits: Tensor = product + biases.squeeze(1)
        return logits

    def states(self, cases: Cases) -> Tensor:
        """(n_examples, factors) the learner's."""
        factors = self.dropout(self.of_history(cases.items))
        total = sums_after(factors)[cases.row, cases.length]
        learner: Tensor = (
            total / cases.length.clamp(min=1).to(total.dtype).pow(self.exponent)[:, None]
        )
        return learner


def sums_after(vectors: Tensor) -> Tensor:
    """(n_rows, longest + 1, d) running sums of (n_rows, longest, d); 0 after nothing."""
    start = vectors.new_zeros(vectors.shape[0], 1, vectors.shape[2])
    return torch.cat((start, vectors.cumsum(1)), 1)


def build_matrix_factorization(config: FactorizationPurchaseConfig, context: Context) -> Purchaser:
    """An untrained matrix factorisation."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        net = FactorizationPurchaseNet(config, context.training)
    return GradientPurchaser(net, config, context)
