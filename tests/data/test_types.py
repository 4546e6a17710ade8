"""Rows are taken out of everything that has one of each."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from recsweep.data.types import Labels, Sequences, Targets, Treatments

ROWS = np.array([2, 0])


def rows(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape)


SEQUENCES = Sequences(
    user=rows(3), offsets=np.array([0, 2, 2, 5]), item=rows(5), time=rows(5), kind=rows(5),
    features=rows(3, 2), item_features=rows(5, 2), event_features=rows(5, 1),
)  # fmt: skip
TREATMENTS = Treatments(rows(3) > 0, rows(3) / 3, 0.3, expected=rows(3, 2), guessed=rows(3))
LABELS = Labels(
    rows(3) > 0, rows(3, 2), ("a", "b"), price=rows(3), likeness=rows(3, 2, 3),
    treatments=TREATMENTS, weight=rows(3),
)  # fmt: skip
TARGETS = Targets(
    SEQUENCES, rows(3), rows(3), rows(3), rows(3), drop_seen=False, counts={}, labels=LABELS,
    kind=rows(3),
)  # fmt: skip


@pytest.mark.parametrize("whole", [TARGETS, LABELS, TREATMENTS], ids=lambda w: type(w).__name__)
def test_some_rows_have_their_own_of_all_that_is_told_of_each(
    whole: Targets | Labels | Treatments,
) -> None:
    for field in fields(whole):
        expected = getattr(whole, field.name)
        if isinstance(expected, np.ndarray):
            found = getattr(whole.at(ROWS), field.name)
            np.testing.assert_array_equal(found, expected[ROWS], err_msg=field.name)
        if field.default is None:
            nothing: Any = {field.name: None}
            without = replace(whole, **nothing)
            assert getattr(without.at(ROWS), field.name) is None
            assert getattr(whole.at(ROWS), field.name) is not None or expected is None


def test_some_of_the_sequences_have_their_own_events() -> None:
    found = SEQUENCES.at(ROWS)
    events = [2, 3, 4, 0, 1]
    assert found.offsets.tolist() == [0, 3, 5]
    for field in fields(SEQUENCES):
        expected = getattr(SEQUENCES, field.name)
        if field.name != "offsets":
            at = events if len(expected) == 5 else ROWS
            np.testing.assert_array_equal(getattr(found, field.name), expected[at])
