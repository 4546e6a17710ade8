"""Small sets of labelled texts to learn from."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recsweep.data.clock import DAY
from recsweep.data.types import Float32, Training
from recsweep.models.cases import examples_of
from recsweep.models.text.texts import Texts, WordVectors
from recsweep.testing.text_worlds import text_world

TEXTS = ("a b a", "b", "", "c a", "b c c", "a")
ANSWERS = (0, 1, 1, 0, 1, 1)


def texts(
    text: Sequence[str] = TEXTS,
    answer: Sequence[int] = ANSWERS,
    classes: tuple[str, ...] = ("no", "yes"),
    inputs: Float32 | None = None,
    vectors: WordVectors | None = None,
) -> Texts:
    """Labels count up from 0; columns are named x0, x1, …"""
    held = np.zeros((len(text), 0), np.float32) if inputs is None else inputs
    return Texts(
        text=np.array(text, object),
        answer=np.array(answer, np.int64),
        classes=classes,
        chinese=False,
        inputs=held,
        columns=tuple(f"x{n}" for n in range(held.shape[1])),
        vectors=vectors,
    )


def training_on(given: Texts, days: Sequence[float] | None = None) -> Training:
    """Written on these days; without any all on one."""
    training = text_world("text").training
    examples = examples_of(training).at(np.arange(len(given)))
    time = (np.array(days or [0] * len(given)) * DAY).astype(np.int64)
    return replace(training, examples=replace(examples, labels=given, time=time))


def plain_parts(text: str, terms: Sequence[str], longest: int) -> list[int]:
    """The first words of a text by the places of their terms from 1 on; 0 of the others."""
    return [terms.index(word) + 1 if word in terms else 0 for word in text.split()[:longest]]
