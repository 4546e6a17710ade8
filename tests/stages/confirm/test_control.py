from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch

from recsweep.data.types import Fold, Targets
from recsweep.models.protocol import Context
from recsweep.models.registry import families_of
from recsweep.stages.confirm import control
from recsweep.stages.confirm.control import control_targets, shuffled
from recsweep.tasks.next_item.ranking import Ranker

CPU = torch.device("cpu")
FAMILIES = families_of("next_item")
MakeFold = Callable[..., Fold]


@pytest.fixture
def fold(fold_of: MakeFold) -> Fold:
    """Twenty learners walk round twelve courses; the last five steps are to be predicted."""
    rows = [(u, (u + step) % 12, 10 * step) for u in range(20) for step in range(20)]
    return fold_of(rows, (150, 200), targets={"seen": "keep"})


def histories_of(targets: Targets) -> list[list[int]]:
    offsets, items = targets.histories.offsets, targets.histories.item
    return [
        items[offsets[s] : offsets[s] + n].tolist()
        for s, n in zip(targets.sequence, targets.length, strict=True)
    ]


def test_a_shuffled_history_holds_the_same_events(fold: Fold) -> None:
    at = control_targets(fold.validation, 0)
    before = histories_of(fold.validation)
    ((positions, parts),) = shuffled(fold.validation, at, 0)
    after = histories_of(parts)
    assert np.array_equal(positions, at)
    assert [Counter(h) for h in after] == [Counter(before[n]) for n in at]
    assert after != [before[n] for n in at]
    assert np.array_equal(parts.item, fold.validation.item[at])


def test_the_moments_of_a_shuffled_history_stay_where_they_were(fold: Fold) -> None:
    """What happened at them is shuffled alone: who fades by time is asked about order."""
    at = control_targets(fold.validation, 0)
    ((_, parts),) = shuffled(fold.validation, at, 0)
    before, after = fold.validation.at(at), parts
    for n in range(len(at)):
        one, two = (t.histories.offsets[t.sequence[n]] for t in (before, after))
        length = before.length[n]
        assert np.array_equal(
            after.histories.time[two : two + length], before.histories.time[one : one + length]
        )


def test_each_user_has_at_most_so_many_targets_and_none_is_left_out(
    fold: Fold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "TARGETS_PER_USER", 2)
    at = control_targets(fold.validation, 0)
    assert np.bincount(fold.validation.sequence[at]).tolist() == [2] * 20
    assert np.all(np.diff(at) > 0)
    assert not np.array_equal(at, control_targets(fold.validation, 1))
    monkeypatch.setattr(control, "TARGETS_PER_USER", 100)
    everything = control_targets(fold.validation, 0)
    assert np.array_equal(everything, np.arange(len(fold.validation)))


def test_chunks_cover_every_target_in_order(fold: Fold, monkeypatch: pytest.MonkeyPatch) -> None:
    at = control_targets(fold.validation, 0)
    monkeypatch.setattr(control, "CHUNK_PLACES", 40)
    chunks = list(shuffled(fold.validation, at, 0))
    assert len(chunks) > 3
    assert np.array_equal(np.concatenate([positions for positions, _ in chunks]), at)


def test_a_chain_loses_by_it_and_popularity_does_not(fold: Fold) -> None:
    at = control_targets(fold.validation, 0)
    for family, loses in (("markov", True), ("popularity", False)):
        entry = FAMILIES[family]
        model = entry.model({}, Context(fold.training, 0, CPU, "fp32"))
        model.fit_epoch()
        in_order = Ranker(fold.validation, fold.n_items, CPU).ranks(model)[at]
        parts = [part for _, part in shuffled(fold.validation, at, 0)]
        after = np.concatenate([Ranker(p, fold.n_items, CPU).ranks(model) for p in parts])
        assert np.array_equal(after, in_order) is not loses
        assert bool(after.mean() > in_order.mean()) is loses


def test_nearest_courses_read_order_only_where_they_fade() -> None:
    config = {"neighbours": 5, "weighting": "cosine"}
    assert FAMILIES["item_knn"].sees_order(config | {"fading": "step", "fading_weight": 0.9})
    assert not FAMILIES["item_knn"].sees_order(config | {"fading": "step", "fading_weight": 1.0})
