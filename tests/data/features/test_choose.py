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
