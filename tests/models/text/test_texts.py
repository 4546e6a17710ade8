"""What a text is made of, and how it is counted."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import labelled_texts
import numpy as np
import pytest
import torch
from labelled_texts import training_on
from worlds import training_of

from recsweep.models.cases import examples_of
from recsweep.models.text.texts import (
    KEPT,
    Reading,
    Texts,
    WordVectors,
    as_tensor,
    counts,
    from_tensor,
    labelled,
    sequences,
    texts_of,
    unlabelled,
)
from recsweep.testing.worlds import world

WORDS = Reading("words", 1, chinese=False)


def texts(*text: str) -> Texts:
    return unlabelled(np.array(text, object), ("a", "b"))


@pytest.mark.parametrize("make", [counts, sequences])
def test_texts_that_are_asked_alone_do_not_push_out_what_is_asked_again(
    make: Callable[[Texts, Reading], Any],
) -> None:
    fold = texts("one two", "two")
    first = make(fold, WORDS)
    for _ in range(KEPT + 1):
        make(texts("three"), WORDS)
    assert make(fold, WORDS) is first
    alone = texts("three")
    assert make(alone, WORDS) is not make(alone, WORDS)


def test_a_part_has_the_place_of_its_term_from_1_on_and_0_where_there_is_none() -> None:
    found = sequences(texts("one two one", "", "two"), WORDS)
    assert found.start.tolist() == [0, 3, 3, 4]
    assert found.of(("three", "two")).tolist() == [0, 2, 0, 2]
    assert found.of(("one", "two")).tolist() == [1, 2, 1, 2]
    assert sequences(texts(""), WORDS).of(("two",)).tolist() == []


def test_terms_are_counted_in_each_text_in_the_order_that_is_asked_for() -> None:
    found = counts(texts("b a b", "", "c b"), WORDS)
    assert found.terms == ("a", "b", "c")
    assert found.matrix.toarray().tolist() == [[1, 2, 0], [0, 0, 0], [0, 1, 1]]
    asked = found.of(("c", "d", "b"))
    assert asked.toarray().tolist() == [[0, 0, 2], [0, 0, 0], [1, 0, 1]]
    assert asked.has_sorted_indices
    assert asked.indices.tolist() == [2, 0, 2]
    assert found.of(()).shape == (3, 0)


def test_a_frequent_term_stands_in_so_many_texts_however_often_in_each() -> None:
    found = counts(texts("b a b", "a", "c b"), WORDS)
    assert found.frequent(1) == ("a", "b", "c")
    assert found.frequent(2) == ("a", "b")
    assert found.frequent(3) == ()


def test_texts_without_any_term_have_counts_of_none() -> None:
    found = counts(texts("", " "), WORDS)
    assert (found.matrix.shape, found.terms, found.matrix.dtype) == ((2, 0), (), np.float32)
    assert found.of(("a",)).toarray().tolist() == [[0], [0]]
    assert found.frequent(1) == ()


def test_characters_have_no_case_and_no_space() -> None:
    assert Reading("characters", 1, chinese=False).parts("Ab\n\u3000 É") == ["a", "b", "é"]


@pytest.mark.parametrize(
    ("units", "longest", "terms"),
    [
        ("words", 1, ["a", "bc", "d"]),
        ("words", 3, ["a", "bc", "d", "a bc", "bc d", "a bc d"]),
        ("words", 5, ["a", "bc", "d", "a bc", "bc d", "a bc d"]),
        ("characters", 2, ["a", "b", "c", "d", "ab", "bc", "cd"]),
        (
            "both",
            2,
            ["a", "b", "c", "d", "ab", "bc", "cd", " a", " bc", " d", " a bc", " bc d"],
        ),
    ],
)
def test_runs_of_up_to_so_many_parts_are_terms_the_short_ones_first(
    units: Any, longest: int, terms: list[str]
) -> None:
    assert Reading(units, longest, chinese=False).terms("a bc d") == terms


def test_vectors_of_known_terms_have_a_mean_square_of_1_and_others_none() -> None:
    held = WordVectors(("a", "b", "c"), np.array([[3, 4], [0, 5], [900, 0]], np.float32))
    found = held.of(("b", "x", "a"))
    size = ((0 + 25 + 9 + 16) / 4) ** 0.5  # of those that are asked for alone
    np.testing.assert_allclose(found, np.array([[0, 5], [0, 0], [3, 4]]) / size, rtol=1e-6)
    assert found.dtype == np.float32
    first = held.of(("a",))
    np.testing.assert_allclose(first, np.array([[3, 4]]) / 12.5**0.5, rtol=1e-6)
    assert held.of(("x", "y")).tolist() == [[0, 0], [0, 0]]
    nothing = WordVectors(("a",), np.zeros((1, 2), np.float32))
    assert nothing.of(("a",)).tolist() == [[0, 0]]


def test_some_texts_keep_all_that_is_theirs() -> None:
    whole = labelled_texts.texts(inputs=np.arange(12, dtype=np.float32).reshape(6, 2))
    some = whole.at(np.array([4, 0]))
    assert len(some) == 2
    assert some.text.tolist() == ["b c c", "a b a"]
    assert (some.answer.tolist(), some.inputs.tolist()) == ([1, 0], [[8, 9], [0, 1]])
    assert (some.classes, some.columns, some.copies.tolist()) == (("no", "yes"), ("x0", "x1"), [])
    marked = replace(whole, copies=np.arange(6) * 10).at(np.array([4, 0]))
    assert marked.copies.tolist() == [40, 0]


def test_what_is_asked_outside_of_a_study_has_no_label_that_is_told() -> None:
    found = texts("one", "two")
    assert found.answer.tolist() == [0, 0]
    assert (found.classes, found.columns, found.inputs.shape) == (("a", "b"), (), (2, 0))
    assert found.inputs.dtype == np.float32
    assert not found.chinese
    inputs = np.ones((1, 3), np.float32)
    assert unlabelled(np.array(["x"], object), (), inputs).inputs is inputs


def test_texts_of_a_training_period_are_its_labels_or_the_columns_alone() -> None:
    given = labelled_texts.texts(inputs=np.zeros((6, 2), np.float32))
    training = training_on(given)
    assert texts_of(training) is given
    assert labelled(examples_of(training)) is given
    bare = texts_of(training_of([[0]]))
    assert (len(bare), bare.classes, bare.columns, bare.inputs.shape) == (0, (), (), (0, 0))
    other = world("purchase", {}).training  # whose labels are none of texts
    columns = texts_of(other).columns
    labels = examples_of(other).labels
    assert labels is not None
    assert columns == labels.columns != ()
    assert texts_of(other).inputs.shape == (0, len(columns))


def test_strings_come_back_from_a_tensor() -> None:
    for strings in ((), ("好", "a b"), ("x",), ("a", "", "b")):
        found = as_tensor(strings)
        assert found.dtype == torch.uint8
        assert from_tensor(found) == strings
    assert bytes(as_tensor(("好", "b")).tolist()) == "好\nb".encode()
