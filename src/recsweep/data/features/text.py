"""A column of text as a few numbers: TF-IDF and truncated SVD (latent semantic analysis,
Deerwester et al. 1990), fitted on training's texts alone; or sentence embeddings, reduced alike.

Words are runs of letters and digits in lower case, from two characters on. Where the text is
Chinese, runs of Han characters are cut into words by jieba. A word in more than half of the texts
tells nothing, nor does one that occurs once: neither is counted.

scikit-learn and jieba are imported where they work: a sweep's workers get columns that are fitted.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from recsweep.config.schema import Text
from recsweep.data.features.embeddings import embed
from recsweep.data.types import Float32

if TYPE_CHECKING:
    import jieba
    from sklearn.decomposition import TruncatedSVD

WORD = re.compile(r"\w+")
HAN = re.compile(r"([㐀-䶿一-鿿豈-﫿]+)")
CHINESE_SHARE = 0.2
"""A column is taken for Chinese if at least so many of its letters are Han characters."""
TERMS = 20_000
SEED = 0

Vectorize = Callable[[Sequence[str]], Any]
"""Texts to a matrix, dense or sparse, with a row for each."""


@dataclass(frozen=True, slots=True)
class TextVectors:
    """A fitted column of text."""

    column: str
    size: int
    vectorize: Vectorize | None = field(repr=False)  # None: training has no text to learn from
    svd: "TruncatedSVD | None" = field(repr=False)
    scale: float

    @property
    def names(self) -> list[str]:
        """Names of the encoded columns."""
        return [f"{self.column} text {n}" for n in range(1, self.size + 1)]

    def encode(self, cells: pl.Series) -> Float32:
        """(n, size); zeros where there is no text, or none of its words is known."""
        from sklearn.preprocessing import normalize

        found = np.zeros((len(cells), self.size), np.float32)
        at = np.flatnonzero(cells.is_not_null().to_numpy())
        if self.vectorize is None or self.svd is None or not len(at):
            return found
        with threadpool_limits(1, "blas"):  # sums in one order, whatever the machine
            reduced = self.svd.transform(self.vectorize(cells.drop_nulls().to_list()))
        found[at] = normalize(reduced) * self.scale
        return found


def fit_text(cells: pl.Series, text: Text) -> TextVectors:
    """Fit a column of text (String).

    Raises:
        BadInput: `text.model` can't be used.
    """
    from sklearn.decomposition import TruncatedSVD

    texts = cells.drop_nulls().to_list()
    vectorize = _embedding(text) if text.method == "embeddings" else _tfidf(texts, text.language)
    if vectorize is None or not texts:
        return TextVectors(cells.name, 0, None, None, 1.0)
    matrix = vectorize(texts)
    size = min(text.size, min(matrix.shape) - 1)
    if size < 1:
        return TextVectors(cells.name, 0, None, None, 1.0)
    with threadpool_limits(1, "blas"):
        svd = TruncatedSVD(size, random_state=SEED).fit(matrix)
    # A text has length one, so a number of it 1 / sqrt(size) in the mean square: brought to one,
    # as a standardised number has.
    return TextVectors(cells.name, size, vectorize, svd, float(np.sqrt(size)))


def words(text: str, chinese: bool) -> list[str]:
    """The words of a text."""
    runs = WORD.findall(text.lower())
    if chinese:
        runs = [word for run in runs for part in HAN.split(run) for word in _segmented(part)]
    return [word for word in runs if len(word) > 1]


def is_chinese(texts: Sequence[str]) -> bool:
    """Whether Han characters are more than a stray few of all letters."""
    letters = han = 0
    for text in texts:
        letters += sum(map(str.isalpha, text))
        han += sum(map(len, HAN.findall(text)))
    return han > 0 and han >= CHINESE_SHARE * letters


def _tfidf(texts: Sequence[str], language: str) -> Vectorize | None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    chinese = is_chinese(texts) if language == "auto" else language == "zh"
    vectorizer = TfidfVectorizer(
        analyzer=lambda text: words(text, chinese),
        sublinear_tf=True,
        min_df=2,
        max_df=0.5,
        max_features=TERMS,
    )
    try:
        vectorizer.fit(texts)
    except ValueError:  # no word is left
        return None
    transform: Vectorize = vectorizer.transform
    return transform


def _embedding(text: Text) -> Vectorize:
    assert text.model is not None  # the schema: embeddings need a model
    model = text.model
    return lambda texts: embed(model, texts)


def _segmented(part: str) -> list[str]:
    if not HAN.match(part):
        return [part]
    return [word for word in _jieba().cut(part) if word.strip()]


@lru_cache(maxsize=1)
def _jieba() -> "jieba.Tokenizer":
    """Without jieba's cache: that is a marshalled file which anyone on the machine can write."""
    import jieba

    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer
