"""`neumf` (He et al. 2017): a factorisation and a deep network of learner and course, side by side.

The logit of learner u and course i is, by eq. 12 with the tower of eq. 10,

    h · [p ⊙ q ; a_L(W_L(… a_1(W_1 [p' ; q'] + b_1) …) + b_L)]

with ReLU for a, each layer half as wide as the one before. A learner's vectors p and p' are the
means of the history's input vectors, the older ones faded (`fading.py`), in training and in scoring
alike, so that learners who came after training are served; q and q' are the course's. Ranked, a
course has a bias as in every family, and the losses are theirs; asked for a probability, the tower
reads what is known beside the two vectors.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from recsweep.config.schema import NEXT_ITEM, PURCHASE
from recsweep.data.batches import Batch
from recsweep.data.types import Training
from recsweep.models.cases import Cases, examples_of, labels_of
from recsweep.models.classifier import LogOdds, after, classifier
from recsweep.models.fading import FadingConfig, faded_means
from recsweep.models.family import Build, Family
from recsweep.models.gradient import GradientConfig
from recsweep.models.network import Encoder, Rows
from recsweep.models.protocol import Context, Histories
from recsweep.models.ranker import GradientRanker, RankingConfig

CHUNK_VALUES = 1 << 22
"""A tower's first layer is laid out for so many values at once: 16 MiB in float32."""


class NeuMfConfig(GradientConfig, FadingConfig):
    """Hyperparameters of `neumf`."""

    factors: int = Field(ge=1)  # of the factorisation
    hidden_size: int = Field(ge=1)  # of the tower's vectors and of its first layer
    depth: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)


class RankingNeuMfConfig(NeuMfConfig, RankingConfig):
    """Those of one that ranks."""


class Fusion(nn.Module):
    """Logits of pairs of vectors, each (…, factors + hidden_size): p and p', q and q'."""

    def __init__(self, config: NeuMfConfig, n_inputs: int = 0) -> None:
        super().__init__()
        width, self.factors = config.hidden_size, config.factors
        sizes = [max(1, width >> n) for n in range(config.depth)]
        # The first layer's product with [p' ; q'] is the sum of the products with each.
        self.of_learner = nn.Linear(width + n_inputs, width)
        self.of_course = nn.Linear(width, width, bias=False)
        self.deeper = nn.ModuleList(nn.Linear(*each) for each in pairwise(sizes))
        # At first a plain factorisation.
        self.of_products = nn.Parameter(torch.ones(config.factors))
        self.of_tower = nn.Linear(sizes[-1], 1, bias=False)
        nn.init.zeros_(self.of_tower.weight)

    def pairs(self, learner: Tensor, course: Tensor, inputs: Tensor | None = None) -> Tensor:
        """(n,) of (n, d) learners and (n, d) courses; inputs (n, n_inputs)."""
        p, q = learner[:, : self.factors], course[:, : self.factors]
        return (p * q) @ self.of_products + self._tower(*self._first(learner, course, inputs))

    def grid(self, learners: Tensor, courses: Tensor) -> Tensor:
        """(n, m) of (n, d) learners and (m, d) courses."""
        p, q = learners[:, : self.factors], courses[:, : self.factors]
        of_learner, of_course = self._first(learners, courses, None)
        return (p * self.of_products) @ q.T + self._tower(of_learner[:, None], of_course)

    def _first(
        self, learner: Tensor, course: Tensor, inputs: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        known = learner[:, self.factors :]
        if inputs is not None:
            known = torch.cat((known, inputs), 1)
        return self.of_learner(known), self.of_course(course[:, self.factors :])

    def _tower(self, of_learner: Tensor, of_course: Tensor) -> Tensor:
        hidden = (of_learner + of_course).relu_()
        for layer in self.deeper:
            hidden = layer(hidden).relu_()
        logits: Tensor = self.of_tower(hidden).squeeze(-1)
        return logits


class HistoryMeans(Encoder):
    """The faded means of the history's input vectors, and what makes logits of them."""

    projects = False

    def __init__(self, config: RankingNeuMfConfig, training: Training) -> None:
        super().__init__()
        self.width = self.dim = config.factors + config.hidden_size
        self.fading, self.dropout = config, nn.Dropout(config.dropout)
        self.fusion = Fusion(config)

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        """(n_rows, longest, width)."""
        return faded_means(self.dropout(inputs), rows, self.fading)


class NeuMf(GradientRanker):
    """A ranker whose scores are more than products of two vectors.

    What a chunk of states takes is forgotten after its forward pass and worked out again in the
    backward pass, so that memory doesn't grow with states × courses × width.
    """

    def __init__(self, config: RankingNeuMfConfig, context: Context) -> None:
        super().__init__(HistoryMeans, config, context)
        self._width = config.hidden_size

    @property
    def _fusion(self) -> Fusion:
        encoder = self.network.encoder
        assert isinstance(encoder, HistoryMeans)
        return encoder.fusion

    @torch.inference_mode()
    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items) logits."""
        self.network.eval()
        courses, biases = self.network.catalogue(), self.network.biases()
        states, size = self.states(histories), self._chunk(courses)
        # Into one table: results between what chunks take and let go of would scatter memory.
        scores = states.new_empty(len(states), len(courses))
        for chunk, rows in zip(torch.split(states, size), torch.split(scores, size), strict=True):
            torch.add(self._fusion.grid(chunk, courses), biases, out=rows)
        return scores

    def _loss(self, batch: Batch) -> Tensor:
        network, config = self.network, self.config
        with self.context.autocast():
            grid = network.states(batch)
        states = grid.flatten(0, 1).index_select(0, batch.state).float()
        at_target = states.index_select(0, batch.target_state)
        weight = None if self._weight is None else self._weight[batch.target_event]
        if config.loss == "cross_entropy":
            courses = network.catalogue()
            positive = self._fusion.pairs(at_target, courses[batch.target])
            positive = positive + network.bias[batch.target]
            mass = self._in_chunks(self._log_mass, states, courses, network.bias)
            of_targets = mass.index_select(0, batch.target_state) - positive
            return (of_targets if weight is None else of_targets * weight).mean()
        drawn = self._draw(batch)
        of_target, of_drawn = network.vectors(batch.target, drawn)
        positive = self._fusion.pairs(at_target, of_target) + network.bias[batch.target]
        negative = self._in_chunks(self.logits, states, of_drawn, network.bias[drawn])
        negative = negative.index_select(0, batch.target_state)
        return self._sampled(batch.target, drawn, positive, negative, weight)

    def logits(self, states: Tensor, courses: Tensor, biases: Tensor) -> Tensor:
        """(n, m) by the factorisation and the tower."""
        return self._fusion.grid(states, courses) + biases

    def _log_mass(self, states: Tensor, courses: Tensor, bias: Tensor) -> Tensor:
        return self.logits(states, courses, bias).logsumexp(1)

    def _chunk(self, courses: Tensor) -> int:
        return max(1, CHUNK_VALUES // (len(courses) * self._width))

    def _in_chunks(
        self,
        of: Callable[[Tensor, Tensor, Tensor], Tensor],
        states: Tensor,
        courses: Tensor,
        bias: Tensor,
    ) -> Tensor:
        chunks = torch.split(states, self._chunk(courses))
        if len(chunks) == 1:
            return of(states, courses, bias)
        # Nothing in there is random: there is no generator's state to keep.
        return torch.cat(
            [
                checkpoint(of, each, courses, bias, use_reentrant=False, preserve_rng_state=False)
                for each in chunks
            ]
        )


class NeuMfLogOdds(LogOdds):
    """The same of an example's history and its course."""

    def __init__(self, config: NeuMfConfig, training: Training) -> None:
        super().__init__()
        n, none = training.n_items + 1, training.n_items
        n_inputs = labels_of(examples_of(training)).inputs.shape[1]
        width = config.factors + config.hidden_size
        self.fading, self.dropout = config, nn.Dropout(config.dropout)
        self.of_history = nn.Embedding(n, width, padding_idx=none)
        self.of_course = nn.Embedding(n, width, padding_idx=none)
        self.fusion = Fusion(config, n_inputs)
        for table in (self.of_history, self.of_course):
            nn.init.normal_(table.weight, std=0.1)
            with torch.no_grad():
                table.weight[none] = 0  # a course that training doesn't know has no vector

    def forward(self, cases: Cases) -> Tensor:
        """(n_examples,)."""
        states, course = self.states(cases.histories), self.of_course(cases.candidate)
        return self.fusion.pairs(states, course, cases.inputs)

    def states(self, histories: Histories) -> Tensor:
        """(n_queries, factors + hidden_size) the learner's vectors."""
        vectors = self.dropout(self.of_history(histories.items))
        return after(faded_means(vectors, histories, self.fading), histories)


FAMILY = Family(
    name="neumf",
    title="neural matrix factorisation",
    title_zh="神经矩阵分解",
    role="baseline",
    tasks={
        NEXT_ITEM: Build(
            RankingNeuMfConfig,
            NeuMf,
            reads_order=lambda config: config.fades,
            uses_features=True,
            portrays=True,
        ),
        PURCHASE: Build(
            NeuMfConfig,
            classifier(NeuMfLogOdds),
            reads_order=lambda config: config.fades,
            uses_features=True,
            needs_history=True,
            portrays=True,
        ),
    },
)
