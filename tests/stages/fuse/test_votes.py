"""A sample of targets is fair to learners and keeps moments whole."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsweep.stages.fuse.votes import sample
from recsweep.testing.worlds import world


@given(st.integers(1, 99), st.integers(0, 3), st.integers(1, 3))
def test_a_sample_is_fair_to_learners_and_keeps_moments_whole(
    most: int, seed: int, together: int
) -> None:
    targets = world("next_item", {}).validation
    most = min(most, len(targets))
    targets = replace(targets, time=np.arange(len(targets), dtype=np.int64) // together)
    found = sample(targets, most, seed)
    assert len(found) <= most
    if together == 1:
        assert len(found) == most
        had, taken = (np.bincount(t.sequence, minlength=99) for t in (targets, found))
        assert np.all((taken >= taken.max() - 1) | (taken == had))
    moments, asked = (
        list(zip(t.sequence.tolist(), t.time.tolist(), strict=True)) for t in (found, targets)
    )
    assert sum(moment in moments for moment in asked) == len(found)
