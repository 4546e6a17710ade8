from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from worlds import dataset_of, events_of, experiment_of

from recsweep.data.features import with_features
from recsweep.data.folds import make_fold
from recsweep.data.types import Fold

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
