"""What is learned from and what is scored, where the answers are purchases."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from purchases import (
    CUT,
    END,
    LookOrBuy,
    dataset_with_prices,
    fold_of,
    log_of,
    purchase_experiment,
    random_log,
)
from worlds import dataset_of

from recsweep.config.schema import Experiment
from recsweep.data.clock import DAY
from recsweep.data.likeness import LIKENESS
from recsweep.data.types import KINDS, Dataset, Labels, Targets
from recsweep.errors import BadInput
from recsweep.tasks.folds import make_fold
from recsweep.tasks.purchase.folds import _prices, examples_in, history_inputs
from recsweep.tasks.purchase.settings import Purchase

LOOKS: list[LookOrBuy] = [
    (0, 0, 10.0, "browse"), (0, 0, 11.0, "purchase"), (0, 1, 20.0, "browse"),
    (1, 0, 59.0, "browse"), (1, 1, 70.0, "browse"), (1, 1, 70.5, "purchase"),
    (0, 2, 75.0, "browse"), (0, 0, 80.0, "browse"), (1, 2, 99.0, "browse"),
]  # fmt: skip


def answered(targets: Targets | None) -> list[tuple[float, bool]]:
    """(day, bought) of each example."""
    assert targets is not None
    assert isinstance(targets.labels, Labels)
    days = (targets.time / DAY).tolist()
    return sorted(zip(days, targets.labels.bought.tolist(), strict=True))


def test_a_fold_learns_from_looks_before_the_cut_and_asks_about_those_of_the_window() -> None:
    fold = fold_of(LOOKS)
    assert answered(fold.training.examples) == [(10, True), (20, False)]
    assert answered(fold.validation) == [(70, True), (75, False)]
    assert fold.validation.counts == {
        "exposures": 4,
        "same course at the same time": 0,
        "window not over by the end": 1,
        "course bought before": 1,
        "course unknown to training": 1,
        "purchases": 1,
        "training: window not over by the cut": 1,
        "training examples": 2,
        "training purchases": 1,
    }


def test_training_is_laid_out_as_its_examples_are() -> None:
    fold = fold_of(random_log(0))
    training, examples = fold.training, fold.training.examples
    assert examples is not None
    assert training.sequences is examples.histories
    assert training.n_items == len(fold.items) == len(training.item_features)
    assert (training.user_columns, training.item_columns) == (("age",), ("price",))
    assert training.event_columns == ()


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            [row for row in LOOKS if row[3] == "browse"],
            r"^fold0: of 2 examples to learn from 0 are purchases, and both answers are needed \("
            r"3 exposures, .*0 purchases\); check purchase\.exposures and purchase\.window_days, "
            r"or lower folds\.count, folds\.validation or folds\.test$",
        ),
        (
            [row for row in LOOKS if row[2] != 20],
            "^fold0: of 1 examples to learn from 1 are purchases, and both answers are needed",
        ),
        (
            [row for row in LOOKS if row[2] != 70.5],
            r"^fold0: of 2 examples in its window 0 are purchases, .* or raise folds\.validation$",
        ),
        (
            [row for row in LOOKS if row[2] != 75],
            "^fold0: of 1 examples in its window 1 are purchases",
        ),
        ([(0, 0, 70.0, "browse")], "^fold0: of 0 examples to learn from 0 are purchases"),
    ],
)
def test_one_answer_alone_is_refused_with_the_counts(rows: list[LookOrBuy], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        fold_of(rows)


def test_a_history_counts_what_training_holds_alone() -> None:
    labels = fold_of(LOOKS).validation.labels
    assert labels is not None
    at = labels.columns.index("course: events")
    # Course 1 has one event before the cut, and course 2, which is looked at next, is new.
    assert labels.inputs[:, at] == pytest.approx([0, np.log1p(1)])
    kinds = [c for c in labels.columns if c.startswith("history: ") and c.endswith(" events")]
    assert kinds == ["history: browse events", "history: purchase events"]


def test_types_of_events_that_only_the_window_holds_are_no_input() -> None:
    rows: list[LookOrBuy] = [*LOOKS, (0, 1, 71.0, "favourite")]
    labels = fold_of(rows).validation.labels
    assert labels is not None
    assert "history: favourite events" not in labels.columns


@pytest.mark.parametrize("ablation", [False, True])
def test_likenesses_by_column_are_kept_where_columns_will_be_left_out(ablation: bool) -> None:
    spaces: dict[str, Any] = {"gru": "search_spaces/purchase/gru.yaml"}
    if ablation:
        spaces["x"] = {"space": "search_spaces/purchase/gru.yaml", "features": ["age"]}
    labels = fold_of(random_log(1), purchase_experiment(families=spaces)).validation.labels
    assert isinstance(labels, Labels)
    assert (labels.likeness is not None) is ablation
    assert LIKENESS in labels.columns


def priced(column: str | None, dataset: Dataset, rows: list[LookOrBuy]) -> Any:
    events = log_of(rows)
    return _prices(dataset, column, events, np.arange(len(events)))


def test_a_price_is_the_one_just_before_the_look_and_unknown_before_the_first() -> None:
    rows: list[LookOrBuy] = [(0, 0, d, "browse") for d in (1.0, 2.0, 3.0)] + [(1, 1, 5.0, "browse")]
    plain = dataset_of(log_of(rows))
    table = pl.DataFrame(
        {
            "_id": ["a", "a"],
            "_valid_from": [2 * DAY - 1, 3 * DAY],
            "price": [10, 20],
            "name": ["x", "y"],
        }
    )
    ids = pl.DataFrame({"_id": ["a", "b"]})
    dated = Dataset(
        folder=plain.folder, fingerprint="none", cuts=plain.cuts, development=plain.development,
        users=None, items=ids, n_users=2, n_items=2, item_rows=table,
    )  # fmt: skip
    found = priced("price", dated, rows)
    np.testing.assert_array_equal(found, [np.nan, 10, 10, np.nan])
    assert found.dtype == np.float64
    assert priced(None, dated, rows) is None
    with pytest.raises(BadInput, match=r"^purchase\.price: 'name' is no numeric column of items"):
        priced("name", dated, rows)
    with pytest.raises(BadInput, match=r"'names' is no numeric .*; allowed: price$"):
        priced("names", dated, rows)
    with pytest.raises(BadInput, match=r"'prices' is no numeric .*did you mean 'price'\?"):
        priced("prices", dataset_with_prices(log_of(rows)), rows)


def session_experiment() -> Experiment:
    table = {"path": "x", "label": "bought", "positive": ["1"], "numeric": ["pages"]}
    return purchase_experiment(
        data={"name": "shop", "sessions": table},
        folds={"rule": "stratified", "count": 2, "test": 0.2},
    )


def test_every_row_of_a_table_of_sessions_is_an_example_without_a_history() -> None:
    rows: list[LookOrBuy] = [(n, 0, 0.0, "purchase" if n % 3 == 0 else "browse") for n in range(8)]
    events = log_of(rows)
    of = np.arange(8) % 2 == 0
    split: Any = SimpleNamespace(events=events, experiment=session_experiment())
    found, bought, counts = examples_in(split, Purchase(), 5, 6, of)
    assert found.tolist() == [0, 2, 4, 6]
    assert bought.tolist() == [True, False, False, True]
    assert counts == {}
    assert history_inputs(split) is None


def test_what_a_history_is_counted_against_lies_before_the_cut_and_in_the_catalogue() -> None:
    events = log_of(LOOKS)
    index = np.where(events.item == 2, -1, events.item).astype(np.int32)
    before = events.time < CUT * DAY
    split: Any = SimpleNamespace(
        events=events,
        before=before,
        learned=SimpleNamespace(index=np.where(events.item == 1, -1, index), encoder=None),
        experiment=purchase_experiment(),
    )
    inputs = history_inputs(split)
    assert inputs is not None
    assert inputs.kinds == (KINDS.index("browse"), KINDS.index("purchase"))
    asked = np.array([0, 0, 1], np.int32)
    late = np.full(3, END * DAY)
    assert inputs.counted.before(asked, late).tolist() == [3, 3, 0]
    assert not inputs.ablation


def test_the_price_of_an_experiment_reaches_its_examples_and_no_others() -> None:
    experiment = purchase_experiment(purchase={"window_days": 2, "price": "price"})
    fold = make_fold(
        "fold0",
        log_of(LOOKS),
        (CUT * DAY, END * DAY),
        dataset_with_prices(log_of(LOOKS)),
        experiment,
    )
    assert isinstance(fold.validation.labels, Labels)
    assert fold.validation.labels.price is not None
    assert sorted(fold.validation.labels.price.tolist()) == [1, 2]
    without = fold_of(LOOKS).validation.labels
    assert isinstance(without, Labels)
    assert without.price is None
