"""A sample of targets is fair to learners and keeps moments whole."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsweep.stages.fuse.votes import sample
from recsweep.testing.worlds import world

TARGETS = world("next_item", {}).validation


@given(st.integers(1, len(TARGETS)), st.integers(0, 3), st.integers(1, 3))
def test_a_sample_is_fair_to_learners_and_keeps_moments_whole(
    most: int, seed: int, together: int
) -> None:
    time = np.arange(len(TARGETS), dtype=np.int64) // together
    targets = replace(TARGETS, time=time)
    found = sample(targets, most, seed)
    assert len(found) <= most
    if together == 1:
        assert len(found) == most
        had, taken = (np.bincount(t.sequence, minlength=99) for t in (targets, found))
        assert np.all((taken >= taken.max() - 1) | (taken == had))
    moments = {(s, t) for s, t in zip(found.sequence.tolist(), found.time.tolist(), strict=True)}
    whole = [
        (s, t) in moments for s, t in zip(targets.sequence.tolist(), time.tolist(), strict=True)
    ]
    assert sum(whole) == len(found)
