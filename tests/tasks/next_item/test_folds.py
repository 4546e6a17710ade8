"""Which events are asked for in a log of several types, by definition."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from worlds import dataset_of, experiment_of

from recsweep.data.types import KINDS, UNKNOWN, Events, Fold
from recsweep.errors import BadInput
from recsweep.tasks.folds import make_fold
from recsweep.tasks.next_item.folds import SEEN
from recsweep.tasks.next_item.ranking import Ranker, drop_seen

Row = tuple[int, int, int, str]  # learner, course, time, type
CUT, END = 10, 20

logs = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, 5),
        st.integers(0, 19),
        st.sampled_from(["browse", "favourite", "purchase"]),
    ),
    min_size=4,
    max_size=40,
    unique=True,
)


def fold_of(rows: list[Row], **targets: object) -> Fold:
    table = sorted((u, t, i, KINDS.index(kind)) for u, i, t, kind in rows)
    user, time, item, kind = np.array(table, np.int64).T
    events = Events(user.astype(np.int32), item.astype(np.int32), time, kind.astype(np.int8), None)
    experiment = experiment_of(targets=targets)
    return make_fold("fold0", events, (CUT, END), dataset_of(events), experiment)


def asked(fold: Fold) -> list[tuple[int, int, int]]:
    targets = fold.validation
    learner = targets.histories.user[targets.sequence]
    item = np.where(targets.item == UNKNOWN, -1, fold.items[targets.item])
    return sorted(zip(learner.tolist(), item.tolist(), targets.time.tolist(), strict=True))


@settings(max_examples=80)
@given(rows=logs, seen_types=st.sampled_from([None, ("browse",), ("purchase", "favourite")]))
def test_a_purchase_is_asked_once_unless_an_event_of_a_seen_type_came_before(
    rows: list[Row], seen_types: tuple[str, ...] | None
) -> None:
    given_types = {} if seen_types is None else {"seen_types": seen_types}
    try:
        fold = fold_of(rows, types=["purchase"], **given_types)
    except BadInput:
        assume(False)
    known = {i for _, i, t, _ in rows if t < CUT}
    makes_seen = seen_types or ("purchase",)
    expected = {
        (u, i if i in known else -1, t)
        for u, i, t, kind in rows
        if kind == "purchase"
        and t >= CUT
        and any(v == u and s < t and j in known for v, j, s, _ in rows)
        and not any(v == u and j == i and s < t and of in makes_seen for v, j, s, of in rows)
    }
    assert set(asked(fold)) == expected


def test_a_look_does_not_take_a_course_out_of_what_may_be_bought() -> None:
    rows: list[Row] = [
        *((u, i, t, "browse") for u in (0, 1) for i, t in ((0, 1), (1, 2), (2, 3))),
        (0, 0, 4, "purchase"),
        (0, 1, 12, "purchase"),  # looked at before
        (1, 0, 12, "browse"),
        (1, 0, 12, "purchase"),  # at the instant of a look
        (1, 0, 13, "purchase"),  # bought before
    ]
    fold = fold_of(rows, types=["purchase"])
    assert asked(fold) == [(0, 1, 12), (1, 0, 12)]
    block = next(iter(Ranker(fold.validation, fold.n_items, torch.device("cpu"))._blocks))
    scores = torch.zeros(len(block.histories.row), fold.n_items)
    drop_seen(scores, block.histories, block.makes_seen)
    out = {
        int(fold.validation.histories.user[row]): fold.items[np.isneginf(s)].tolist()
        for row, s in zip(block.histories.row.tolist(), scores.numpy(), strict=True)
    }
    assert out == {0: [0], 1: []}


def test_by_the_day_a_purchase_beside_a_look_is_asked_once() -> None:
    rows: list[Row] = [(0, 0, 1, "browse"), (0, 1, 2, "browse")]
    rows += [(0, 1, 12, kind) for kind in ("browse", "purchase", "comment")]
    assert asked(fold_of(rows, types=["purchase", "comment"])) == [(0, 1, 12)]
    assert asked(fold_of(rows, types=["purchase"])) == [(0, 1, 12)]


def browses(*rows: tuple[int, int, int]) -> list[Row]:
    return [(user, item, time, "browse") for user, item, time in rows]


def test_the_first_and_the_last_target_of_each_learner() -> None:
    rows = browses((0, 0, 1), (0, 1, 2), (1, 2, 3), (1, 0, 11), (1, 1, 12), (0, 2, 13))
    assert asked(fold_of(rows, which="first")) == [(0, 2, 13), (1, 0, 11)]
    assert asked(fold_of(rows, which="last")) == [(0, 2, 13), (1, 1, 12)]
    assert fold_of(rows, which="last").validation.counts["not the last of its learner"] == 1


@pytest.mark.parametrize("seen", ["drop", "keep"])
def test_a_course_seen_before_competes_only_where_it_may_be_asked_for(seen: str) -> None:
    rows = browses((0, 0, 1), (0, 1, 2), (1, 0, 3), (1, 1, 4), (1, 2, 5), (0, 0, 11), (0, 2, 12))
    fold = fold_of(rows, seen=seen)
    assert fold.validation.drop_seen is (seen == "drop")
    assert asked(fold) == [*([(0, 0, 11)] if seen == "keep" else []), (0, 2, 12)]


@pytest.mark.parametrize(
    ("late", "problem"),
    [
        ([], r"\(0 in the window, .*\); raise folds.validation, or name other targets.types$"),
        ([(1, 0, 12)], "1 in the window, .*1 empty history.*; raise folds.validation, so that"),
        ([(0, 0, 12)], f"1 {SEEN}.*; set targets.seen: keep if .*, or raise folds.validation$"),
    ],
)
def test_a_fold_without_targets_counts_the_reasons_and_says_what_to_change(
    late: list[tuple[int, int, int]], problem: str
) -> None:
    with pytest.raises(BadInput, match=f"fold0: no event of its window can be .*{problem}"):
        fold_of(browses((0, 0, 1), (0, 1, 2), *late))
