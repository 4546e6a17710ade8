"""Models of terms are scikit-learn's, and know no text but training's."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from labelled_texts import texts, training_on
from scipy.special import softmax
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from worlds import training_of

from recsweep.data.types import Float64, Fold
from recsweep.models.protocol import Context
from recsweep.models.registry import families_of
from recsweep.models.text.texts import (
    Reading,
    Texts,
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


THREE = texts(
    ["a b a", "b", "c a", "b c c", "a", "c b"], [0, 1, 0, 2, 1, 2], ("no", "yes", "never")
)
KEYS: dict[str, Any] = {"units": "words", "longest": 1, "least_texts": 2}


def model_of(family: str, given: Texts, days: list[float] | None = None, **config: Any) -> Any:
    context = Context(training_on(given, days), 0, CPU, "fp32")
    return families_of("text")[family].model(config, context)


def fitted(family: str, given: Texts, days: list[float] | None = None, **config: Any) -> Any:
    model = model_of(family, given, days, **config)
    model.fit_epoch()
    return model


def gradient(model: Any, given: Texts, weights: Float64, penalty: float) -> Float64:
    """Of ½|w|² + C Σ w_n loss_n by weights, a row, and biases: TF-IDF and columns in."""
    state = model.state()
    values = model.values(given).toarray()
    missed = softmax(values @ state["weight"].numpy() + state["bias"].numpy(), axis=1)
    missed[np.arange(len(given)), given.answer] -= 1
    missed *= weights[:, None]
    return np.vstack((state["weight"].numpy() + penalty * values.T @ missed, missed.sum(0)))


@pytest.mark.parametrize("n", [2, 3])
def test_logistic_regression_is_where_no_weight_can_move_of_weighted_texts_and_columns(
    n: int,
) -> None:
    inputs = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    given = replace(THREE, inputs=inputs, columns=("x0", "x1"))
    if n == 2:
        given = replace(given, answer=given.answer % 2, classes=("no", "yes"))
    days: list[float] = [0, 2, 1, 5, 4, 3]
    weights = 2.0 ** (-(5 - np.array(days)) / 2)
    fading = {"training_fading": "time", "training_half_life_days": 2.0}
    model = fitted(
        "logistic_regression", given, days, **KEYS, inverse_penalty=0.5, sublinear=False, **fading
    )
    slopes = gradient(model, given, weights / weights.mean(), 0.5)
    if n == 2:  # the library's two labels: a weight of the second, and 0 of the first
        assert not model.state()["weight"][:, 0].any()
        assert model.state()["bias"][0] == 0
        slopes = slopes[:, 1]
    np.testing.assert_allclose(slopes, 0, atol=2e-3)
    values = model.values(given).toarray()
    np.testing.assert_array_equal(values[:, -2:], inputs)
    assert values.shape == (6, 5)
    logits = values @ model.state()["weight"].numpy() + model.state()["bias"].numpy()
    np.testing.assert_allclose(model.probabilities(given), softmax(logits, axis=1))


def test_naive_bayes_counts_by_weights() -> None:
    """Manning, Raghavan & Schütze 2008, eq. 13.7, with another smoothing."""
    days: list[float] = [0, 2, 1, 5, 4, 3]
    weights = 2.0 ** (-(5 - np.array(days)) / 2)
    weights /= weights.mean()
    fading = {"training_fading": "time", "training_half_life_days": 2.0}
    model = fitted("naive_bayes", THREE, days, **KEYS, once=False, smoothing=0.5, **fading)
    counted = np.array([[text.split().count(term) for term in "abc"] for text in THREE.text])
    expected = np.zeros((6, 3))
    for label in range(3):
        of = weights * (THREE.answer == label)
        seen = of @ counted + 0.5
        expected[:, label] = np.log(of.sum() / 6) + counted @ np.log(seen / seen.sum())
    np.testing.assert_allclose(model.probabilities(THREE), softmax(expected, axis=1))


def test_the_base_rate_is_each_labels_share_of_the_weights() -> None:
    days: list[float] = [0, 0, 0, 0, 2, 2]
    fading: dict[str, Any] = {"training_fading": "time", "training_half_life_days": 2.0}
    classes = (*THREE.classes, "unheard")
    given = replace(THREE, classes=classes)
    model = fitted("base_rate", given, days, **fading)
    expected = [1 / 4, (0.5 + 1) / 4, (0.5 + 1) / 4, 0]
    np.testing.assert_allclose(model.probabilities(given.at(np.arange(2))), [expected] * 2)
    even = fitted("base_rate", given)
    np.testing.assert_allclose(even.probabilities(given.at(np.arange(1))), [[2 / 6] * 3 + [0]])
    before = model_of("base_rate", given)
    assert before.probabilities(given).tolist() == [[0.25] * 4] * 6


@pytest.mark.parametrize(("least", "known"), [(1, ("a", "b", "c")), (4, ("b",))])
def test_terms_are_those_of_enough_texts(least: int, known: tuple[str, ...]) -> None:
    given = replace(THREE, text=np.array(["a b", "b", "c a", "b c", "a", "b"], object))
    keys = {**KEYS, "least_texts": least, "once": False, "smoothing": 1.0}
    assert fitted("naive_bayes", given, **keys).terms == known


LOGISTIC = {**KEYS, "inverse_penalty": 0.5, "sublinear": True}


@pytest.mark.parametrize(
    ("family", "config"),
    [
        ("logistic_regression", LOGISTIC),
        ("naive_bayes", {**KEYS, "once": True, "smoothing": 1.0}),
        ("base_rate", {}),
    ],
)
def test_a_state_is_all_that_answers_need_and_a_copy(family: str, config: dict[str, Any]) -> None:
    given = replace(THREE, chinese=True)
    model = fitted(family, given, **config)
    before = model.probabilities(given)
    alone = families_of("text")[family].model(
        config, Context(training_on(given).without_learners(), 0, CPU, "fp32")
    )
    alone.load_state(model.state())
    np.testing.assert_array_equal(alone.probabilities(given), before)
    for name, value in alone.state().items():
        assert torch.equal(value, model.state()[name])
    for value in model.state().values():
        value.zero_()
    np.testing.assert_array_equal(model.probabilities(given), before)
    if family != "base_rate":
        assert alone.reading == Reading("words", 1, chinese=True)


def test_before_training_a_model_of_terms_has_a_place_for_each_column_and_label() -> None:
    inputs = np.zeros((6, 2), np.float32)
    given = replace(THREE, inputs=inputs, columns=("x0", "x1"))
    state = model_of("logistic_regression", given, **LOGISTIC).state()
    assert (state["weight"].shape, state["bias"].tolist()) == ((2, 3), [0, 0, 0])
    assert not state["weight"].any()
    assert state["idf"].tolist() == []


@pytest.mark.parametrize("family", ["logistic_regression", "base_rate"])
def test_labels_come_with_a_state_where_nothing_else_tells_them(family: str) -> None:
    config = LOGISTIC if family == "logistic_regression" else {}
    model = fitted(family, THREE, **config)
    alone = families_of("text")[family].model(config, Context(training_of([[0]]), 0, CPU, "fp32"))
    alone.load_state(model.state())
    np.testing.assert_array_equal(alone.probabilities(THREE), model.probabilities(THREE))
