"""Models of terms are scikit-learn's, and know no text but training's."""

from dataclasses import replace

import numpy as np
import torch
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

from recsweep.data.types import Fold
from recsweep.models.protocol import Context
from recsweep.models.registry import families_of
from recsweep.models.text.texts import (
    Reading,
    Texts,
    as_tensor,
    from_tensor,
    labelled,
    texts_of,
)
from recsweep.testing.text_worlds import text_world

CPU = torch.device("cpu")


def fold() -> Fold:
    return text_world("text", features=False)


def training() -> Texts:
    return texts_of(fold().training)


def asked() -> Texts:
    return labelled(fold().validation)


def probabilities(family: str, **config: object) -> np.ndarray:
    model = families_of("text")[family].model(config, Context(fold().training, 0, CPU, "fp32"))
    model.fit_epoch()
    found: np.ndarray = model.probabilities(asked())
    return found


def test_logistic_regression_is_that_of_scikit_learn_on_its_tfidf() -> None:
    keys = {"units": "words", "longest": 2, "least_texts": 2, "sublinear": True}
    pipeline = make_pipeline(
        TfidfVectorizer(token_pattern=r"\w+", ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LogisticRegression(C=3.0, max_iter=1000),
    )
    expected = pipeline.fit(training().text, training().answer).predict_proba(asked().text)
    found = probabilities("logistic_regression", **keys, inverse_penalty=3.0)
    np.testing.assert_allclose(found, expected, atol=1e-4)  # where L-BFGS stops


def test_naive_bayes_is_that_of_scikit_learn_on_its_counts() -> None:
    keys = {"units": "words", "longest": 2, "least_texts": 1}
    for once in (False, True):
        vectorizer = CountVectorizer(token_pattern=r"\w+", ngram_range=(1, 2), binary=once)
        pipeline = make_pipeline(vectorizer, MultinomialNB(alpha=0.3))
        expected = pipeline.fit(training().text, training().answer).predict_proba(asked().text)
        found = probabilities("naive_bayes", **keys, once=once, smoothing=0.3)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_chinese_is_cut_into_words_and_other_languages_at_spaces() -> None:
    assert Reading("words", 1, chinese=True).parts("这本书不好 ok") == ["这", "本书", "不好", "ok"]
    assert Reading("words", 1, chinese=False).parts("Not bad, a B") == ["not", "bad", "a", "b"]
    assert Reading("characters", 2, chinese=True).terms("不 好") == ["不", "好", "不好"]
    assert Reading("words", 2, chinese=False).terms("a b c")[3:] == ["a b", "b c"]
    assert Reading("both", 1, chinese=True).terms("不 好") == ["不", "好", " 不", " 好"]


def test_what_is_asked_has_no_say_in_the_vocabulary() -> None:
    keys = {"units": "words", "longest": 1, "least_texts": 1, "once": False, "smoothing": 1.0}
    before = probabilities("naive_bayes", **keys)
    text = np.array([f"{each} unheard unseen" for each in asked().text], object)
    model = families_of("text")["naive_bayes"].model(keys, Context(fold().training, 0, CPU, "fp32"))
    model.fit_epoch()
    np.testing.assert_array_equal(model.probabilities(replace(asked(), text=text)), before)


def test_strings_come_back_from_a_tensor() -> None:
    for strings in ((), ("好", "a b"), ("x",)):
        assert from_tensor(as_tensor(strings)) == strings
