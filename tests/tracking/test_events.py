import logging
from datetime import UTC, datetime

import pytest

from recsweep.records.study import SweepSession
from recsweep.tracking.events import Broadcast, Event, SweepEnded

EVENT = SweepEnded(SweepSession(datetime(2026, 1, 1, tzinfo=UTC), 1, 1, 1, 1, 1), False)


def test_a_listener_that_breaks_is_dropped_and_the_others_hear_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[Event] = []
    calls = []

    def broken(event: Event) -> None:
        calls.append(event)
        raise RuntimeError("no room on the disk")

    tell = Broadcast()
    tell.add(broken)
    tell.add(heard.append)
    with caplog.at_level(logging.WARNING):
        tell(EVENT)
        tell(EVENT)
    assert heard == [EVENT] * 2
    assert len(calls) == 1
    assert "no room on the disk" in caplog.text
