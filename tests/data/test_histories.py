import polars as pl

from recsweep.config.schema import Data
from recsweep.data.clock import DAY, iso
from recsweep.data.histories import in_order, last_session

LOG = {"path": "x", "user": "u", "item": "i"}


def data(**keys: object) -> Data:
    log = {**LOG, **({"time": "t"} if "session_gap_minutes" in keys else {"order": "row"})}
    return Data.model_validate({"name": "x", "events": [log], **keys})


def events(*users: str, minutes: tuple[int, ...] = ()) -> pl.DataFrame:
    times = [minute * 60 * 10**6 for minute in minutes] or [0] * len(users)
    named = pl.Series(users, dtype=pl.Categorical)
    return pl.DataFrame({"user": named, "time": pl.Series(times, dtype=pl.Int64)})


def test_without_times_each_event_of_a_learner_is_a_day_later() -> None:
    found = in_order(events("a", "b", "a", "a", "b"), data())["time"]
    assert found.dtype == pl.Int64
    assert [iso(time)[:10] for time in found] == [
        "1970-01-01", "1970-01-01", "1970-01-02", "1970-01-03", "1970-01-02"
    ]  # fmt: skip
    assert found[3] == 2 * DAY == 2 * 24 * 3600 * 10**6


def test_after_a_gap_a_learner_begins_another_session() -> None:
    log = events("a", "b", "a", "a", minutes=(0, 5, 30, 61))
    found = in_order(log, data(session_gap_minutes=30))["user"]
    assert found.to_list() == ["a #1", "b #1", "a #1", "a #2"]


def test_a_pause_as_long_as_the_gap_ends_no_session_and_rows_may_be_in_any_order() -> None:
    log = events("b", "a", "a", "b", "a", minutes=(90, 61, 30, 0, 0))
    found = in_order(log, data(session_gap_minutes=30))
    assert found["user"].to_list() == ["b #2", "a #2", "a #1", "b #1", "a #1"]
    assert found["user"].dtype == pl.Categorical
    assert found["time"].to_list() == log["time"].to_list()


def test_a_gap_is_in_minutes() -> None:
    log = events("a", "a", "a", minutes=(0, 600, 1201))
    assert in_order(log, data(session_gap_minutes=600))["user"].to_list() == [
        "a #1",
        "a #1",
        "a #2",
    ]


def test_a_log_with_times_and_without_a_gap_stays_as_it_is() -> None:
    log = events("a", "a", minutes=(0, 500))
    plain = Data.model_validate({"name": "x", "events": [{**LOG, "time": "t"}]})
    assert in_order(log, plain).equals(log)
    assert last_session(log, plain).equals(log)


def test_of_each_learner_the_last_session_is_what_came_after_the_last_gap() -> None:
    log = events("a", "b", "a", "a", "b", "a", minutes=(0, 0, 40, 41, 10, 100))
    found = last_session(log, data(session_gap_minutes=30))
    assert found.columns == ["user", "time"]
    assert found["user"].to_list() == ["b", "b", "a"]
    assert found["time"].to_list() == [minute * 60 * 10**6 for minute in (0, 10, 100)]
