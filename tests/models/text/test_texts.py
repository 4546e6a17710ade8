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
