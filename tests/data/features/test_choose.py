from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from purchases import CUT, END, dataset_with_prices, log_of, purchase_experiment, random_log
from worlds import dataset_of, events_of, experiment_of

from recsweep.data.clock import DAY
from recsweep.data.features.choose import with_features
from recsweep.data.types import Fold, Targets
from recsweep.tasks.folds import make_fold
from recsweep.testing.worlds import world

ROWS = [(u, (u + k) % 3, 10 * u + k) for u in range(4) for k in range(2)]
LATE = [(u, (u + 2) % 3, 110 + u) for u in range(4)]


def fold_of(features: list[str] | None) -> Fold:
    events = events_of([*ROWS, *LATE])
    users = pl.DataFrame({"_id": list("wxyz"), "age": [1.0, 2.0, 3.0, None], "job": list("abab")})
    items = pl.DataFrame({"_id": list("abc"), "price": [1.0, 2.0, 4.0], "kind": list("uvv")})
    dataset = replace(dataset_of(events), users=users, items=items)
    return make_fold("fold0", events, (100, 200), dataset, experiment_of(features=features))


@pytest.mark.parametrize("names", [[], ["age"], ["price", "job"], ["kind"]])
def test_choosing_columns_is_what_encoding_only_them_would_give(names: list[str]) -> None:
    chosen, alone = with_features(fold_of(None), names), fold_of(names)
    for one, other in (
        (chosen.training.item_features, alone.training.item_features),
        (chosen.training.sequences.features, alone.training.sequences.features),
        (chosen.validation.histories.features, alone.validation.histories.features),
    ):
        assert one.shape == other.shape
        assert np.array_equal(one, other)
        assert one.flags["C_CONTIGUOUS"]
    assert chosen.training.item_columns == alone.training.item_columns


def test_without_a_choice_the_fold_stays_the_same_one() -> None:
    fold = fold_of(None)
    assert with_features(fold, None) is fold
    assert with_features(fold, ["age", "job", "price", "kind"]) is fold


def purchase_fold_of(dated: bool, **experiment: object) -> Fold:
    events = log_of(random_log(3))
    dataset = dataset_with_prices(events)
    assert dataset.items is not None
    codes = range(dataset.n_items)
    items = dataset.items.with_columns(
        _id=pl.Series([f"c{n}" for n in codes]), kind=pl.Series([f"k{n % 3}" for n in codes])
    )
    if dated:
        rows = items.with_columns(_valid_from=pl.Series([20 * DAY] * len(items)))
        dataset = replace(dataset, items=items.select("_id"), item_rows=rows)
    else:
        dataset = replace(dataset, items=items)
    asked = purchase_experiment(**experiment)
    return make_fold("fold0", events, (CUT * DAY, END * DAY), dataset, asked)


@pytest.mark.parametrize("dated", [False, True])
@pytest.mark.parametrize("names", [[], ["age"], ["price"], ["kind", "age"]])
def test_examples_of_a_purchase_are_those_that_only_the_chosen_columns_would_give(
    names: list[str], dated: bool
) -> None:
    arm = {"space": "search_spaces/purchase/gru.yaml", "features": names}
    whole = purchase_fold_of(dated, families={"gru": "search_spaces/purchase/gru.yaml", "x": arm})
    chosen, alone = with_features(whole, names), purchase_fold_of(dated, features=names)

    def same(one: Targets | None, other: Targets | None) -> None:
        assert one is not None
        assert other is not None
        assert one.labels is not None
        assert other.labels is not None
        assert one.labels.columns == other.labels.columns
        np.testing.assert_allclose(one.labels.inputs, other.labels.inputs, rtol=1e-6, atol=1e-7)
        assert np.array_equal(one.histories.features, other.histories.features)
        dated_one, dated_other = one.histories.item_features, other.histories.item_features
        if dated_one is None or dated_other is None:
            assert dated_one is dated_other
        else:
            assert np.array_equal(dated_one, dated_other)

    same(chosen.training.examples, alone.training.examples)
    same(chosen.validation, alone.validation)
    assert np.array_equal(chosen.training.item_features, alone.training.item_features)


def test_columns_of_learners_courses_and_events_are_chosen_alike() -> None:
    fold = world("purchase", {})
    assert fold.training.event_columns == ("event.dwell",) * len(fold.training.event_columns)
    for names, of_users, of_items, of_events in (
        (["age"], ("age",), (), False),
        (["price", "event.dwell"], (), ("price",), True),
        (["level"], (), ("level",) * 3, False),
        ([], (), (), False),
    ):
        found = with_features(fold, names)
        training = found.training
        assert training.user_columns == of_users
        assert training.item_columns == of_items
        assert bool(training.event_columns) is of_events
        assert training.item_features.shape[1] == len(of_items)
        assert training.examples is not None
        for targets in (training.examples, found.validation):
            labels, histories = targets.labels, targets.histories
            assert labels is not None
            assert labels.inputs.shape == (len(targets), len(labels.columns))
            assert histories.features.shape[1] == len(of_users)
            assert histories.event_features is not None
            assert histories.event_features.shape[1] == len(training.event_columns)
            told = {c for c in labels.columns if c.startswith("event.dwell")}
            assert len(told) == 3 * of_events
            assert {"age", "price", "level"} & {*labels.columns} == {*of_users, *of_items}
            assert "history: none" in labels.columns  # counts of a history stay


def test_what_is_left_keeps_its_numbers() -> None:
    fold = world("purchase", {})
    before = fold.validation.labels
    after = with_features(fold, ["price"]).validation.labels
    assert before is not None
    assert after is not None
    of = [n for n, c in enumerate(before.columns) if c in after.columns]
    assert [before.columns[n] for n in of] == list(after.columns)
    assert np.array_equal(before.inputs[:, of], after.inputs)
    assert after.inputs.flags["C_CONTIGUOUS"]


def test_columns_of_texts_are_chosen_too() -> None:
    fold = world("text", {})
    assert fold.training.user_columns == ("age",)
    found = with_features(fold, [])
    for targets in (found.training.examples, found.validation):
        assert targets is not None
        assert targets.labels is not None
        assert targets.labels.inputs.shape == (len(targets), 0)
        assert targets.labels.columns == ()
    assert with_features(fold, ["age"]) is fold
