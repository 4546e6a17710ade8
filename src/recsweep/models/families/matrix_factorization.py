"""`matrix_factorization`: implicit ALS, or item factors trained under the networks' losses.

Trained by gradient, a learner's factors are the normalised sum of the history's input factors,
`p = sum_i w_i x_i / (sum_i w_i)^a` (Paterek 2007, NSVD1; Kabbur et al. 2013, FISM eq. 2, where
every w is 1), in training and in scoring alike, so that they are as fresh as a network's state.
How the weights w fall with age: `fading.py`. For ALS see `als.py`.
"""

from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from recsweep.models.als import AlternatingLeastSquares
from recsweep.models.fading import FadingConfig, faded_means
from recsweep.models.family import Build, Family
from recsweep.models.network import Encoder, Network, Rows
from recsweep.models.neural import GradientConfig, Neural
from recsweep.models.protocol import Context, Recommender
from recsweep.models.purchase import factorization as purchase


class FactorizationConfig(FadingConfig):
    """Hyperparameters of `matrix_factorization`; which are needed depends on the loss."""

    loss: Literal["als", "bpr", "cross_entropy", "sampled_softmax"]
    factors: int = Field(ge=1)
    regularization: float | None = Field(None, ge=0)  # als
    alpha: float | None = Field(None, gt=0)  # als: confidence of an observed event
    learning_rate: float | None = Field(None, gt=0)
    weight_decay: float | None = Field(None, ge=0)
    batch_size: int | None = Field(None, ge=1)
    window: int | None = Field(None, ge=1)
    negatives: int = Field(1, ge=1)
    history_exponent: float | None = Field(None, ge=0, le=1)
    dropout: float | None = Field(None, ge=0, lt=1)

    @model_validator(mode="after")
    def _has_what_its_loss_needs(self) -> Self:
        gradient = (
            "learning_rate",
            "weight_decay",
            "batch_size",
            "window",
            "history_exponent",
            "dropout",
        )
        needed = ("regularization", "alpha") if self.loss == "als" else gradient
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError(f"loss {self.loss} needs {', '.join(missing)}")
        return self


class HistoryFactors(Encoder):
    """The normalised running sum of the history's input factors, the older ones faded."""

    projects = False  # the factors are the state: no layer in between

    def __init__(self, width: int, exponent: float, dropout: float, fading: FadingConfig) -> None:
        super().__init__()
        self.width, self.exponent, self.fading = width, exponent, fading
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        """(n_rows, longest, width)."""
        return faded_means(self.dropout(inputs), rows, self.fading, self.exponent)


def build_matrix_factorization(config: FactorizationConfig, context: Context) -> Recommender:
    """An untrained matrix factorisation under the configured loss."""
    if config.loss == "als":
        assert config.regularization is not None
        assert config.alpha is not None
        return AlternatingLeastSquares(
            config.factors, config.regularization, config.alpha, config, context
        )
    assert config.history_exponent is not None
    assert config.dropout is not None
    training = context.training
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        network = Network(
            HistoryFactors(config.factors, config.history_exponent, config.dropout, config),
            torch.from_numpy(training.item_features),
            training.sequences.features.shape[1],
            config.factors,
            tied=False,
            n_cold=training.n_cold,
            n_event_features=len(training.event_columns),
        )
    shared = config.model_dump(include=set(GradientConfig.model_fields))
    return Neural(network, GradientConfig.model_validate(shared), context)


FAMILY = Family(
    name="matrix_factorization",
    title="matrix factorisation",
    title_zh="矩阵分解",
    role="baseline",
    tasks={
        "next_item": Build(
            FactorizationConfig,
            build_matrix_factorization,
            reads_order=lambda config: config.fades,
            uses_features=True,
            portrays=True,
        ),
        "purchase": Build(
            purchase.FactorizationPurchaseConfig,
            purchase.build_matrix_factorization,
            reads_order=False,
            uses_features=True,
            needs_history=True,
            portrays=True,
        ),
    },
)
