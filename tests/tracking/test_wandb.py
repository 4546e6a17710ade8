"""Offline runs are read back from W&B's own files: LevelDB's framing around protobuf records."""

import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from studies import NOW, trial_row
from wandb.proto import wandb_internal_pb2
from wandb_server import KEY, WandbServer
from worlds import experiment_of

from recsweep.config.schema import Experiment, Metric, Tracking
from recsweep.errors import BadInput
from recsweep.records.study import SweepSession, TrialRow
from recsweep.spaces.declared import DeclaredSpace
from recsweep.spaces.parameter import Parameter
from recsweep.tracking.artifacts import Item
from recsweep.tracking.events import (
    EpochReported,
    Event,
    SweepEnded,
    SweepStarted,
    TrialEnded,
    TrialStarted,
)
from recsweep.tracking.stage_runs import StageRun
from recsweep.tracking.wandb import WandbListener, track
from recsweep.tracking.wandb_mode import Mode, _trouble, logged_in, resolve_mode
from recsweep.tracking.wandb_session import give_room

BLOCK = 32768
SPACE = DeclaredSpace(
    family="gru",
    parameters={"x": Parameter(name="x", float=(0, 1), role="nuisance", why="a reason")},
)
SESSION = SweepSession(NOW, 10.0, 1.0, 2, 15.0, 2)


@pytest.fixture(autouse=True)
def _nobody_is_logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL", "WANDB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path))
    _trouble.cache_clear()


def records(path: Path) -> Iterator[Any]:
    """Every protobuf record of a `.wandb` file, but for one that is still being written."""
    content = path.read_bytes()
    assert content[:4] == b":W&B"
    at, parts = 7, b""
    while at + 7 <= len(content):
        left = BLOCK - at % BLOCK
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        if kind == 0 or at + 7 + length > len(content):
            break
        parts += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            record = wandb_internal_pb2.Record()  # type: ignore[attr-defined]
            record.ParseFromString(parts)
            yield record
            parts = b""


class Run:
    """What a run's file holds."""

    def __init__(self, file: Path) -> None:
        self.id = ""  # of one that was cut off at once
        self.history: list[dict[str, Any]] = []
        self.summary: dict[str, Any] = {}
        self.exit_code: int | None = None
        self.metrics: list[Any] = []
        self.artifacts: list[Any] = []
        for record in records(file):
            kind = record.WhichOneof("record_type")
            if kind == "run":
                self.id, self.group = record.run.run_id, record.run.run_group
                self.job_type, self.tags = record.run.job_type, list(record.run.tags)
                self.config = {
                    item.key: json.loads(item.value_json) for item in record.run.config.update
                }
            elif kind == "history":
                items = record.history.item
                row = {i.key or "/".join(i.nested_key): json.loads(i.value_json) for i in items}
                self.history.append(row)
            elif kind == "summary":
                for i in record.summary.update:
                    self.summary["/".join([i.key, *i.nested_key])] = json.loads(i.value_json)
            elif kind == "metric":
                self.metrics.append(record.metric)
            elif kind == "artifact":
                self.artifacts.append(record.artifact)
            elif kind == "exit":
                self.exit_code = record.exit.exit_code


def runs(folder: Path, *, ended: bool = True) -> dict[str, Run]:
    """All runs by id. W&B's service closes a file a moment after it has said that a run ended."""
    for _ in range(100):
        found = [Run(path) for path in sorted(folder.glob("wandb/offline-run-*/*.wandb"))]
        if not ended or all(run.exit_code is not None for run in found):
            break
        time.sleep(0.1)
    return {run.id: run for run in found}


def wait_for_epochs(folder: Path, run: str, number: int, seconds: float = 30.0) -> None:
    """Until the run's file has as many, while the run goes on."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        found = runs(folder, ended=False)
        if run in found and len(found[run].history) == number:
            return
        time.sleep(0.1)


def start(experiment: Experiment, done: tuple[TrialRow, ...] = ()) -> SweepStarted:
    return SweepStarted(
        experiment, {"gru": SPACE}, {"gru": 3}, done, 2, "u1", 0, "test-0123", "f00d"
    )


def events_of(trial: TrialRow, attempt: int = 0) -> list[Event]:
    epochs = (
        replace(
            report, fit_seconds=0.5, evaluate_seconds=0.25, training_events=1000, memory_mb=321.5
        )
        for report in trial.epochs
    )
    return [
        TrialStarted(trial.id, trial.family, attempt, trial.config, trial.seed),
        *(EpochReported(trial.id, report) for report in epochs),
    ]


def listen(folder: Path, events: list[Event], mode: Mode = "offline", seconds: float = 20) -> float:
    experiment = experiment_of(tracking={"close_seconds": seconds})
    listener = WandbListener(folder, experiment, mode)
    for event in events:
        listener(event)
    return listener.waited


def test_no_epoch_of_any_trial_is_lost_whether_it_was_complete_stopped_or_failed(
    tmp_path: Path,
) -> None:
    trials = [
        trial_row(0, (0.1, 0.3, 0.2)),
        trial_row(1, (0.15,), state="pruned", reason="stopped after epoch 1"),
        trial_row(2, (), state="failed", reason="diverged: nan"),
    ]
    events: list[Event] = [start(experiment_of(), done=(trial_row(9, (0.05,)),))]
    for trial in trials:
        events += [*events_of(trial), TrialEnded(trial)]
    listen(tmp_path, [*events, SweepEnded(SESSION, False)])
    found = runs(tmp_path)
    assert set(found) == {"gru-0000-u1", "gru-0001-u1", "gru-0002-u1", "study-0-u1"}
    for trial in trials:
        run = found[f"{trial.id}-u1"]
        assert [row["epoch"] for row in run.history] == [e.epoch for e in trial.epochs]
        assert [row["ndcg@10"] for row in run.history] == [e.value for e in trial.epochs]
        assert run.summary["state"] == trial.state
        assert run.summary["reason"] == (trial.reason or "")
        assert (run.group, run.job_type) == ("test", "trial")
        assert run.tags == ["gru", "test", "next_item", "sweep"]
        assert run.config["learning_rate"] == trial.config["learning_rate"]
        assert (run.config["family"], run.config["dataset"]) == ("gru", "test")
        assert run.config["fingerprint"] == "f00d"
        assert run.config["budget.epochs"] == experiment_of().budget.epochs
        assert {m.name or m.glob_name: m.step_metric for m in run.metrics} == {
            "epoch": "",
            "ndcg@10": "epoch",
            "loss": "epoch",
            "loss/*": "epoch",
            "*": "epoch",
        }
        assert run.exit_code == (1 if trial.state == "failed" else 0)
    first = found["gru-0000-u1"].history[1]
    assert first["fold/1/mrr@5"] == pytest.approx(0.3 / 7)
    assert first["loss/bpr"] == first["fold/0/loss/bpr"] == 0.5  # of the fold that has one
    assert "loss" not in first  # other losses have another scale
    assert first["gradient_norm"] == 2.5
    assert "fold/1/gradient_norm" not in first
    assert first["events_per_second"] == 2000
    assert first["memory_mb"] == 321.5
    assert found["gru-0000-u1"].summary["best_epoch"] == 2
    study = found["study-0-u1"]
    assert study.job_type == "study"
    assert study.summary["trials"] == 4
    assert study.summary["efficiency"] == 0.75
    assert [(a.type, a.name, a.use_after_commit) for a in study.artifacts[:2]] == [
        ("dataset", "data-test-0123", True),
        ("search-space", "test-space", True),
    ]
    tables = list(tmp_path.glob("wandb/offline-run-*study-0-u1/files/media/table/*.table.json"))
    leaderboard = next(json.loads(t.read_text()) for t in tables if "leaderboard" in t.name)
    assert leaderboard["data"][0][0] == "gru-0000"
    assert len(leaderboard["data"]) == 4


@pytest.mark.parametrize(
    ("metric", "summary"), [(Metric(), ("max", "last")), (Metric(name="log_loss"), ("min", "last"))]
)
def test_a_runs_summary_takes_its_best_score_whichever_way_is_better(
    tmp_path: Path, metric: Metric, summary: tuple[str, str]
) -> None:
    experiment = experiment_of().model_copy(update={"metric": metric})
    trial = trial_row(0, (0.1, 0.3, 0.2))
    listen(tmp_path, [start(experiment), *events_of(trial), TrialEnded(trial),
                      SweepEnded(SESSION, False)])  # fmt: skip
    (found,) = (m for m in runs(tmp_path)["gru-0000-u1"].metrics if m.name == metric.key)
    kinds = ("min", "max", "mean", "best", "last")
    assert {kind for kind in kinds if getattr(found.summary, kind)} == set(summary)


def test_a_trial_that_was_cut_off_keeps_its_epochs_and_starts_again_as_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsweep.tracking.wandb.INTERRUPT_SECONDS", 20.0)  # a busy machine's time
    trial = trial_row(0, (0.1, 0.2))
    listen(tmp_path, [start(experiment_of()), *events_of(trial), SweepEnded(SESSION, True)])
    again = [*events_of(trial, attempt=1), TrialEnded(trial)]
    listen(tmp_path, [start(experiment_of()), *again, SweepEnded(SESSION, False)])
    found = runs(tmp_path)
    assert found["gru-0000-u1"].summary["state"] == "interrupted"
    assert len(found["gru-0000-u1"].history) == 2
    assert found["gru-0000-1-u1"].summary["state"] == "complete"


KILLED = """
import os, sys, time
sys.path[:0] = [{tests!r}, {here!r}]
from pathlib import Path
from test_wandb import *
listener = WandbListener(Path(sys.argv[1]), experiment_of(), "offline")
for event in [start(experiment_of()), *events_of(trial_row(0, (0.1, 0.2, 0.3)))]:
    listener(event)
wait_for_epochs(Path(sys.argv[1]), "gru-0000-u1", 3)
os._exit(9)
"""


def test_a_driver_that_is_killed_has_its_epochs_on_disk(tmp_path: Path) -> None:
    here = Path(__file__).parent
    code = KILLED.format(tests=str(here.parent), here=str(here))
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, timeout=60)
    assert len(runs(tmp_path, ended=False)["gru-0000-u1"].history) == 3


DEAD = """
import sys
sys.path[:0] = [{tests!r}, {here!r}]
from pathlib import Path
import psutil
from test_wandb import *
folder, late = Path(sys.argv[1]), sys.argv[2] == "late"

def kill():
    for child in psutil.Process().children(recursive=True):
        if "wandb-core" in " ".join(child.cmdline()):
            child.kill()
            child.wait()

listener = WandbListener(folder, experiment_of(), "offline")
trial = trial_row(0, (0.1, 0.2))
listener(start(experiment_of()))
for event in events_of(trial):
    listener(event)
opened = listener._runs._open
while trial.id not in opened or len(opened[trial.id].epochs) < 2:
    time.sleep(0.1)
if not late:
    kill()
for event in (TrialEnded(trial), SweepEnded(SESSION, False)):
    listener(event)
if not late:
    track(folder, experiment_of(), StageRun("u1-select", "select", "select", [], {{}}, {{}}))
    assert list(folder.glob("wandb/*/run-u1-select.wandb"))
else:
    runs(folder)  # until the service has written everything
    kill()
print("ended")
"""


@pytest.mark.parametrize(("when", "words"), [("early", "W&B's service was lost"), ("late", "")])
def test_a_service_that_dies_is_a_warning_and_another_has_every_epoch(
    tmp_path: Path, when: str, words: str
) -> None:
    here = Path(__file__).parent
    code = DEAD.format(tests=str(here.parent), here=str(here))
    environment = {k: v for k, v in os.environ.items() if k != "WANDB_SERVICE"}  # it has its own
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), when],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == ("ended\n", 0), done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    found = runs(tmp_path, ended=False)
    again = found["gru-0000-again1-u1" if when == "early" else "gru-0000-u1"]
    assert [row["epoch"] for row in again.history] == [1, 2]
    assert again.summary["state"] == "complete"
    assert found["study-0-u1"].summary["trials"] == 1


SILENT = """
import sys, time
sys.path[:0] = [{tests!r}, {here!r}]
from pathlib import Path
from test_wandb import *
trial = trial_row(0, (0.1, 0.2))
events = [start(experiment_of()), *events_of(trial), TrialEnded(trial), SweepEnded(SESSION, False)]
mode = resolve_mode(Tracking())
sys.stdout.write(mode + " " + str(listen(Path(sys.argv[1]), events, mode, 4)))
"""


def test_a_server_that_falls_silent_after_the_login_holds_nobody_up_and_costs_no_data(
    tmp_path: Path, wandb_server: WandbServer
) -> None:
    wandb_server.answers = 1
    here = Path(__file__).parent
    code = SILENT.format(tests=str(here.parent), here=str(here))
    environment = {**os.environ, "WANDB_BASE_URL": wandb_server.address, "WANDB_API_KEY": KEY}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    mode, waited = done.stdout.split()
    assert mode == "online"
    assert float(waited) <= 4.5
    assert time.monotonic() - began < 25  # the process ends, too
    (run,) = (run for run in runs(tmp_path).values() if run.job_type == "trial")
    assert len(run.history) == 2
    assert "recsweep sync" in done.stderr


IN_AN_AGENT = """
import os, sys
sys.path[:0] = [{tests!r}, {here!r}]
import wandb
from pathlib import Path
from test_wandb import *
folder = Path(sys.argv[1])
theirs = wandb.init(dir=str(folder), mode="offline", project="theirs") if sys.argv[2:] else None
one, two = trial_row(0, (0.1, 0.2)), trial_row(1, (0.1, 0.2))
events = [start(experiment_of()), *events_of(one), *events_of(two), TrialEnded(one),
          TrialEnded(two), SweepEnded(SESSION, False)]
listen(folder / "study", events)
if theirs is not None:
    theirs.log({{"goes on": 1}})
    theirs.finish()
    print(theirs.id, theirs.sweep_id)
"""


@pytest.mark.parametrize("own", [False, True])
def test_inside_an_agent_every_trial_has_its_run_and_the_agents_own_goes_on(
    tmp_path: Path, own: bool
) -> None:
    """With a cache that can't be written to, which costs one line and no run."""
    here = Path(__file__).parent
    code = IN_AN_AGENT.format(tests=str(here.parent), here=str(here))
    (tmp_path / "study").mkdir()
    (tmp_path / "file").write_text("")
    agents = {
        "WANDB_SWEEP_ID": "sweep1",
        "WANDB_RUN_ID": "theirs",
        "WANDB_CACHE_DIR": str(tmp_path / "file"),
    }
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WANDB_")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), *["own"][: int(own)]],
        env=environment | agents, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    found = runs(tmp_path / "study")
    assert set(found) == {"gru-0000-u1", "gru-0001-u1", "study-0-u1"}
    assert [len(found[f"gru-000{n}-u1"].history) for n in (0, 1)] == [2, 2]
    assert found["study-0-u1"].artifacts
    lines = [line for line in done.stderr.splitlines() if "can't write" in line]
    assert len(lines) == 1
    assert str(tmp_path / "file") in lines[0]
    assert "WANDB_CACHE_DIR" in lines[0]
    assert "hears no more" not in done.stderr
    if own:
        assert done.stdout.split()[-2:] == ["theirs", "sweep1"]
        (run,) = runs(tmp_path).values()
        assert [row.get("goes on") for row in run.history] == [1]
        assert run.exit_code == 0


def test_a_folder_of_wandb_that_cannot_be_written_to_is_replaced_by_the_studys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "fine"))
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "file" / "inside"))
    give_room(tmp_path / "study")
    assert os.environ["WANDB_CACHE_DIR"] == str(tmp_path / "fine")
    assert os.environ["WANDB_DATA_DIR"] == str(tmp_path / "study" / "wandb" / "data")
    assert len(caplog.messages) == 1
    give_room(tmp_path / "study")  # the next stage
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    ("setting", "environment", "netrc", "expected"),
    [
        ("off", {"WANDB_API_KEY": "k"}, "", None),
        ("offline", {"WANDB_API_KEY": "k"}, "", "offline"),
        ("auto", {}, "", "offline"),
        ("auto", {"WANDB_API_KEY": "k"}, "", "online"),
        ("auto", {"WANDB_API_KEY": "k", "WANDB_MODE": "offline"}, "", "offline"),
        ("auto", {"WANDB_API_KEY": "k", "WANDB_MODE": "disabled"}, "", None),
        ("auto", {}, "machine api.wandb.ai login user password k", "online"),
        ("auto", {}, "machine github.com login user password k", "offline"),
        ("auto", {"WANDB_BASE_URL": "http://w.org"}, "machine w.org login u password k", "online"),
        ("auto", {"WANDB_BASE_URL": "http://w.org"}, "machine api.wandb.ai password k", "offline"),
        ("auto", {}, "not a netrc file", "offline"),
        ("online", {"WANDB_API_KEY": "k"}, "", "online"),
    ],
)
def test_runs_go_online_only_for_who_is_logged_in(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    setting: str,
    environment: dict[str, str],
    netrc: str,
    expected: str | None,
) -> None:
    monkeypatch.setattr("recsweep.tracking.wandb_mode.ask_server", lambda *_: "welcome")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "netrc").write_text(netrc)
    assert resolve_mode(Tracking.model_validate({"wandb": setting})) == expected


def test_online_without_a_login_is_refused_with_a_way_out() -> None:
    assert not logged_in()
    with pytest.raises(BadInput, match="wandb login"):
        resolve_mode(Tracking(wandb="online"))


@pytest.mark.parametrize(
    ("server", "words"), [("refuses", "refuses the key"), ("silent", "does not answer")]
)
def test_a_key_that_is_refused_and_a_dead_server_are_told_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    wandb_server: WandbServer,
    server: str,
    words: str,
) -> None:
    if server == "refuses":
        wandb_server.keys = ()
    else:
        wandb_server.answers = 0
    monkeypatch.setattr("recsweep.tracking.wandb_login.SECONDS", 0.5)
    monkeypatch.setenv("WANDB_BASE_URL", wandb_server.address)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert resolve_mode(Tracking()) == "offline"
    assert words in caplog.text
    assert "recsweep sync" in caplog.text
    with pytest.raises(BadInput, match=words):
        resolve_mode(Tracking(wandb="online"))
    assert KEY not in caplog.text
    assert len(wandb_server.requests) <= 1  # asked once in a process


def test_a_key_that_the_server_takes_goes_online(
    monkeypatch: pytest.MonkeyPatch, wandb_server: WandbServer
) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", wandb_server.address)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert resolve_mode(Tracking()) == "online"


def test_a_stage_logs_one_run_however_often_it_is_run_and_keeps_what_it_gave_out(
    tmp_path: Path,
) -> None:
    page = Item("test-report", "report", {"report.html": b"first"})
    stage = StageRun("report-1-u1", "report", "study", ["a"], {"x": 1}, {"y": 2}, gave=(page,))
    curve = ({"epoch": 1, "ndcg@10": 0.1}, {"epoch": 2, "ndcg@10": 0.2})
    best = StageRun("gru-0-u1", "gru-0", "selected", ["selected"], {}, {"z": 3}, curves=curve)
    for _ in range(2):
        track(tmp_path, experiment_of(), stage, best)
    found = runs(tmp_path)
    assert set(found) == {"report-1-u1", "gru-0-u1"}
    assert [row["ndcg@10"] for row in found["gru-0-u1"].history] == [0.1, 0.2]
    assert found["gru-0-u1"].summary["z"] == 3
    run = found["report-1-u1"]
    assert (run.job_type, run.config["x"], run.summary["y"]) == ("study", 1, 2)
    (artifact,) = run.artifacts
    assert (artifact.type, artifact.name) == ("report", "test-report")
    assert not artifact.use_after_commit
    (entry,) = artifact.manifest.contents
    assert Path(entry.local_path).read_bytes() == b"first"
    assert Path(entry.local_path).is_relative_to(tmp_path)
