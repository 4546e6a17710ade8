"""What a fold is given of a table that carries times."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import dataset_of, events_of, experiment_of

from recsweep.data.types import Fold
from recsweep.tasks.folds import make_fold

LOG = [(u, i, t) for u in range(4) for t, i in enumerate((u % 3, (u + 1) % 3, (u + 2) % 3))]
CUT, END = 100, 200
WINDOW = [(u, u % 3, CUT + 10 + u) for u in range(4)]
ITEMS = [("c0", 0, 1.0), ("c1", 0, 2.0), ("c2", 0, 4.0)]
Row = tuple[str, int, float]


def fold_of(rows: list[Row]) -> Fold:
    events = events_of([*LOG, *WINDOW])
    table = {"_id": ["c0", "c1", "c2"], "_label": [None] * 3}
    columns = {"_id": pl.String, "_valid_from": pl.Int64, "price": pl.Float64}
    dataset = replace(
        dataset_of(events),
        items=pl.DataFrame(table),
        item_rows=pl.DataFrame(rows, schema=columns, orient="row"),
    )
    experiment = experiment_of(targets={"seen": "keep"})
    return make_fold("fold0", events, (CUT, END), dataset, experiment)


later_rows = st.lists(
    st.tuples(st.sampled_from(["c0", "c1", "c2"]), st.integers(CUT + 1, 999), st.floats(0, 1e6)),
    unique_by=lambda row: row[:2],
)


@given(later_rows)
def test_a_price_that_is_valid_only_after_the_cut_reaches_nothing_of_the_fold(
    later: list[Row],
) -> None:
    one, other = fold_of(ITEMS), fold_of([*ITEMS, *later])
    assert one.training.item_features.tobytes() == other.training.item_features.tobytes()


def test_the_row_of_the_cut_counts() -> None:
    before = fold_of(ITEMS).training.item_features
    after = fold_of([*ITEMS, ("c0", CUT, 9.0)]).training.item_features
    assert not np.array_equal(before, after)


def test_a_course_of_which_nothing_is_known_yet_is_encoded_as_missing() -> None:
    features = fold_of([*ITEMS[:2], ("c2", CUT + 1, 4.0)]).training.item_features
    assert features[:, 0] == pytest.approx([-1, 1, 0])
    assert features[:, 1].tolist() == [0, 0, 1]
