from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsweep.data.types import UNKNOWN, Fold, Sequences, Targets
from recsweep.evaluation.groups import group_masks, in_history

MakeFold = Callable[..., Fold]


def targets_of(histories: list[list[int]], asked: list[tuple[int, int, int]]) -> Targets:
    """`asked`: (sequence, length, item)."""
    lengths = [len(history) for history in histories]
    n = sum(lengths)
    table = np.array(asked, np.int64).reshape(-1, 3)
    return Targets(
        histories=Sequences(
            user=np.arange(len(histories), dtype=np.int32),
            offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
            item=np.array([i for h in histories for i in h], np.int32),
            time=np.arange(n),
            kind=np.zeros(n, np.int8),
            features=np.zeros((len(histories), 0), np.float32),
        ),
        sequence=table[:, 0].astype(np.int32),
        length=table[:, 1].astype(np.int32),
        item=table[:, 2].astype(np.int32),
        time=np.arange(len(table)),
        drop_seen=False,
        counts={},
    )


def test_a_course_counts_as_seen_only_before_its_target() -> None:
    targets = targets_of([[4, 2, 4], [1]], [(0, 1, 2), (0, 2, 2), (0, 1, 4), (1, 1, 4), (1, 1, 1)])
    assert in_history(targets).tolist() == [False, True, True, False, True]


def test_without_any_history_there_are_no_groups() -> None:
    targets = targets_of([[], []], [(0, 0, 1), (1, 0, UNKNOWN)])
    assert group_masks(targets, known_users=1) == {}


def test_a_course_unknown_to_training_was_never_seen() -> None:
    assert in_history(targets_of([[0, 1]], [(0, 2, UNKNOWN)])).tolist() == [False]


@given(st.data())
def test_seen_is_what_a_search_through_the_history_finds(data: st.DataObject) -> None:
    items = st.integers(0, 4)
    histories = data.draw(st.lists(st.lists(items, max_size=6), min_size=1, max_size=4).filter(any))
    asked = [
        (s, data.draw(st.integers(0, len(history))), data.draw(st.integers(-1, 5)))
        for s, history in enumerate(histories)
        for _ in range(2)
    ]
    expected = [item in histories[s][:n] for s, n, item in asked]
    assert in_history(targets_of(histories, asked)).tolist() == expected


def test_terciles_share_out_every_target() -> None:
    targets = targets_of([list(range(9))], [(0, n, 0) for n in range(1, 10)])
    masks = group_masks(targets, known_users=1)
    terciles = {name: int(mask.sum()) for name, mask in masks.items() if "events" in name}
    assert terciles == {
        "history of up to 3 events": 3,
        "history of 4 to 6 events": 3,
        "history of more than 6 events": 3,
    }


def test_equal_histories_are_one_group() -> None:
    masks = group_masks(targets_of([[0], [1]], [(0, 1, 3), (1, 1, 3)]), known_users=1)
    assert [name for name in masks if "events" in name] == ["history of up to 1 events"]


def test_learners_are_new_by_their_code(fold_of: MakeFold) -> None:
    rows = [(0, 0, 1), (0, 1, 2), (1, 0, 3), (1, 1, 4), (0, 1, 10), (2, 0, 11), (2, 1, 12)]
    targets = fold_of(rows, (10, 20), targets={"seen": "keep"}).validation
    masks = group_masks(targets, known_users=2)
    user = targets.histories.user[targets.sequence]
    assert user[masks["new learner"]].tolist() == [2]
    assert user[masks["returning learner"]].tolist() == [0]


def test_repeats_are_a_group_only_where_they_are_candidates(fold_of: MakeFold) -> None:
    rows = [(0, 0, 1), (0, 1, 2), (1, 0, 3), (1, 2, 4), (0, 1, 10), (0, 2, 11)]
    kept = group_masks(fold_of(rows, (10, 20), targets={"seen": "keep"}).validation, 2)
    assert kept["course of the history"].tolist() == [True, False]
    dropped = group_masks(fold_of(rows, (10, 20), targets={"seen": "drop"}).validation, 2)
    assert "course of the history" not in dropped


def test_courses_without_an_event_before_the_cut_are_a_group_where_they_are_ranked() -> None:
    targets = targets_of([[0, 1]], [(0, 1, 0), (0, 1, 3), (0, 2, UNKNOWN), (0, 2, 4)])
    masks = group_masks(targets, known_users=1, known_items=3)
    assert masks["cold course"].tolist() == [False, True, False, True]
    assert masks["course with events"].tolist() == [True, False, False, False]
    for known in (None, 5):
        assert "cold course" not in group_masks(targets, known_users=1, known_items=known)
        assert "course with events" not in group_masks(targets, 1, known)


def test_groups_without_a_target_are_left_out_and_all_others_named() -> None:
    targets = targets_of([[0, 1, 2], [0]], [(0, 1, 0), (0, 2, 2), (0, 3, 3), (1, 1, 0)])
    masks = group_masks(targets, known_users=2)
    assert {name: mask.tolist() for name, mask in masks.items()} == {
        "history of up to 1 events": [True, False, False, True],
        "history of 2 to 2 events": [False, True, False, False],
        "history of more than 2 events": [False, False, True, False],
        "returning learner": [True] * 4,
        "course of the history": [True, False, False, True],
        "course new to the learner": [False, True, True, False],
    }
