"""`matrix_factorization`: implicit ALS, or factors trained under the networks' losses.

Trained by gradient, a learner's factors are the normalised sum of the history's input factors,
`p = sum_i w_i x_i / (sum_i w_i)^a` (Paterek 2007, NSVD1; Kabbur et al. 2013, FISM eq. 2, where
every w is 1), in training and in scoring alike, so that they are as fresh as a network's state:
most learners of a window are new, and have no factors of their own. How the weights w fall with
age: `fading.py`. For ALS see `als.py`.

Asked for a probability, the log-odds are b + b_course + v · x + p · q_course (Koren et al. 2009,
eq. 4, with what is known as further biases).
"""

from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from recsweep.config.schema import NEXT_ITEM, PURCHASE, Loss
from recsweep.data.batches import BatchUnit
from recsweep.data.types import Training
from recsweep.models.als import AlternatingLeastSquares
from recsweep.models.cases import Cases, examples_of, labels_of
from recsweep.models.classifier import LogOdds, after, classifier
from recsweep.models.fading import FadingConfig, faded_means
from recsweep.models.family import Build, Family
from recsweep.models.gradient import GradientConfig
from recsweep.models.network import Encoder, Rows
from recsweep.models.protocol import Context, Histories, Recommender
from recsweep.models.ranker import GradientRanker, RankingConfig
from recsweep.models.schedule import ScheduledConfig


class FactorConfig(GradientConfig, FadingConfig):
    """The hyperparameters of factors that are trained by gradient."""

    factors: int = Field(ge=1)
    history_exponent: float = Field(ge=0, le=1)
    dropout: float = Field(ge=0, lt=1)


class RankingFactorConfig(FactorConfig, RankingConfig):
    """Those of factors that rank."""


class FactorizationConfig(FadingConfig, ScheduledConfig):
    """Hyperparameters where courses are ranked; which are needed depends on the loss."""

    loss: Literal["als"] | Loss
    factors: int = Field(ge=1)
    regularization: float | None = Field(None, ge=0)  # als
    alpha: float | None = Field(None, gt=0)  # als: confidence of an observed event
    learning_rate: float | None = Field(None, gt=0)
    weight_decay: float | None = Field(None, ge=0)
    batch_size: int | None = Field(None, ge=1)
    batch_unit: BatchUnit = "windows"
    window: int | None = Field(None, ge=1)
    negatives: int = Field(1, ge=1)
    calibration: float | None = Field(None, ge=0, le=1)  # gbce
    score_penalty: float | None = Field(None, ge=0)  # bpr_max
    history_exponent: float | None = Field(None, ge=0, le=1)
    dropout: float | None = Field(None, ge=0, lt=1)
    embedding_dropout: float = Field(0.0, ge=0, lt=1)
    weight_ema_epochs: float = Field(0.0, ge=0)

    @model_validator(mode="after")
    def _has_what_its_loss_needs(self) -> Self:
        fields = RankingFactorConfig.model_fields
        gradient = [name for name, field in fields.items() if field.is_required()]
        needed = ("regularization", "alpha") if self.loss == "als" else gradient
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError(f"loss {self.loss} needs {', '.join(missing)}")
        return self


class HistoryFactors(Encoder):
    """The normalised running sum of the history's input factors, the older ones faded."""

    projects = False  # the factors are the state: no layer in between

    def __init__(self, config: RankingFactorConfig, training: Training) -> None:
        super().__init__()
        self.width = self.dim = config.factors
        self.exponent, self.fading = config.history_exponent, config
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        """(n_rows, longest, width)."""
        return faded_means(self.dropout(inputs), rows, self.fading, self.exponent)


class FactorLogOdds(LogOdds):
    """Biases and factors."""

    def __init__(self, config: FactorConfig, training: Training) -> None:
        super().__init__()
        n, none = training.n_items + 1, training.n_items
        n_inputs = labels_of(examples_of(training)).inputs.shape[1]
        self.exponent, self.fading = config.history_exponent, config
        self.dropout = nn.Dropout(config.dropout)
        self.course_bias = nn.Embedding(n, 1, padding_idx=none)
        self.known_bias = nn.Linear(n_inputs, 1, bias=False)
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
        product = (self.states(cases.histories) * self.of_course(cases.candidate)).sum(1)
        biases = self.course_bias(cases.candidate) + self.known_bias(cases.inputs)
        logits: Tensor = product + biases.squeeze(1)
        return logits

    def states(self, histories: Histories) -> Tensor:
        """(n_queries, factors) the learner's."""
        factors = self.dropout(self.of_history(histories.items))
        return after(faded_means(factors, histories, self.fading, self.exponent), histories)


def _ranks(config: FactorizationConfig, context: Context) -> Recommender:
    if config.loss == "als":
        assert config.regularization is not None
        assert config.alpha is not None
        return AlternatingLeastSquares(
            config.factors, config.regularization, config.alpha, config, config, context
        )
    chosen = RankingFactorConfig.model_validate(
        config.model_dump(include=set(RankingFactorConfig.model_fields), exclude_none=True)
    )
    return GradientRanker(HistoryFactors, chosen, context)


FAMILY = Family(
    name="matrix_factorization",
    title="matrix factorisation",
    title_zh="矩阵分解",
    role="baseline",
    tasks={
        NEXT_ITEM: Build(
            FactorizationConfig,
            _ranks,
            reads_order=lambda config: config.fades,
            uses_features=True,
            portrays=True,
        ),
        PURCHASE: Build(
            FactorConfig,
            classifier(FactorLogOdds),
            reads_order=lambda config: config.fades,
            uses_features=True,
            needs_history=True,
            portrays=True,
        ),
    },
)
