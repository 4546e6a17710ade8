"""Labelled texts, and a text as terms: characters or words, one by one or as runs of several."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache, wraps
from typing import Literal, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor

from recsweep.data.features.text import words
from recsweep.data.types import Float32, Float64, Int64, Targets, Training
from recsweep.models.protocol import Model

Units = Literal["characters", "words"]
TermUnits = Literal["characters", "words", "both"]

R = TypeVar("R")

UNITS: tuple[Units, Units] = ("characters", "words")
KEPT = 20
"""Counts of so many sets of texts are kept for the next trial: those of a few choices of terms, on
all folds."""


@dataclass(frozen=True)
class WordVectors:
    """What words or characters mean, as others have learned it."""

    words: tuple[str, ...]  # (n,)
    values: Float32  # (n, size)

    def of(self, terms: tuple[str, ...]) -> Float32:
        """(len(terms), size), with a mean square of 1 over all that are known; 0 of the others."""
        place = {word: n for n, word in enumerate(self.words)}
        at = np.array([place.get(term, -1) for term in terms], np.int64)
        found = np.zeros((len(terms), self.values.shape[1]), np.float32)
        found[at >= 0] = self.values[at[at >= 0]]
        size = float(np.sqrt(np.square(found[at >= 0]).mean())) if (at >= 0).any() else 0.0
        return found / np.float32(size) if size else found


@dataclass(frozen=True, eq=False)  # one set of texts is itself alone: what is counted of it is kept
class Texts:
    """Texts and their labels, one row each."""

    text: NDArray[np.object_]  # (n,) str
    answer: Int64  # (n,) index into classes
    classes: tuple[str, ...]  # the labels that training knows, in order
    chinese: bool  # are runs of Han characters cut into words?
    inputs: Float32  # (n, n_inputs) declared columns
    columns: tuple[str, ...] = ()  # (n_inputs,)
    copies: Int64 = field(default_factory=lambda: np.zeros(0, np.int64))  # that were taken out
    learned: "Texts | None" = None  # those of training that had copies, where that is asked
    vectors: WordVectors | None = None  # of training, where the study has some

    def __len__(self) -> int:
        return len(self.text)

    def at(self, positions: Int64) -> "Texts":
        """Some of the rows."""
        return replace(
            self,
            text=self.text[positions],
            answer=self.answer[positions],
            inputs=self.inputs[positions],
            copies=self.copies[positions] if len(self.copies) else self.copies,
        )


class TextClassifier(Model, Protocol):
    """A model that says which label a text bears, by a probability of each."""

    def probabilities(self, texts: Texts) -> Float64:
        """(n_texts, n_classes), each row with the sum 1."""
        ...


def unlabelled(
    text: NDArray[np.object_], classes: tuple[str, ...], inputs: Float32 | None = None
) -> Texts:
    """Texts that a model is asked about outside of a study; it knows how to read them."""
    n = len(text)
    inputs = np.zeros((n, 0), np.float32) if inputs is None else inputs
    return Texts(text, np.zeros(n, np.int64), classes, chinese=False, inputs=inputs)


def labelled(targets: Targets) -> Texts:
    """The texts of a task's targets that are texts."""
    assert isinstance(targets.labels, Texts)
    return targets.labels


def texts_of(training: Training) -> Texts:
    """Those of training; where there are none, as in a bundle, the columns are all that is told."""
    examples = training.examples
    labels = None if examples is None else examples.labels
    if isinstance(labels, Texts):
        return labels
    columns = () if labels is None else labels.columns
    inputs = np.zeros((0, len(columns)), np.float32)
    return replace(unlabelled(np.zeros(0, object), (), inputs), columns=columns)


@dataclass(frozen=True)
class Reading:
    """How a text is taken apart."""

    units: TermUnits
    longest: int  # runs of up to so many units are terms as well
    chinese: bool

    def parts(self, text: str) -> list[str]:
        """The characters or words of a text, in order."""
        if self.units == "characters":
            return [sign for sign in text.lower() if not sign.isspace()]
        return _words(text, self.chinese)

    def terms(self, text: str) -> list[str]:
        """Parts, and runs of them; the words of a run are joined by a space. Of both, words begin
        with one, which no character is.
        """
        if self.units == "both":
            characters, words_ = (replace(self, units=u).terms(text) for u in UNITS)
            return characters + [f" {word}" for word in words_]
        parts, joint = self.parts(text), " " * (self.units == "words")
        runs = [parts]
        for n in range(2, self.longest + 1):
            runs.append([joint.join(parts[at : at + n]) for at in range(len(parts) - n + 1)])
        return [term for run in runs for term in run]


@lru_cache(maxsize=1 << 17)
def _words(text: str, chinese: bool) -> list[str]:
    return words(text, chinese, shortest=1)


@dataclass(frozen=True)
class Counts:
    """How often each term stands in each text."""

    matrix: csr_matrix  # (n_texts, n_terms) float32
    terms: tuple[str, ...]  # (n_terms,) ascending

    def of(self, terms: tuple[str, ...]) -> csr_matrix:
        """(n_texts, len(terms)) the counts of these terms, 0 of those that no text holds."""
        wanted = {term: place for place, term in enumerate(terms)}
        place = np.array([wanted.get(term, -1) for term in self.terms], np.int64)
        chosen = self.matrix[:, np.flatnonzero(place >= 0)]
        indices = place[place >= 0][chosen.indices]
        shape = (chosen.shape[0], len(terms))
        found = csr_matrix((chosen.data, indices, chosen.indptr), shape)
        found.sort_indices()
        return found

    def frequent(self, least: int) -> tuple[str, ...]:
        """The terms that stand in `least` texts or more."""
        often = self.matrix.getnnz(axis=0) >= least
        return tuple(self.terms[place] for place in np.flatnonzero(often))


def _kept(make: Callable[[Texts, Reading], R]) -> Callable[[Texts, Reading], R]:
    """For the next trial, but for a text that is asked about alone, which would take the place of
    what is asked about again.
    """
    kept = lru_cache(maxsize=KEPT)(make)

    @wraps(make)
    def found(texts: Texts, reading: Reading) -> R:
        return make(texts, reading) if len(texts) == 1 else kept(texts, reading)

    return found


@_kept
def counts(texts: Texts, reading: Reading) -> Counts:
    """Of some texts, by the terms that stand in them."""
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(analyzer=reading.terms, dtype=np.float32)
    try:
        matrix = vectorizer.fit_transform(texts.text)
    except ValueError:  # there is no term
        return Counts(csr_matrix((len(texts), 0), dtype=np.float32), ())
    return Counts(matrix, tuple(vectorizer.get_feature_names_out()))


@dataclass(frozen=True)
class Sequences:
    """Texts laid end to end: text n is `part[start[n] : start[n + 1]]`."""

    part: Int64  # (n_parts,) index into terms
    start: Int64  # (n_texts + 1,)
    terms: tuple[str, ...]

    def of(self, terms: tuple[str, ...]) -> Int64:
        """(n_parts,) the place of each among these terms, from 1 on; 0 of one that is not there."""
        wanted = {term: place for place, term in enumerate(terms, start=1)}
        place = np.array([wanted.get(term, 0) for term in self.terms], np.int64)
        return place[self.part] if len(place) else np.zeros(0, np.int64)


@_kept
def sequences(texts: Texts, reading: Reading) -> Sequences:
    """The characters or words of some texts, in order."""
    number: dict[str, int] = {}
    parts: list[int] = []
    start = [0]
    for text in texts.text:
        parts += [number.setdefault(part, len(number)) for part in reading.parts(text)]
        start.append(len(parts))
    return Sequences(np.array(parts, np.int64), np.array(start, np.int64), tuple(number))


def as_tensor(strings: tuple[str, ...]) -> Tensor:
    """(n_bytes,) uint8: strings without line ends, as a state can hold them."""
    return torch.frombuffer(bytearray("\n".join(strings).encode() or b"\n"), dtype=torch.uint8)


def from_tensor(held: Tensor) -> tuple[str, ...]:
    """The inverse."""
    text = held.numpy().tobytes().decode()
    return () if text == "\n" else tuple(text.split("\n"))
