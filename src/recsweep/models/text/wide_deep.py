"""Wide & deep (Cheng et al. 2016) over the characters or words of a text.

- Wide: one weight a label for every part and every pair of neighbouring parts that training holds,
  by their TF-IDF.
- Deep: the mean of the parts' vectors, through ReLU layers.
"""

import torch
from pydantic import Field
from scipy.sparse import csr_matrix
from torch import Tensor, nn
from torch.nn.functional import embedding_bag

from recsweep.data.types import Training
from recsweep.models.network import relu_layers
from recsweep.models.text.batches import TextBatch
from recsweep.models.text.network import TextNetwork, TextNetworkConfig
from recsweep.models.text.terms import idf_of, tfidf
from recsweep.models.text.texts import Texts, as_tensor, counts, from_tensor, texts_of

PAIRS = 2


class TextWideDeepConfig(TextNetworkConfig):
    """Hyperparameters of `wide_deep` where it reads texts."""

    hidden_size: int = Field(ge=1)
    depth: int = Field(ge=1)
    wide_learning_rate: float = Field(gt=0)


class WideDeepText(TextNetwork):
    """Both parts; they add up to one logit a label."""

    wide_terms: Tensor
    idf: Tensor
    sized_by_training = (*TextNetwork.sized_by_training, "wide_terms", "idf", "wide")

    def __init__(self, config: TextWideDeepConfig, training: Training) -> None:
        super().__init__(config, training, config.hidden_size)
        sizes = [config.embedding_size, *[config.hidden_size] * config.depth]
        self.deep = nn.Sequential(*relu_layers(sizes, config.dropout))
        texts = texts_of(training)
        found = counts(texts, self.reading(PAIRS))
        terms = found.frequent(config.least_texts)
        self.register_buffer("wide_terms", as_tensor(terms))
        self.register_buffer("idf", torch.from_numpy(idf_of(found.of(terms))))
        self.wide = nn.Parameter(torch.zeros(len(terms), len(texts.classes)))

    def forward(self, batch: TextBatch) -> Tensor:
        """(n_texts, n_classes)."""
        bags = batch.bags
        assert bags is not None
        wide = embedding_bag(
            bags.term, self.wide, bags.start, mode="sum", per_sample_weights=bags.value
        )
        logits: Tensor = super().forward(batch) + wide
        return logits

    def states(self, inputs: Tensor, batch: TextBatch) -> Tensor:
        """(n_texts, hidden_size)."""
        total = (inputs * batch.inside()[..., None]).sum(1)
        deep: Tensor = self.deep(total / batch.length.clamp(min=1)[:, None])
        return deep

    def rows(self, texts: Texts) -> csr_matrix:
        """TF-IDF of the wide part's terms."""
        found = counts(texts, self.reading(PAIRS)).of(from_tensor(self.wide_terms.cpu()))
        return tfidf(found, self.idf.cpu().numpy(), sublinear=True)
