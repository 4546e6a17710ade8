"""Models of a text's terms that scikit-learn fits: logistic regression and naive Bayes.

What is fitted is kept as plain arrays, so that a state is loaded without scikit-learn, which is
imported where it fits.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
import torch
from pydantic import Field
from scipy.sparse import csr_matrix, diags, hstack
from scipy.special import softmax
from threadpoolctl import threadpool_limits
from torch import Tensor

from recsweep.data.types import Float64
from recsweep.models.cases import examples_of, weights_of
from recsweep.models.protocol import Context
from recsweep.models.text.texts import (
    Reading,
    Texts,
    Units,
    as_tensor,
    counts,
    document_counts,
    from_tensor,
    texts_of,
)
from recsweep.models.weights import TrainingWeights


class TermsConfig(TrainingWeights):
    """What a model of terms reads."""

    units: Units
    longest: int = Field(ge=1, le=5)  # runs of up to so many characters or words
    least_texts: int = Field(ge=1)  # in which a term stands


class TextLogisticConfig(TermsConfig):
    """Hyperparameters of `logistic_regression`."""

    inverse_penalty: float = Field(gt=0)  # scikit-learn's C
    sublinear: bool  # count a term as 1 + log of its count


class NaiveBayesConfig(TermsConfig):
    """Hyperparameters of `naive_bayes`."""

    smoothing: float = Field(gt=0)  # scikit-learn's alpha
    once: bool  # count a term once a text


class TextBaseRate:
    """Training's share of each label, for every text."""

    def __init__(self, config: TrainingWeights, context: Context) -> None:
        self._config, self._context = config, context
        self._classes = texts_of(context.training).classes
        self._share = np.full(len(self._classes), 1 / max(1, len(self._classes)))

    def fit_epoch(self) -> None:
        """Count."""
        examples, n = examples_of(self._context.training), len(self._classes)
        weights = weights_of(examples, self._config)
        found = np.bincount(texts_of(self._context.training).answer, weights, minlength=n)
        self._share = found / found.sum()

    def probabilities(self, texts: Texts) -> Float64:
        """(n_texts, n_classes)."""
        return np.tile(self._share, (len(texts), 1))

    def state(self) -> dict[str, Tensor]:
        """The shares."""
        return {"classes": as_tensor(self._classes), "share": torch.from_numpy(self._share.copy())}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over shares."""
        self._classes, self._share = from_tensor(state["classes"]), state["share"].numpy()


class TermModel(ABC):
    """A softmax over a weighted sum of a text's terms."""

    def __init__(self, config: TermsConfig, context: Context) -> None:
        self._context, self._reads, self.terms = context, config, ()
        texts = texts_of(context.training)
        self.classes, self._chinese = texts.classes, texts.chinese
        width = len(texts.columns)
        self._scale: Float64 = np.zeros(0)  # (n_terms,) of each term's value
        self._weight: Float64 = np.zeros((width, len(self.classes)))  # (n_terms + n_inputs, n_classes)
        self._bias: Float64 = np.zeros(len(self.classes))

    terms: tuple[str, ...]

    @property
    def reading(self) -> Reading:
        """How texts are taken apart."""
        return Reading(self._reads.units, self._reads.longest, self._chinese)

    def fit_epoch(self) -> None:
        """Fit to the end."""
        training = self._context.training
        texts, weights = texts_of(training), weights_of(examples_of(training), self._reads)
        found = counts(texts, self.reading)
        self.terms = found.frequent(self._reads.least_texts)
        chosen = found.of(self.terms)
        self._scale = self.scale(chosen)
        with threadpool_limits(1, "blas"):  # sums in one order, whatever the machine
            self._weight, self._bias = self.fit(self._values(chosen, texts), texts.answer, weights)

    def probabilities(self, texts: Texts) -> Float64:
        """(n_texts, n_classes)."""
        values = self._values(counts(texts, self.reading).of(self.terms), texts)
        return np.asarray(softmax(values @ self._weight + self._bias, axis=1))

    @abstractmethod
    def scale(self, found: csr_matrix) -> Float64:
        """(n_terms,) what a term's value is multiplied by."""

    @abstractmethod
    def values(self, found: csr_matrix) -> csr_matrix:
        """(n_texts, n_terms) from counts, each already with its term's scale at hand."""

    @abstractmethod
    def fit(
        self, values: csr_matrix, answer: np.ndarray, weights: Float64 | None
    ) -> tuple[Float64, Float64]:
        """(n_terms + n_inputs, n_classes) weights and (n_classes,) biases."""

    def _values(self, found: csr_matrix, texts: Texts) -> csr_matrix:
        values = self.values(found)
        if not texts.inputs.shape[1] or not self.uses_inputs:
            return values
        return hstack([values, csr_matrix(texts.inputs.astype(np.float64))], format="csr")

    uses_inputs = True

    def state(self) -> dict[str, Tensor]:
        """Terms, their scales, weights and biases."""
        return {
            "classes": as_tensor(self.classes),
            "terms": as_tensor(self.terms),
            "chinese": torch.tensor(self._chinese),
            "scale": torch.from_numpy(self._scale.copy()),
            "weight": torch.from_numpy(self._weight.copy()),
            "bias": torch.from_numpy(self._bias.copy()),
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take them over."""
        self.classes, self.terms = from_tensor(state["classes"]), from_tensor(state["terms"])
        self._chinese = bool(state["chinese"])
        self._scale, self._weight, self._bias = (
            state[name].numpy() for name in ("scale", "weight", "bias")
        )


class TextLogistic(TermModel):
    """Logistic regression on TF-IDF (Salton & Buckley 1988), rows of length one."""

    def __init__(self, config: TextLogisticConfig, context: Context) -> None:
        super().__init__(config, context)
        self._config = config

    def scale(self, found: csr_matrix) -> Float64:
        """The smoothed idf of scikit-learn."""
        n = found.shape[0]
        return np.asarray(np.log((1 + n) / (1 + document_counts(found))) + 1)

    def values(self, found: csr_matrix) -> csr_matrix:
        """TF-IDF."""
        return tfidf(found, self._scale, sublinear=self._config.sublinear)

    def fit(
        self, values: csr_matrix, answer: np.ndarray, weights: Float64 | None
    ) -> tuple[Float64, Float64]:
        """By L-BFGS."""
        from sklearn.linear_model import LogisticRegression

        library = LogisticRegression(C=self._config.inverse_penalty, max_iter=1000)
        library.fit(values, answer, weights)
        weight, bias = library.coef_.T, library.intercept_
        if len(bias) == 1:  # of two labels the library fits the second's log-odds
            weight, bias = np.hstack((0 * weight, weight)), np.append(0.0, bias)
        return np.ascontiguousarray(weight), bias


class NaiveBayes(TermModel):
    """Multinomial naive Bayes (McCallum & Nigam 1998), by counts of terms."""

    uses_inputs = False

    def __init__(self, config: NaiveBayesConfig, context: Context) -> None:
        super().__init__(config, context)
        self._config = config

    def scale(self, found: csr_matrix) -> Float64:
        """Counts as they are."""
        return np.ones(found.shape[1])

    def values(self, found: csr_matrix) -> csr_matrix:
        """Counts, or whether there is any."""
        return found.sign() if self._config.once else found

    def fit(
        self, values: csr_matrix, answer: np.ndarray, weights: Float64 | None
    ) -> tuple[Float64, Float64]:
        """By counting."""
        from sklearn.naive_bayes import MultinomialNB

        library = MultinomialNB(alpha=self._config.smoothing).fit(values, answer, weights)
        weight = np.ascontiguousarray(library.feature_log_prob_.T)
        return weight, np.asarray(library.class_log_prior_)


def tfidf(found: csr_matrix, idf: Float64, *, sublinear: bool) -> csr_matrix:
    """(n_texts, n_terms) float64, rows of length one, or 0 where no term is known."""
    values = found.astype(np.float64)
    if sublinear:
        values.data = 1 + np.log(values.data)
    values = values @ diags(idf, format="csr") if len(idf) else values
    length = np.sqrt(values.multiply(values).sum(axis=1).A1)
    return diags(1 / np.where(length > 0, length, 1), format="csr") @ values
