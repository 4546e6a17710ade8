import io
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from studies import trial_row
from worlds import experiment_of

from recsweep.cli.json_lines import JsonLines
from recsweep.records.study import SweepSession
from recsweep.spaces.declared import DeclaredSpace
from recsweep.tracking.events import (
    EpochReported,
    Event,
    SweepEnded,
    SweepStarted,
    TrialEnded,
    TrialStarted,
)


def test_every_event_of_a_sweep_is_one_line_that_a_program_can_read() -> None:
    out = io.StringIO()
    good, bad = trial_row(0, (0.1, 0.3)), trial_row(1, (), state="failed", reason="a\nb “x”")
    events: list[Event] = [
        SweepStarted(
            experiment_of(), {"gru": DeclaredSpace(family="gru")}, {"gru": 2}, (), 2, "u", 0
        ),
        TrialStarted(good.id, "gru", 0, good.config, 0),
        EpochReported(good.id, replace(good.epochs[1], fit_seconds=2.0, evaluate_seconds=0.5)),
        TrialEnded(good),
        TrialEnded(bad),
        SweepEnded(SweepSession(datetime(2026, 1, 1, tzinfo=UTC), 10, 1, 2, 15, 2), False),
    ]
    for event in events:
        JsonLines(out)(event)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] == [
        "sweep_started",
        "trial_started",
        "epoch",
        "trial_ended",
        "trial_ended",
        "sweep_ended",
    ]
    assert (lines[0]["targets"], lines[0]["seconds"]) == ({"gru": 2}, None)
    assert lines[1]["config"]["depth"] == 1
    assert (lines[2]["epoch"], lines[2]["value"], lines[2]["seconds"]) == (2, 0.3, 2.5)
    assert (lines[3]["value"], lines[3]["best_epoch"], lines[3]["state"]) == (0.3, 2, "complete")
    assert (lines[4]["value"], lines[4]["reason"]) == (None, "a\nb “x”")
    assert lines[5]["efficiency"] == 0.75


def test_without_a_stream_nothing_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    for stream in (None, sys.stdout):
        JsonLines(stream).say("prepared", folder="x")
        JsonLines(stream)(TrialEnded(trial_row(0, (0.1,))))
        said = capfd.readouterr()
        assert len(said.out.splitlines()) == (0 if stream is None else 2)
        assert said.err == ""
