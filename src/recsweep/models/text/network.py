"""Networks that say which label a text bears, trained by gradient. The loss is cross-entropy."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import torch
from pydantic import Field
from scipy.sparse import csr_matrix
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, embedding

from recsweep.data.types import Float64, Training
from recsweep.models.cases import examples_of, weights_of
from recsweep.models.gradient import GradientConfig, GradientModel
from recsweep.models.protocol import Context
from recsweep.models.tables import rows
from recsweep.models.text.batches import TextBatch, TextBook
from recsweep.models.text.texts import (
    Reading,
    Texts,
    Units,
    as_tensor,
    counts,
    from_tensor,
    sequences,
    texts_of,
)


class TextNetworkConfig(GradientConfig):
    """The hyperparameters of every network that reads texts."""

    units: Units
    least_texts: int = Field(ge=1)  # in which a part stands that has a vector of its own
    longest_text: int = Field(ge=1)  # so many characters or words of a text are read
    embedding_size: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)


C = TypeVar("C", bound=TextNetworkConfig)


class TextNetwork(nn.Module, ABC):
    """A vector for each part of a text in, log-odds of labels out. A family brings the middle.

    What it reads and the labels are part of its state, so that it can be asked without the texts
    that it was trained on.
    """

    classes: Tensor
    terms: Tensor
    chinese: Tensor
    vectors: Tensor  # (n_terms + 1, size) of others, which are not trained; (0, 0): there are none
    sized_by_training: tuple[str, ...] = (
        *("classes", "terms", "vectors", "embedding", "output", "bias"),
    )

    def __init__(self, config: TextNetworkConfig, training: Training, width: int) -> None:
        super().__init__()
        self.config, texts = config, texts_of(training)
        self.register_buffer("classes", as_tensor(texts.classes))
        self.register_buffer("chinese", torch.tensor(texts.chinese))
        known = counts(texts, self.reading()).frequent(config.least_texts)
        self.register_buffer("terms", as_tensor(known))
        # The first vector is that of every part that training doesn't know.
        if texts.vectors is None:
            self.register_buffer("vectors", torch.zeros(0, 0))
            self.embedding = nn.Parameter(torch.randn(len(known) + 1, config.embedding_size) * 0.1)
            with torch.no_grad():
                self.embedding[0] = 0
        else:
            of_known = torch.from_numpy(texts.vectors.of(("", *known)))
            self.register_buffer("vectors", of_known)
            size = of_known.shape[1]  # a map of these into the network's own width is trained
            first = torch.randn(size, config.embedding_size) * 0.1 / size**0.5
            self.embedding = nn.Parameter(first)
        self.dropout = nn.Dropout(config.dropout)
        n = len(texts.classes)
        self.output = nn.Parameter(torch.zeros(width + len(texts.columns), n))
        share = (np.bincount(texts.answer, minlength=n) + 0.5) / (len(texts) + 0.5 * n)
        self.bias = nn.Parameter(torch.from_numpy(np.log(share)).float())

    def reading(self, longest: int = 1) -> Reading:
        """How texts are taken apart."""
        return Reading(self.config.units, longest, bool(self.chinese))

    def forward(self, batch: TextBatch) -> Tensor:
        """(n_texts, n_classes) log-odds."""
        inputs = self.dropout(self._embedded(batch.parts))
        states = self.dropout(self.states(inputs, batch)).float()
        logits: Tensor = torch.cat((states, batch.inputs), 1) @ self.output + self.bias
        return logits

    def _embedded(self, parts: Tensor) -> Tensor:
        """(n_texts, longest, embedding_size)."""
        if len(self.vectors):
            return embedding(parts, self.vectors) @ self.embedding
        return rows(self.embedding, parts)

    @abstractmethod
    def states(self, inputs: Tensor, batch: TextBatch) -> Tensor:
        """(n_texts, width) what is made of (n_texts, longest, embedding_size)."""

    def rows(self, texts: Texts) -> csr_matrix | None:
        """(n_texts, n_terms) sparse values that it asks for beside the parts."""
        return None


class GradientText(GradientModel[TextNetwork, TextBatch]):
    """A `TextClassifier` around a `TextNetwork`."""

    def __init__(
        self, network: Callable[[C, Training], TextNetwork], config: C, context: Context
    ) -> None:
        super().__init__(lambda: network(config, context.training), config, context)
        self._config = config
        self._books: WeakKeyDictionary[Texts, TextBook] = WeakKeyDictionary()
        self._weight: Tensor | None = None
        if context.training.examples is not None:
            weights = weights_of(examples_of(context.training), config)
            if weights is not None:
                self._weight = torch.from_numpy(weights).to(context.device, torch.float32)

    @property
    def entries(self) -> int:
        """Texts."""
        return len(texts_of(self.context.training))

    def sparse_tables(self) -> Sequence[nn.Parameter]:
        """The vectors of parts, however few: most stand in few texts. Moved and decayed at every
        step, as Adam's momentum has it, those of rare parts overfit sooner (and steps cost more).
        """
        network = self.network
        return () if len(network.vectors) else (network.embedding,)

    def fused(self) -> bool:
        """Yes."""
        return True

    def training_batches(self, seed: int) -> Iterator[TextBatch]:
        """Texts of similar lengths."""
        book = self._book(texts_of(self.context.training))
        return book.epoch(self.batch_size, seed)

    def loss(self, batch: TextBatch) -> tuple[Tensor, int]:
        """Cross-entropy."""
        losses = cross_entropy(self._logits(batch), batch.answer, reduction="none")
        if self._weight is not None:
            losses = losses * self._weight[torch.from_numpy(batch.at)]
        return losses.mean(), len(batch.at)

    @torch.inference_mode()
    def probabilities(self, texts: Texts) -> Float64:
        """(n_texts, n_classes)."""
        self.network.eval()
        out = np.empty((len(texts), len(from_tensor(self.network.classes))))
        for batch in self._book(texts).blocks():
            out[batch.at] = torch.softmax(self._logits(batch).double(), 1).cpu().numpy()
        return out

    def _logits(self, batch: TextBatch) -> Tensor:
        with self.context.autocast():
            logits: Tensor = self.network(batch).float()
        return logits

    def _book(self, texts: Texts) -> TextBook:
        if texts not in self._books:
            network, config = self.network, self._config
            self._books[texts] = TextBook(
                texts,
                sequences(texts, network.reading()),
                from_tensor(network.terms.cpu()),
                config.longest_text,
                network.rows(texts),
                self.context.device,
            )
        return self._books[texts]


def text_classifier(
    network: Callable[[C, Training], TextNetwork],
) -> Callable[[C, Context], GradientText]:
    """What builds a family's models from its network."""
    return lambda config, context: GradientText(network, config, context)
