import random

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from recsweep.data.cleaning import EVENTS
from recsweep.data.indexing import Indexed, index_events

ROW = st.tuples(
    st.sampled_from(["9", "10", "ä", "u"]),
    st.sampled_from(["a", "b", "Z", "é"]),
    st.integers(0, 6),
    st.integers(0, 1),
)
Rows = list[tuple[str, str, int, int]]


def index(rows: Rows) -> Indexed:
    return index_events(pl.DataFrame(rows, schema=EVENTS, orient="row"))


def same(one: Indexed, other: Indexed) -> bool:
    columns = ("user", "item", "time", "kind")
    return (
        all(np.array_equal(getattr(one.events, c), getattr(other.events, c)) for c in columns)
        and one.users.to_list() == other.users.to_list()
        and one.items.to_list() == other.items.to_list()
        and one.duplicates == other.duplicates
    )


def raw_rows(indexed: Indexed) -> Rows:
    e = indexed.events
    return [
        (indexed.users[int(u)], indexed.items[int(i)], int(t), int(k))
        for u, i, t, k in zip(e.user, e.item, e.time, e.kind, strict=True)
    ]


def test_codes_follow_the_clock_and_ties_follow_the_raw_id_as_text() -> None:
    found = index([("9", "b", 5, 0), ("10", "a", 5, 0), ("1", "c", 9, 0), ("1", "a", 7, 0)])
    assert found.users.to_list() == ["10", "9", "1"]
    assert found.items.to_list() == ["a", "b", "c"]


def test_events_are_ordered_by_user_time_item_and_kind() -> None:
    rows = [("u", "b", 5, 1), ("u", "b", 5, 0), ("u", "a", 5, 0), ("u", "a", 3, 0)]
    assert raw_rows(index(rows)) == [rows[3], rows[2], rows[1], rows[0]]


def test_exact_duplicates_are_dropped_and_counted_and_repeats_stay() -> None:
    found = index([("u", "a", 1, 0)] * 3 + [("u", "a", 1, 1), ("u", "a", 2, 0)])
    assert len(found.events) == 3
    assert found.duplicates == 2


def test_of_duplicates_the_one_stays_that_lasted_longest() -> None:
    rows = pl.DataFrame([("u", "a", 1, 0)] * 3 + [("u", "a", 2, 0)], schema=EVENTS, orient="row")
    dwell = pl.Series([3.0, None, 7.0, None], dtype=pl.Float32)
    found = index_events(rows.with_columns(dwell=dwell))
    assert found.duplicates == 2
    np.testing.assert_array_equal(found.events.dwell, [7, np.nan])


def test_one_event_is_enough() -> None:
    found = index([("u", "a", 1, 0)])
    assert (len(found.events), found.duplicates) == (1, 0)
    assert found.events.user.dtype == np.int32
    assert found.events.item.dtype == np.int32
    assert found.events.time.dtype == np.int64
    assert found.events.kind.dtype == np.int8


@given(st.lists(ROW, min_size=1, max_size=25), st.randoms(use_true_random=False))
def test_shuffling_the_raw_rows_changes_nothing(rows: Rows, rng: random.Random) -> None:
    shuffled = rng.sample(rows, len(rows))
    assert same(index(rows), index(shuffled))


@given(st.lists(ROW, min_size=1, max_size=25), st.lists(ROW, max_size=10))
def test_later_events_never_change_an_earlier_code_or_order(rows: Rows, more: Rows) -> None:
    later = [(user, item, time + 7, kind) for user, item, time, kind in more]
    before, after = index(rows), index(rows + later)
    assert after.users.to_list()[: len(before.users)] == before.users.to_list()
    assert after.items.to_list()[: len(before.items)] == before.items.to_list()
    early = after.events.time < 7
    assert np.array_equal(after.events.item[early], before.events.item)


@given(st.lists(ROW, min_size=1, max_size=25))
def test_no_event_is_lost_or_made_up(rows: Rows) -> None:
    found = index(rows)
    assert sorted(raw_rows(found)) == sorted(set(rows))
    assert found.duplicates == len(rows) - len(set(rows))
