from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from recsweep.models.text.texts import KEPT, Reading, Texts, counts, sequences, unlabelled

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


def test_a_part_has_the_place_of_its_term_from_1_on_and_0_where_there_is_none() -> None:
    found = sequences(texts("one two one", "", "two"), WORDS)
    assert found.start.tolist() == [0, 3, 3, 4]
    assert found.of(("three", "two")).tolist() == [0, 2, 0, 2]
    assert sequences(texts(""), WORDS).of(("two",)).tolist() == []
