import os
import platform
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recsweep.records.live import (
    NAME,
    LiveSweep,
    at_stage,
    end_in,
    myself,
    process_lives,
    read_live,
    seconds_after,
    write_live,
)


def live(**changes: object) -> LiveSweep:
    keys = {
        "study": "test",
        "description": "",
        "metric": "ndcg@10",
        "targets": {"gru": 3},
        "epochs": 8,
        "workers": 2,
        "started": datetime(2026, 1, 1, tzinfo=UTC),
        "project": "p",
        "stage": "search",
        "later": ("select", "confirm", "report"),
        **myself(),
    }
    return LiveSweep.model_validate({**keys, **changes})


def test_seconds_beside_training_are_the_rest_of_this_stage_and_all_of_the_later_ones() -> None:
    assert seconds_after("search", ["select", "confirm", "report"]) == 2 + 1 + 7 + 1
    assert seconds_after("confirm", ["report"]) == 3.5 + 1  # its refits come first


def test_a_sweep_is_read_back_and_what_is_none_of_ours_is_no_sweep(tmp_path: Path) -> None:
    assert read_live(tmp_path) is None
    write_live(live(), tmp_path)
    assert read_live(tmp_path) == live()
    (tmp_path / NAME).write_text('{"study": 1}')
    assert read_live(tmp_path) is None


@pytest.mark.parametrize(
    ("changes", "alive"),
    [
        ({}, True),
        ({"stage": None}, True),
        ({"later": ()}, True),
        ({"stage": None, "later": ()}, False),
    ],
)
def test_a_sweep_lives_while_a_stage_is_under_way_or_to_come(
    changes: dict[str, object], alive: bool
) -> None:
    assert live(**changes).alive() is alive


def test_a_process_that_ended_lives_no_more_and_of_another_machines_nobody_knows() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = platform.node()
    assert process_lives(os.getpid(), here)
    assert not process_lives(ended.pid, here)
    assert process_lives(ended.pid, f"not-{here}")
    assert not live(pid=ended.pid).alive()


def test_an_end_is_in_so_many_seconds_or_unknown() -> None:
    assert end_in(None) is None
    end = end_in(60)
    assert end is not None
    assert timedelta(0) <= datetime.now(UTC) + timedelta(seconds=60) - end < timedelta(seconds=20)


def test_a_stage_is_under_way_until_it_ends_and_tells_how_far_it_is(tmp_path: Path) -> None:
    write_live(live(stage=None, later=("confirm", "report"), pid=1, done=4, total=9), tmp_path)
    with at_stage(tmp_path, "confirm") as far:
        begun = read_live(tmp_path)
        assert begun is not None
        assert (begun.stage, begun.later, begun.done, begun.total) == ("confirm", ("report",), 0, 0)
        assert (begun.pid, begun.ends) == (os.getpid(), None)
        far(2, 6, 30.0)
        told = read_live(tmp_path)
        assert told is not None
        assert (told.done, told.total) == (2, 6)
        assert told.ends is not None
        left = (told.ends - datetime.now(UTC)).total_seconds()
        assert left == pytest.approx(30 + 3.5 + 1, abs=20)
    ended = read_live(tmp_path)
    assert ended is not None
    assert (ended.stage, ended.later) == (None, ("report",))


@pytest.mark.parametrize(("hours", "known"), [(1, True), (-1, False)])
def test_an_expected_end_stands_until_it_is_past(tmp_path: Path, hours: int, known: bool) -> None:
    ends = datetime.now(UTC) + timedelta(hours=hours)
    write_live(live(ends=ends), tmp_path)
    with at_stage(tmp_path, "report"):
        found = read_live(tmp_path)
    assert found is not None
    assert found.ends == (ends if known else None)


def test_after_a_stage_that_fails_nothing_follows(tmp_path: Path) -> None:
    write_live(live(), tmp_path)
    with pytest.raises(RuntimeError), at_stage(tmp_path, "select"):
        raise RuntimeError
    found = read_live(tmp_path)
    assert found is not None
    assert (found.stage, found.later) == (None, ())


def test_where_no_sweep_began_a_stage_writes_nothing(tmp_path: Path) -> None:
    with at_stage(tmp_path, "confirm") as far:
        far(1, 2, 3.0)
    assert not list(tmp_path.iterdir())


def test_a_process_of_somebody_else_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def refused(pid: int, signal: int) -> None:
        asked.append((pid, signal))
        raise PermissionError

    monkeypatch.setattr(os, "kill", refused)
    assert process_lives(7, platform.node())
    assert asked == [(7, 0)]  # a signal that does nothing


def test_the_least_that_is_known_of_a_sweep_is_of_one_that_nobody_works_on() -> None:
    keys = {"study", "description", "metric", "targets", "epochs", "workers", "started", "project"}
    least = LiveSweep.model_validate(live().model_dump(include=keys))
    assert (least.done, least.total, least.pid, least.interrupted) == (0, 0, 0, False)
    assert (least.stage, least.later, least.ended, least.ends) == (None, (), None, None)
    assert not least.alive()


def test_seconds_beside_training_are_those_of_each_stage() -> None:
    assert [seconds_after(verb, []) for verb in ("search", "select", "confirm", "report")] == [
        2.0, 1.0, 3.5, 1.0
    ]  # fmt: skip
    assert seconds_after("select", ["confirm"]) == 1 + 7


def test_how_far_a_stage_is_counts_what_follows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float | None] = []
    monkeypatch.setattr("recsweep.records.live.end_in", asked.append)
    write_live(live(later=("select", "confirm", "report")), tmp_path)
    with at_stage(tmp_path, "select") as far:
        far(1, 2, 100.0)
        told = read_live(tmp_path)
        assert told is not None
        assert (told.stage, told.later) == ("select", ("confirm", "report"))
    assert asked == [100 + 1 + 7 + 1]


def test_whether_a_process_lives_is_yes_or_no(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(pid: int, signal: int) -> None:
        raise ProcessLookupError

    monkeypatch.setattr(os, "kill", gone)
    assert process_lives(7, platform.node()) is False
