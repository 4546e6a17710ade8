import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest

from recsweep.config.schema import Text
from recsweep.data.features import embeddings, text
from recsweep.data.features.text import TextVectors, Tfidf, fit_text, is_chinese, words
from recsweep.errors import BadInput

COOKING = ["Bake bread with a sourdough", "Bread and sauces", "Sauces for pasta, and bread"]
CODE = ["Python for data", "Data frames in Python", "Testing data with Python"]
TEXTS = [*COOKING, *CODE]


def fit(texts: Sequence[str | None], **settings: object) -> TextVectors:
    cells = pl.Series("title", texts, dtype=pl.String)
    return fit_text(cells, Text.model_validate(settings))


def encode(fitted: TextVectors, *texts: str | None) -> np.ndarray:
    return fitted.encode(pl.Series("title", texts, dtype=pl.String))


def test_texts_about_one_thing_lie_close_and_others_far_apart() -> None:
    fitted = fit(TEXTS, size=3)
    bread, pasta, code = encode(fitted, "bread sauces", "sauces and bread", "data python")
    assert bread @ pasta > 0.8 * np.linalg.norm(bread) * np.linalg.norm(pasta)
    assert abs(bread @ code) < 0.2 * np.linalg.norm(bread) * np.linalg.norm(code)


def test_a_missing_text_and_one_of_unknown_words_are_zeros() -> None:
    found = encode(fit([*TEXTS, None], size=2), None, "quantum", "bread")
    assert not found[:2].any()
    assert found[2].any()


def test_every_known_text_weighs_the_same_and_a_number_of_it_is_one_in_the_mean_square() -> None:
    fitted = fit(TEXTS, size=4)
    assert (encode(fitted, *TEXTS) ** 2).mean(axis=1) == pytest.approx(1)


def test_there_are_never_more_numbers_than_training_can_tell() -> None:
    assert fit(TEXTS, size=32).size < len(TEXTS)
    assert [fit(texts).names for texts in ([], [None], ["one"], ["only", "once"])] == [[]] * 4


def test_the_same_texts_give_the_same_numbers_bit_for_bit() -> None:
    one, two = (encode(fit(TEXTS, size=3), *TEXTS) for _ in range(2))
    assert one.tobytes() == two.tobytes()


def test_chinese_is_cut_into_words_and_latin_words_in_it_stay_whole() -> None:
    assert words("学习Python编程基础", chinese=True) == ["学习", "python", "编程", "基础"]
    assert words("学习Python编程基础", chinese=False) == ["学习python编程基础"]


def test_single_letters_and_punctuation_are_no_words() -> None:
    assert words("A course: C, Go & SQL!", chinese=False) == ["course", "go", "sql"]


def test_the_language_is_told_from_the_letters() -> None:
    assert is_chinese(["用Python做数据分析", "英语口语"])
    assert not is_chinese(["A course on 学 and more of the same", "Another"])
    assert not is_chinese(["1 2 3", ""])


def test_a_declared_language_overrules_the_letters() -> None:
    texts = ["数据分析入门", "数据分析进阶", "英语口语入门", "英语口语进阶"]
    assert fit(texts, size=2).size == 2
    assert fit(texts, size=2, language="other").size == 0  # every title is one word, and once


class _Stub:
    """What sentence-transformers offers: here a text's vector is its counts of four letters."""

    def __init__(self, folder: str, **settings: object) -> None:
        assert settings["local_files_only"] is True
        assert settings["trust_remote_code"] is False
        if not (Path(folder) / "config.json").exists():
            raise OSError(f"no model in {folder}")

    def encode(self, texts: list[str], **settings: object) -> np.ndarray:
        return np.array([[text.count(c) for c in "abde"] for text in texts], np.float32)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("sentence_transformers")
    module.SentenceTransformer = _Stub  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    embeddings._load.cache_clear()


@pytest.mark.usefixtures("library")
def test_embeddings_of_a_local_model_are_reduced_in_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "config.json").touch()
    fitted = fit(TEXTS, method="embeddings", model=str(tmp_path), size=2)
    found = encode(fitted, *TEXTS, None)
    assert found.shape == (7, 2)
    assert (found[:-1] ** 2).mean(axis=1) == pytest.approx(1)
    assert not found[-1].any()


@pytest.mark.usefixtures("library")
def test_a_model_that_isnt_there_is_named_and_nothing_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"is no folder.*downloads none"):
        fit(TEXTS, method="embeddings", model=str(tmp_path / "none"))
    with pytest.raises(BadInput, match="can't be loaded"):
        fit(TEXTS, method="embeddings", model=str(tmp_path))


def test_without_the_library_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    embeddings._load.cache_clear()
    with pytest.raises(BadInput, match=r"pip install 'recsweep\[embeddings\]'"):
        fit(TEXTS, method="embeddings", model=str(tmp_path))


def test_embeddings_need_a_model_and_tfidf_has_none() -> None:
    with pytest.raises(ValueError, match="needs model"):
        Text(method="embeddings")
    with pytest.raises(ValueError, match="tfidf has none"):
        Text(model="somewhere")


def test_vectors_are_those_of_scikit_learn_for_texts_of_training_and_for_new_ones() -> None:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    texts = [*TEXTS, "bread bread bread sauces python", "pasta with a sourdough and data"]
    tfidf = TfidfVectorizer(
        token_pattern=r"(?u)\b\w\w+\b", min_df=2, max_df=0.5, sublinear_tf=True
    )  # lower case, from two characters on
    matrix = tfidf.fit_transform(texts)
    svd = TruncatedSVD(3, random_state=0).fit(matrix)
    new = ["Sourdough PASTA with pasta", "testing frames of data", "for with"]
    fitted = fit(texts, size=3)
    for some in (texts, new):
        want = np.sqrt(3) * normalize(svd.transform(tfidf.transform(some)))
        assert encode(fitted, *some) == pytest.approx(want, abs=1e-6)


def test_a_word_of_one_text_or_of_more_than_half_tells_nothing() -> None:
    texts = ["aa xx", "aa xx", "aa yy zz", "aa yy"]
    fitted = fit(texts, size=9)
    assert isinstance(fitted.vectorize, Tfidf)
    assert fitted.vectorize.terms == ("xx", "yy")
    assert fitted.names == ["title text 1"]


def test_the_most_frequent_terms_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert text.TERMS == 20_000  # as docs/data.md says
    monkeypatch.setattr(text, "TERMS", 2)
    fitted = fit(["aa bb", "aa cc cc", "bb cc", "dd dd", "dd ee", "ee"], size=9)
    assert isinstance(fitted.vectorize, Tfidf)
    assert fitted.vectorize.terms == ("cc", "dd")


def test_numbers_are_one_fewer_than_texts_or_terms_and_one_is_enough() -> None:
    three_terms = ["aa bb", "bb cc", "cc aa", "aa", "bb", "cc"]
    assert [fit(three_terms, size=n).size for n in (1, 2, 3, 9)] == [1, 2, 2, 2]
    two_terms = ["aa", "bb", "aa", "bb"]
    assert fit(two_terms, size=9).size == 1
    assert fit(["aa", "aa", "cc", "dd"], size=9).size == 0


def test_a_column_without_a_text_to_encode_is_zeros() -> None:
    fitted = fit(TEXTS, size=2)
    for cells in ([], [None, None]):
        assert encode(fitted, *cells).tolist() == [[0, 0]] * len(cells)
    assert encode(fit([]), "bread").shape == (1, 0)


@pytest.mark.usefixtures("library")
def test_without_a_text_a_model_is_not_asked() -> None:
    assert fit([None], method="embeddings", model="nowhere").size == 0


def test_words_have_as_many_letters_as_are_asked_for() -> None:
    assert words("a be sea", chinese=False, shortest=3) == ["sea"]
    assert words("a be sea", chinese=False, shortest=1) == ["a", "be", "sea"]
    assert words("学习 C 编程", chinese=True, shortest=1) == ["学习", "c", "编程"]


def test_a_fifth_of_han_letters_makes_a_text_chinese() -> None:
    assert is_chinese(["abcd学"])
    assert not is_chinese(["abcde学"])
    assert is_chinese(["abcd, 123!", "学"])  # of letters, over all texts


def test_words_of_chinese_are_cut_by_jiebas_own_dictionary_without_its_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import jieba

    def read_a_cache(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(jieba.Tokenizer, "initialize", read_a_cache)
    assert words("我来到北京清华大学", chinese=True) == ["来到", "北京", "清华大学"]


def test_what_is_printed_of_a_fitted_column_is_none_of_its_words_or_numbers() -> None:
    assert repr(fit(["aa bb", "bb cc", "cc aa", "dd"], size=1)) == (
        "TextVectors(column='title', size=1, vectorize=Tfidf(chinese=False), scale=1.0)"
    )
