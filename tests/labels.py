"""Texts that are asked about, of which the labels alone matter."""

from dataclasses import replace

import numpy as np

from recsweep.data.types import Targets
from recsweep.models.text.texts import Texts
from recsweep.testing.text_worlds import text_world


def targets_of(answer: np.ndarray, classes: str, copies: np.ndarray | None = None) -> Targets:
    """One a row of `answer`, an index into the letters of `classes`."""
    n = len(answer)
    none = np.zeros(n, np.int64) if copies is None else copies
    text = np.array([f"{row}" for row in range(n)], object)
    inputs = np.zeros((n, 0), np.float32)
    texts = Texts(text, answer, tuple(classes), chinese=False, inputs=inputs, copies=none)
    whole = text_world("text", features=False).validation
    return replace(whole.at(np.zeros(n, np.int64)), labels=texts)
