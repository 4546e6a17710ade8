"""Which events are asked for in a log of several types, by definition."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from worlds import dataset_of, events_of, experiment_of

from recsweep.data.types import KINDS, UNKNOWN, Events, Fold, Sequences, Training
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


SMALL = browses(
    (0, 0, 1), (0, 1, 2), (0, 2, 3), (1, 0, 4), (1, 1, 5), (2, 2, 6),
    (0, 3, 11), (0, 0, 12), (1, 2, 12), (1, 2, 13), (3, 0, 14), (2, 0, 15),
)  # fmt: skip
"""Course 3 and learner 3 are new to the window."""


def histories_of(sequences: Sequences) -> dict[int, list[int]]:
    bounds = zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True)
    held = [sequences.item[a:b].tolist() for a, b in bounds]
    return dict(zip(sequences.user.tolist(), held, strict=True))


def test_a_small_log_worked_by_hand() -> None:
    fold = fold_of(SMALL, seen="drop")
    targets = fold.validation
    assert fold.items.tolist() == [0, 1, 2]
    assert fold.training.n_items == 3
    assert targets.counts == {
        "in the window": 6,
        "same course at the same time": 0,
        "empty history": 1,
        SEEN: 2,
        "course unknown to training": 1,
    }
    assert histories_of(targets.histories) == {0: [0, 1, 2], 1: [0, 1], 2: [2]}
    assert targets.sequence.tolist() == [0, 1, 2]
    assert targets.length.tolist() == [3, 2, 1]
    assert targets.item.tolist() == [UNKNOWN, 2, 0]
    assert targets.time.tolist() == [11, 12, 15]
    assert targets.kind is not None
    assert targets.kind.tolist() == [0, 0, 0]


def test_a_history_goes_on_within_the_window_and_ends_before_the_last_target() -> None:
    targets = fold_of(SMALL, seen="keep").validation
    assert histories_of(targets.histories) == {0: [0, 1, 2], 1: [0, 1, 2], 2: [2]}
    assert targets.length.tolist() == [3, 3, 2, 3, 1]
    assert targets.item.tolist() == [UNKNOWN, 0, 2, 2, 0]
    assert targets.sequence.tolist() == [0, 0, 1, 1, 2]
    assert not targets.drop_seen
    assert SEEN not in targets.counts


def training(least: int) -> Training:
    events = events_of([(u, i, t) for u, i, t, _ in SMALL])
    experiment = experiment_of(folds={"min_user_events": least, "min_item_events": 1})
    return make_fold("fold0", events, (CUT, END), dataset_of(events), experiment).training


def test_training_is_of_learners_with_enough_events_on_courses_that_are_known() -> None:
    assert histories_of(training(2).sequences) == {0: [0, 1, 2], 1: [0, 1]}
    assert histories_of(training(3).sequences) == {0: [0, 1, 2]}
    with pytest.raises(
        BadInput,
        match=r"^fold0: no user has 4 events before its cut; lower folds\.min_user_events, or use",
    ):
        training(4)


def test_a_course_without_support_counts_for_nothing_in_training() -> None:
    experiment = experiment_of(folds={"min_user_events": 2, "min_item_events": 2})
    rows = [*SMALL, (1, 3, 7, "browse")]
    events = events_of([(u, i, t) for u, i, t, _ in rows])
    fold = make_fold("fold0", events, (CUT, END), dataset_of(events), experiment)
    assert fold.items.tolist() == [0, 1, 2]  # course 3 has one event before the cut
    assert histories_of(fold.training.sequences) == {0: [0, 1, 2], 1: [0, 1]}
    assert fold.training.n_cold == 0


def catalogue_fold(rows: list[Row] = SMALL, least: int = 1, **changes: object) -> Fold:
    """The table knows five courses, of which nobody takes the last."""
    events = events_of([(u, i, t) for u, i, t, _ in rows])
    table = pl.DataFrame({"_id": list("abcde"), "price": [1.0, 2.0, 3.0, 4.0, 5.0]})
    since = table.with_columns(_valid_from=pl.lit(None, pl.Int64))
    dataset = replace(dataset_of(events), items=table[:4], item_rows=since)
    targets = {"candidates": "catalogue", "seen": "drop"}
    items = {"path": "x", "key": "id", "numeric": ["price"], "immutable": True}
    log = {"path": "x", "user": "u", "item": "i", "time": "t"}
    experiment = experiment_of(
        targets={**targets, **changes},
        data={"name": "test", "events": [log], "items": items},
        folds={"min_item_events": least},
    )
    return make_fold("fold0", events, (CUT, END), dataset, experiment)


def test_events_on_a_course_of_the_catalogue_without_support_are_not_learned_from() -> None:
    rows: list[Row] = [*SMALL, (1, 3, 7, "browse"), (2, 3, 8, "browse"), (2, 2, 9, "browse")]
    fold = catalogue_fold(rows, least=3)
    assert fold.items.tolist() == [2, 0, 1, 3, 4]  # three events on course 2 alone
    assert histories_of(fold.training.sequences) == {2: [0, 0]}


def test_a_catalogue_holds_courses_without_events_which_are_counted_among_the_unknown() -> None:
    fold = catalogue_fold()
    assert fold.items.tolist() == [0, 1, 2, 3, 4]
    assert (fold.training.n_items, fold.training.n_cold, fold.training.n_known) == (5, 2, 3)
    assert fold.training.item_features[:, 0] == pytest.approx(
        (np.arange(5) - 1) / np.std([1, 2, 3])
    )
    assert fold.training.item_columns == ("price",)
    assert fold.validation.item.tolist() == [3, 2, 0]
    assert fold.validation.counts["of these in the catalogue"] == 1
    assert fold.validation.counts["course unknown to training"] == 1
    # In a history of the window a course of the table counts; in training there is none.
    assert catalogue_fold(seen="keep").validation.length.tolist() == [3, 4, 2, 3, 1]
    assert histories_of(fold.training.sequences) == {0: [0, 1, 2], 1: [0, 1]}


@pytest.mark.parametrize(("rule", "competes"), [("compete", True), (None, False)])
def test_whether_courses_of_one_instant_compete_is_the_rules_to_say(
    rule: str | None, competes: bool
) -> None:
    said = {} if rule is None else {"same_instant": rule}
    assert fold_of(SMALL, **said).validation.same_instant_competes is competes


def test_only_asked_types_are_targets_and_seen_by_default() -> None:
    rows: list[Row] = [*SMALL, (1, 0, 16, "purchase"), (1, 0, 17, "purchase")]
    targets = fold_of(rows, types=["purchase"], seen="drop").validation
    assert targets.time.tolist() == [16]
    assert targets.seen_kinds == (KINDS.index("purchase"),)
    assert targets.counts["in the window"] == 2
    both = fold_of(rows, types=["purchase"], seen_types=["purchase", "browse"], seen="keep")
    assert both.validation.seen_kinds == (KINDS.index("purchase"), KINDS.index("browse"))
    assert both.validation.time.tolist() == [16, 17]
