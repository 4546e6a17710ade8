from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from purchases import CUT, END, LookOrBuy, fold_of, log_of, purchase_experiment, random_log
from worlds import dataset_of

from recsweep.config.schema import Experiment
from recsweep.data.clock import DAY
from recsweep.data.features.choose import with_features
from recsweep.data.types import BOUGHT, UNKNOWN, Cuts, Dataset, Fold, Labels, Targets
from recsweep.errors import BadInput
from recsweep.tasks.development import whole_development
from recsweep.tasks.folds import make_fold
from recsweep.tasks.purchase.examples import find_examples
from recsweep.tasks.purchase.settings import Purchase

TWO_DAYS = Purchase(window_days=2)


def answers(
    rows: list[LookOrBuy], end: float = 100, **rule: object
) -> dict[tuple[int, float], bool]:
    """(item, day) of each example -> bought."""
    events = log_of(rows)
    found, bought, _ = find_examples(
        events, TWO_DAYS.model_copy(update=rule), None, round(end * DAY)
    )
    keys = [(int(events.item[row]), float(events.time[row] / DAY)) for row in found]
    return dict(zip(keys, bought.tolist(), strict=True))


def test_a_look_is_a_purchase_if_the_same_course_is_bought_within_the_window() -> None:
    rows: list[LookOrBuy] = [
        (0, 0, 1.0, "browse"), (0, 0, 2.0, "purchase"),
        (0, 1, 3.0, "browse"), (0, 1, 5.0, "purchase"),  # two days later: the window is over
        (0, 2, 6.0, "browse"), (0, 3, 6.5, "purchase"),  # another course
        (0, 4, 7.0, "browse"), (1, 4, 7.5, "purchase"),  # another learner
    ]  # fmt: skip
    assert answers(rows) == {(0, 1.0): True, (1, 3.0): False, (2, 6.0): False, (4, 7.0): False}


def test_a_purchase_at_the_looks_own_time_follows_from_it() -> None:
    assert answers([(0, 0, 1.0, "browse"), (0, 0, 1.0, "purchase")]) == {(0, 1.0): True}


def test_a_course_that_was_bought_before_is_no_question() -> None:
    rows: list[LookOrBuy] = [(0, 0, 1.0, "purchase"), (0, 0, 2.0, "browse"), (0, 1, 3.0, "browse")]
    assert answers(rows) == {(1, 3.0): False}


def test_a_window_that_is_not_over_has_no_answer_even_if_it_was_bought_already() -> None:
    rows: list[LookOrBuy] = [
        (0, 0, 8.0, "browse"), (0, 1, 8.5, "browse"), (0, 1, 8.6, "purchase"),
    ]  # fmt: skip
    assert answers(rows, end=10) == {(0, 8.0): False}
    events = log_of(rows)
    _, _, counts = find_examples(events, TWO_DAYS, None, 10 * DAY)
    assert counts["window not over by the end"] == 1


def test_two_exposing_events_of_one_moment_are_one_example() -> None:
    rows: list[LookOrBuy] = [(0, 0, 1.0, "browse"), (0, 0, 1.0, "favourite")]
    assert len(answers(rows, exposures=("browse", "favourite"))) == 1


def test_no_training_answer_needs_anything_from_the_cut_on() -> None:
    fold = fold_of(random_log(0))
    examples = fold.training.examples
    assert examples is not None
    assert (examples.time + 2 * DAY <= CUT * DAY).all()
    assert (fold.validation.time >= CUT * DAY).all()
    assert (fold.validation.time + 2 * DAY <= END * DAY).all()
    assert fold.validation.counts["training: window not over by the cut"] > 0
    assert fold.validation.counts["training examples"] == len(examples)


def known_of(targets: Targets, n: int) -> tuple[bytes, ...]:
    """Everything that a model is given for one example."""
    histories = targets.histories
    start = histories.offsets[targets.sequence[n]]
    at = slice(start, start + targets.length[n])
    assert targets.labels is not None
    return (
        histories.item[at].tobytes(),
        histories.time[at].tobytes(),
        histories.kind[at].tobytes(),
        targets.labels.inputs[n].tobytes(),
        targets.item[n].tobytes(),
        *(
            features[at].tobytes()
            for features in (histories.item_features, histories.event_features)
            if features is not None
        ),
    )


def rich_fold_of(rows: list[LookOrBuy], seed: int, day: float, rewritten: int = 0) -> Fold:
    """With dwell, and courses and learners who have a row for every twenty days.

    Args:
        rows: of the log.
        seed: of what is said of courses and learners, and of the time spent on events.
        day: what is later than it is said by the seed plus `rewritten`.
        rewritten: what is added.
    """
    events = log_of(rows)

    def drawn(*key: int) -> float:
        late = rewritten if key[-1] > day * DAY else 0
        return float(np.random.default_rng((seed + late, *key)).exponential())

    def seconds(user: int, item: int, time: int) -> float:
        spent = 5 * DAY * drawn(user, item, time)
        # One that has not ended by then may last as long as it likes.
        return (spent + rewritten * DAY * (time + spent > day * DAY)) / 1e6

    dwell = [
        seconds(int(u), int(i), int(t))
        for u, i, t in zip(events.user, events.item, events.time, strict=True)
    ]
    table = pl.DataFrame(
        [
            (
                str(item),
                when * DAY,
                drawn(item, when * DAY),
                f"word{drawn(item, when * DAY):.0f} of",
            )
            for item in range(8)
            for when in range(0, END, 20)
        ],
        schema={"_id": pl.String, "_valid_from": pl.Int64, "price": pl.Float64, "title": pl.String},
        orient="row",
    )
    ages = pl.DataFrame(
        [
            (str(user), when * DAY, drawn(1000 + user, when * DAY))
            for user in np.unique(events.user).tolist()
            for when in range(0, END, 20)
        ],
        schema={"_id": pl.String, "_valid_from": pl.Int64, "age": pl.Float64},
        orient="row",
    )
    users, items = (
        pl.DataFrame({"_id": [str(code) for code in codes], "_label": [None] * len(codes)})
        for codes in (np.unique(events.user), np.unique(events.item))
    )
    dataset = replace(
        dataset_of(events),
        users=users,
        user_rows=ages,
        items=items,
        item_rows=table.with_columns(title=pl.col("title") + " course"),
    )
    log = {"path": "x", "user": "u", "item": "i", "time": "t", "dwell": "d"}
    courses = {"path": "y", "key": "i", "numeric": ["price"], "text": ["title"], "valid_from": "v"}
    learners = {"path": "z", "key": "u", "numeric": ["age"], "valid_from": "v"}
    experiment = purchase_experiment(
        data={"name": "test", "events": [log], "users": learners, "items": courses}
    )
    events = replace(events, dwell=np.array(dwell, np.float32))
    return make_fold("fold0", events, (CUT * DAY, END * DAY), dataset, experiment)


def by_moment(fold: Fold) -> dict[tuple[int, int], tuple[bytes, ...]]:
    targets = fold.validation
    user = targets.histories.user[targets.sequence]
    return {(int(user[n]), int(targets.time[n])): known_of(targets, n) for n in range(len(targets))}


@settings(max_examples=12)
@given(seed=st.integers(0, 50), day=st.integers(CUT + 5, END - 5), other=st.integers(51, 100))
def test_whatever_happens_after_an_example_leaves_what_is_known_of_it_as_it_was(
    seed: int, day: int, other: int
) -> None:
    """The log from a moment on is rewritten; examples up to it keep every byte."""
    rows = random_log(seed)
    early = [row for row in rows if row[2] < day]
    # New events of the same learners and courses, so that codes stay; each look stays where it is.
    rng = np.random.default_rng(other)
    late = [
        (user, int(rng.integers(8)), float(rng.uniform(day, END)), kind)
        for user, _, when, kind in rows
        if when >= day
    ]
    rewritten = early + late
    try:
        pairs = [
            (fold_of(rows), fold_of(rewritten)),
            (rich_fold_of(rows, seed, day), rich_fold_of(rewritten, seed, day, other)),
        ]
    except BadInput:  # nobody buys any more
        reject()
    for one, two in pairs:
        before, after = by_moment(one), by_moment(two)
        # An example's answer must be out by then, or rewriting could take it away.
        kept = [key for key in before if key[1] + 2 * DAY < day * DAY]
        assert kept
        for key in kept:
            assert after[key] == before[key]


def pulses(codes: np.ndarray, times: np.ndarray, column: str, early: int) -> pl.DataFrame:
    """Rows that say the code itself since ever, and 1000 at the microsecond of each event alone."""
    always = [(str(code), None, float(code)) for code in np.unique(codes).tolist()]
    pairs = zip(codes.tolist(), (times - early).tolist(), strict=True)
    pulse = [row for c, t in pairs for row in ((str(c), t, 1000.0), (str(c), t + 1, float(c)))]
    schema = {"_id": pl.String, "_valid_from": pl.Int64, column: pl.Float64}
    return pl.DataFrame(always + pulse, schema=schema, orient="row")


def pulsed_world(early: int | None) -> tuple[Dataset, Experiment]:
    """Rows of learners and courses pulse `early` microseconds before events; None: they do not."""
    events = log_of(random_log(3))
    tables: dict[str, Any] = {}
    for name, codes, column in (("user", events.user, "age"), ("item", events.item, "price")):
        ids = [str(code) for code in np.unique(codes)]
        rows = pulses(codes, events.time, column, early or 0)
        if early is None:
            rows = rows.filter(pl.col("_valid_from").is_null())
        tables |= {f"{name}s": pl.DataFrame({"_id": ids, "_label": [None] * len(ids)})}
        tables |= {f"{name}_rows": rows}
    dataset = replace(dataset_of(events), cuts=Cuts((), (END * DAY, END * DAY + 1)), **tables)
    log = {"path": "x", "user": "u", "item": "i", "time": "t"}
    courses = {"path": "y", "key": "i", "numeric": ["price"], "valid_from": "v"}
    learners = {"path": "z", "key": "u", "numeric": ["age"], "valid_from": "v"}
    experiment = purchase_experiment(
        data={"name": "test", "events": [log], "users": learners, "items": courses},
        purchase={"window_days": 2, "price": "price"},
    )
    return dataset, experiment


def everything(early: int | None) -> list[tuple[bytes, ...]]:
    """All that is known of every example, to learn from and to score, and the prices."""
    dataset, experiment = pulsed_world(early)
    fold = make_fold("fold0", dataset.development, (CUT * DAY, END * DAY), dataset, experiment)
    found = []
    for targets in (fold.training.examples, fold.validation):
        assert targets is not None
        assert isinstance(targets.labels, Labels)
        assert targets.labels.price is not None
        found += [known_of(targets, n) for n in range(len(targets))]
        found += [(targets.labels.price.tobytes(),)]
        assert targets.histories.item_features is not None
        found += [(targets.histories.item_features.tobytes(),)]
    histories = whole_development(dataset, experiment).validation.histories
    assert histories.item_features is not None
    return [*found, (histories.item_features.tobytes(),)]


def test_a_row_that_is_valid_from_an_events_own_microsecond_is_too_late_for_it() -> None:
    undisturbed = everything(None)
    assert everything(0) == undisturbed
    early = everything(1)
    assert all(one != other for one, other in zip(early, undisturbed, strict=True))


def test_the_time_spent_on_earlier_events_reaches_what_is_known() -> None:
    rows = random_log(1)
    one, other = (rich_fold_of(rows, 1, 0, rewritten) for rewritten in (0, 7))
    assert one.validation.histories.event_features is not None
    assert by_moment(one) != by_moment(other)
    assert one.validation.labels is not None
    assert {"age", "price"} <= {*one.validation.labels.columns}
    names = [c for c in one.validation.labels.columns if c.startswith("event.dwell")]
    assert {*names} == {"event.dwell (mean)", "event.dwell (last)", "event.dwell (this course)"}


def test_no_summary_of_the_dwell_stays_where_it_is_left_out() -> None:
    fold = with_features(rich_fold_of(random_log(1), 1, END), ["price", "title"])
    labels = fold.validation.labels
    assert labels is not None
    assert not any(column.startswith("event.") for column in labels.columns)
    assert labels.inputs.shape[1] == len(labels.columns)


def test_an_earlier_event_does_reach_what_is_known() -> None:
    rows = random_log(1)
    changed = [(0, 3, 0.001, "browse"), *rows]
    before, after = by_moment(fold_of(rows)), by_moment(fold_of(changed))
    different = [key for key in before if key in after and before[key] != after[key]]
    assert {user for user, _ in different} >= {0}


def test_prices_of_the_examples_courses_are_at_hand() -> None:
    experiment = purchase_experiment(purchase={"window_days": 2, "price": "price"})
    fold = fold_of(random_log(0), experiment)
    labels = fold.validation.labels
    assert isinstance(labels, Labels)
    assert labels.price is not None
    np.testing.assert_array_equal(labels.price, fold.items[fold.validation.item])


def test_a_price_that_is_no_numeric_column_is_named() -> None:
    experiment = purchase_experiment(purchase={"window_days": 2, "price": "prize"})
    with pytest.raises(BadInput, match=r"purchase\.price: 'prize'.*did you mean 'price'"):
        fold_of(random_log(0), experiment)


def test_a_log_without_a_purchase_is_refused_with_the_counts() -> None:
    rows = [row for row in random_log(0) if row[3] == "browse"]
    with pytest.raises(BadInput, match=r"fold0: of \d+ examples to learn from 0 are purchases"):
        fold_of(rows)


def test_a_period_begins_with_its_start_and_its_last_windows_end_with_it() -> None:
    rows: list[LookOrBuy] = [(0, n, float(n), "browse") for n in range(1, 8)]
    rows += [(0, 3, 4.0, "purchase"), (0, 2, 3.9, "purchase"), (0, 4, 8.0, "purchase")]
    events = log_of(rows)
    found, bought, counts = find_examples(events, TWO_DAYS, 2 * DAY, 7 * DAY)
    assert events.item[found].tolist() == [2, 3, 4, 5]
    assert bought.tolist() == [True, True, False, False]
    assert counts == {
        "exposures": 5,  # of the days 2 to 6
        "same course at the same time": 0,
        "window not over by the end": 1,
        "course bought before": 0,
    }
    ever, _, _ = find_examples(events, TWO_DAYS, None, 7 * DAY)
    assert events.item[ever].tolist() == [1, 2, 3, 4, 5]


def test_what_was_bought_before_the_period_is_no_question_in_it() -> None:
    rows: list[LookOrBuy] = [
        (0, 0, 1.0, "browse"), (0, 0, 1.5, "purchase"), (0, 0, 5.0, "browse"),
        (1, 0, 5.0, "browse"), (0, 1, 5.5, "browse"), (1, 1, 4.0, "purchase"),
    ]  # fmt: skip
    events = log_of(rows)
    found, bought, counts = find_examples(events, TWO_DAYS, 3 * DAY, 9 * DAY)
    assert [(int(events.user[n]), int(events.item[n])) for n in found] == [(0, 1), (1, 0)]
    assert not bought.any()
    assert counts["course bought before"] == 1


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1), st.integers(0, 2), st.integers(0, 12),
            st.sampled_from(["browse", "favourite", "purchase"]),
        ),
        min_size=1, max_size=25, unique=True,
    ),
    st.integers(0, 6),
)  # fmt: skip
def test_examples_are_those_of_plain_loops(
    drawn: list[tuple[int, int, int, str]], start: int
) -> None:
    rows: list[LookOrBuy] = [(u, i, float(d), kind) for u, i, d, kind in drawn]
    events, end = log_of(rows), 11
    rule = Purchase(exposures=("favourite", "browse"), window_days=3)
    found, bought, _ = find_examples(events, rule, start * DAY, end * DAY)
    expected = {}
    for u, i, d, kind in rows:
        buys = [e for v, j, e, k in rows if (v, j, k) == (u, i, "purchase")]
        asked = kind != "purchase" and start <= d and d + 3 <= end
        if asked and not any(e < d for e in buys):
            expected[u, i, d] = any(d <= e < d + 3 for e in buys)
    keys = [(int(events.user[n]), int(events.item[n]), float(events.time[n] / DAY)) for n in found]
    assert dict(zip(keys, bought.tolist(), strict=True)) == expected
    assert len(keys) == len(expected)


def test_the_history_of_an_example_worked_by_hand() -> None:
    rows: list[LookOrBuy] = [
        (0, 0, 10.0, "browse"), (0, 0, 11.0, "purchase"), (0, 1, 20.0, "browse"),
        (1, 1, 30.0, "browse"), (2, 0, 40.0, "browse"), (2, 0, 41.0, "purchase"),
        (1, 0, 70.0, "browse"), (1, 0, 70.5, "purchase"), (1, 2, 70.5, "browse"),
        (1, 3, 75.0, "browse"), (0, 3, 80.0, "browse"), (3, 1, 85.0, "browse"),
    ]  # fmt: skip
    fold = fold_of(rows)
    examples, asked = fold.training.examples, fold.validation
    assert examples is not None
    assert fold.items.tolist() == [0, 1]
    assert examples.histories.user.tolist() == [0, 1, 2]
    assert examples.sequence.tolist() == [0, 0, 1, 2]
    assert examples.length.tolist() == [0, 2, 0, 0]
    assert examples.histories.offsets.tolist() == [0, 2, 2, 2]
    assert examples.histories.item.tolist() == [0, 0]
    assert examples.histories.kind.tolist() == [0, BOUGHT]
    # Courses 2 and 3 are new: they are asked about, and no part of a history.
    assert asked.histories.user.tolist() == [0, 1, 3]
    assert asked.item.tolist() == [UNKNOWN, 0, UNKNOWN, UNKNOWN, 1]
    assert asked.sequence.tolist() == [0, 1, 1, 1, 2]
    assert asked.length.tolist() == [3, 1, 2, 3, 0]
    assert asked.histories.offsets.tolist() == [0, 3, 6, 6]
    assert asked.histories.item.tolist() == [0, 0, 1, 1, 0, 0]
    assert (asked.histories.time / DAY).tolist() == [10, 11, 20, 30, 70, 70.5]
    assert asked.histories.item_features is None
    assert asked.histories.event_features is None
    assert asked.histories.features.shape == (3, 1)
    assert (asked.time / DAY).tolist() == [80, 70, 70.5, 75, 85]
    assert asked.kind is not None
    assert asked.kind.tolist() == [0] * 5
    assert not asked.drop_seen
    assert asked.counts["course unknown to training"] == 3
    assert asked.counts["purchases"] == 1
    labels = asked.labels
    assert isinstance(labels, Labels)
    assert labels.bought.tolist() == [False, True, False, False, False]
    assert labels.columns[:2] == ("age", "price")
    assert labels.inputs.dtype == np.float32
    assert labels.inputs.flags["C_CONTIGUOUS"]
    none = labels.columns.index("history: none")
    assert labels.inputs[:, none].tolist() == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("first", [[], [(0, 3, 1.0, "browse")]])
def test_of_two_looks_at_a_course_at_the_same_time_the_first_is_an_example(
    first: list[LookOrBuy],
) -> None:
    log = log_of([*first, (1, 0, 2.0, "browse"), (1, 0, 2.0, "browse"), (1, 2, 3.0, "browse")])
    rows, _, counts = find_examples(log, TWO_DAYS, None, 99 * DAY)
    assert rows.tolist() == [*range(len(first)), len(first), len(first) + 2]
    assert counts["same course at the same time"] == 1
