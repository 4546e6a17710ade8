"""Models of a text's terms that scikit-learn fits: logistic regression and naive Bayes.

What is fitted is kept as plain arrays, so that a state holds no pickle. scikit-learn is
imported where it fits.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
import torch
from pydantic import Field
from scipy.sparse import csr_matrix, hstack
from scipy.special import softmax
from threadpoolctl import threadpool_limits
from torch import Tensor

from recsweep.data.types import Float64
from recsweep.models.cases import examples_of, weights_of
from recsweep.models.protocol import Context
from recsweep.models.text.terms import idf_of, tfidf
from recsweep.models.text.texts import (
    Reading,
    TermUnits,
    Texts,
    as_tensor,
    counts,
    from_tensor,
    texts_of,
)
from recsweep.models.weights import TrainingWeights

Fitted = tuple[Float64, Float64]


class TermsConfig(TrainingWeights):
    """What a model of terms reads."""

    units: TermUnits
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
        texts = texts_of(context.training)
        self._reads, self._training = config, context.training
        self.classes, self._chinese = texts.classes, texts.chinese
        self.terms: tuple[str, ...] = ()
        self._weight = np.zeros((len(texts.columns), len(self.classes)))  # terms, then inputs
        self._bias = np.zeros(len(self.classes))

    @property
    def reading(self) -> Reading:
        """How texts are taken apart."""
        return Reading(self._reads.units, self._reads.longest, self._chinese)

    def fit_epoch(self) -> None:
        """Fit to the end."""
        texts = texts_of(self._training)
        weights = weights_of(examples_of(self._training), self._reads)
        self.terms = counts(texts, self.reading).frequent(self._reads.least_texts)
        with threadpool_limits(1, "blas"):  # sums in one order, whatever the machine
            self._weight, self._bias = self.fit(texts, weights)

    def probabilities(self, texts: Texts) -> Float64:
        """(n_texts, n_classes)."""
        return np.asarray(softmax(self.values(texts) @ self._weight + self._bias, axis=1))

    @abstractmethod
    def values(self, texts: Texts) -> csr_matrix:
        """(n_texts, n_values) of the terms, and of what else is used."""

    @abstractmethod
    def fit(self, texts: Texts, weights: Float64 | None) -> Fitted:
        """(n_values, n_classes) weights and (n_classes,) biases; the terms are known."""

    def counted(self, texts: Texts) -> csr_matrix:
        """(n_texts, n_terms)."""
        return counts(texts, self.reading).of(self.terms)

    def state(self) -> dict[str, Tensor]:
        """Labels, terms, weights and biases."""
        return {
            "classes": as_tensor(self.classes),
            "terms": as_tensor(self.terms),
            "chinese": torch.tensor(self._chinese),
            "weight": torch.from_numpy(self._weight.copy()),
            "bias": torch.from_numpy(self._bias.copy()),
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take them over."""
        self.classes, self.terms = from_tensor(state["classes"]), from_tensor(state["terms"])
        self._chinese = bool(state["chinese"])
        self._weight, self._bias = state["weight"].numpy(), state["bias"].numpy()


class TextLogistic(TermModel):
    """Logistic regression on TF-IDF and declared columns."""

    def __init__(self, config: TextLogisticConfig, context: Context) -> None:
        super().__init__(config, context)
        self._config, self._idf = config, np.zeros(0)

    def values(self, texts: Texts) -> csr_matrix:
        """TF-IDF, then the declared columns."""
        values = tfidf(self.counted(texts), self._idf, sublinear=self._config.sublinear)
        return hstack([values, csr_matrix(texts.inputs.astype(np.float64))], format="csr")

    def fit(self, texts: Texts, weights: Float64 | None) -> Fitted:
        """By L-BFGS."""
        from sklearn.linear_model import LogisticRegression

        self._idf = idf_of(self.counted(texts))
        library = LogisticRegression(C=self._config.inverse_penalty, max_iter=1000)
        library.fit(self.values(texts), texts.answer, weights)
        weight, bias = library.coef_.T, library.intercept_
        if len(bias) == 1:  # of two labels the library fits the second's log-odds
            weight, bias = np.hstack((0 * weight, weight)), np.append(0.0, bias)
        return np.ascontiguousarray(weight), bias

    def state(self) -> dict[str, Tensor]:
        """With how rare terms are."""
        return {**super().state(), "idf": torch.from_numpy(self._idf.copy())}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take all over."""
        super().load_state(state)
        self._idf = state["idf"].numpy()


class NaiveBayes(TermModel):
    """Multinomial naive Bayes (McCallum & Nigam 1998), by counts of terms."""

    def __init__(self, config: NaiveBayesConfig, context: Context) -> None:
        super().__init__(config, context)
        self._config = config

    def values(self, texts: Texts) -> csr_matrix:
        """Counts, or whether there is any."""
        found = self.counted(texts)
        return found.sign() if self._config.once else found

    def fit(self, texts: Texts, weights: Float64 | None) -> Fitted:
        """By counting."""
        from sklearn.naive_bayes import MultinomialNB

        library = MultinomialNB(alpha=self._config.smoothing)
        library.fit(self.values(texts), texts.answer, weights)
        weight = np.ascontiguousarray(library.feature_log_prob_.T)
        return weight, np.asarray(library.class_log_prior_)
