"""A column of text as a few numbers: TF-IDF and truncated SVD (latent semantic analysis,
Deerwester et al. 1990), fitted on training's texts alone; or sentence embeddings, reduced alike.

Words are runs of letters and digits in lower case, from two characters on. Where the text is
Chinese, runs of Han characters are cut into words by jieba. A word in more than half of the texts
tells nothing, nor does one that occurs once: neither is counted.

scikit-learn and jieba are imported where they work: a sweep's workers get columns that are fitted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from recsweep.config.schema import Text
from recsweep.data.features.embeddings import embed
from recsweep.data.types import Float32, Float64

if TYPE_CHECKING:
    import jieba
    from sklearn.feature_extraction.text import TfidfVectorizer

WORD = re.compile(r"\w+")
HAN = re.compile(r"([㐀-䶿一-鿿豈-﫿]+)")
CHINESE_SHARE = 0.2
"""A column is taken for Chinese if at least so many of its letters are Han characters."""
TERMS = 20_000
SEED = 0


@dataclass(frozen=True, slots=True)
class Tfidf:
    """TF-IDF by the terms of training's texts (Salton & Buckley 1988), rows of length one."""

    terms: tuple[str, ...] = field(repr=False)
    idf: Float64 = field(repr=False)  # (n_terms,)
    chinese: bool

    def __call__(self, texts: Sequence[str]) -> Any:  # noqa: D102
        vectorizer = _vectorizer(self.chinese, vocabulary=self.terms)
        vectorizer.idf_ = self.idf
        return vectorizer.transform(texts)


@dataclass(frozen=True, slots=True)
class Embedding:
    """Sentence embeddings by a local model."""

    model: str

    def __call__(self, texts: Sequence[str]) -> Any:  # noqa: D102
        return embed(self.model, texts)


@dataclass(frozen=True, slots=True)
class TextVectors:
    """A fitted column of text."""

    column: str
    size: int
    vectorize: Tfidf | Embedding | None = None  # None: training has no text to learn from
    components: Float64 | None = field(default=None, repr=False)  # (size, width of the vectors)
    scale: float = 1.0

    @property
    def names(self) -> list[str]:
        """Names of the encoded columns."""
        return [f"{self.column} text {n}" for n in range(1, self.size + 1)]

    def encode(self, cells: pl.Series) -> Float32:
        """(n, size); zeros where there is no text, or none of its words is known."""
        from sklearn.preprocessing import normalize

        found = np.zeros((len(cells), self.size), np.float32)
        at = np.flatnonzero(cells.is_not_null().to_numpy())
        if self.vectorize is None or self.components is None or not len(at):
            return found
        with threadpool_limits(1, "blas"):  # sums in one order, whatever the machine
            reduced = self.vectorize(cells.drop_nulls().to_list()) @ self.components.T
        found[at] = normalize(reduced) * self.scale
        return found


def fit_text(cells: pl.Series, text: Text) -> TextVectors:
    """Fit a column of text (String).

    Raises:
        BadInput: `text.model` can't be used.
    """
    from sklearn.decomposition import TruncatedSVD

    texts = cells.drop_nulls().to_list()
    vectorize: Tfidf | Embedding | None
    if text.method == "embeddings":
        assert text.model is not None  # the schema: embeddings need a model
        vectorize = Embedding(text.model)
    else:
        vectorize = _tfidf(texts, text.language)
    if vectorize is None or not texts:
        return TextVectors(cells.name, 0)
    matrix = vectorize(texts)
    size = min(text.size, min(matrix.shape) - 1)
    if size < 1:
        return TextVectors(cells.name, 0)
    with threadpool_limits(1, "blas"):
        svd = TruncatedSVD(size, random_state=SEED).fit(matrix)
    # A text has length one, so a number of it 1 / sqrt(size) in the mean square: brought to one,
    # as a standardised number has.
    return TextVectors(cells.name, size, vectorize, svd.components_, float(np.sqrt(size)))


def words(text: str, chinese: bool, shortest: int = 2) -> list[str]:
    """The words of a text that have so many characters."""
    runs = WORD.findall(text.lower())
    if chinese:
        runs = [word for run in runs for part in HAN.split(run) for word in _segmented(part)]
    return [word for word in runs if len(word) >= shortest]


def is_chinese(texts: Sequence[str]) -> bool:
    """Whether Han characters are more than a stray few of all letters."""
    letters = han = 0
    for text in texts:
        letters += sum(map(str.isalpha, text))
        han += sum(map(len, HAN.findall(text)))
    return han > 0 and han >= CHINESE_SHARE * letters


def _tfidf(texts: Sequence[str], language: str) -> Tfidf | None:
    chinese = is_chinese(texts) if language == "auto" else language == "zh"
    vectorizer = _vectorizer(chinese, min_df=2, max_df=0.5, max_features=TERMS)
    try:
        vectorizer.fit(texts)
    except ValueError:  # no word is left
        return None
    return Tfidf(tuple(vectorizer.get_feature_names_out()), vectorizer.idf_, chinese)


def _vectorizer(chinese: bool, **settings: Any) -> "TfidfVectorizer":
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        analyzer=lambda text: words(text, chinese), sublinear_tf=True, **settings
    )


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
