"""Processes that are killed, hang, or take too much memory."""

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from faults.sweeping import TRIALS, Sweep, journal_lines, start, wait_until

from recsweep.records.study import TrialRow
from recsweep.tracking.events import EpochReported, Event, TrialEnded


def end(process: "subprocess.Popen[str]") -> None:
    """And all that it started: a machine that lost its driver is found empty."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def lose_the_machine(process: "subprocess.Popen[str]") -> None:
    """Ray's workers have groups of their own, and would write on for a moment."""
    everything = [psutil.Process(process.pid), *children(process, "")]
    for each in everything:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(everything)
    end(process)


def ended(sweep: Sweep) -> tuple[TrialRow, ...]:
    return sweep.study().trials


def in_the_middle(sweep: Sweep) -> bool:
    return journal_lines(sweep.folder, '"step":') >= 7


def children(process: "subprocess.Popen[str]", name: str) -> list[psutil.Process]:
    found = psutil.Process(process.pid).children(recursive=True)
    return [child for child in found if name in " ".join(child.cmdline())]


def test_the_driver_is_killed(sweep: Sweep, request: pytest.FixtureRequest) -> None:
    process = start(sweep)
    wait_until(lambda: in_the_middle(sweep), process)
    process.kill()
    end(process)
    before = ended(sweep)
    request.getfixturevalue("local_ray")  # the next one needs none of its own
    sweep.seconds = 0.0
    sweep.run()
    sweep.check(before, lost=2)


def test_the_drivers_machine_is_lost_but_for_the_mirror(sweep: Sweep) -> None:
    sweep.mirrored, sweep.seconds = True, 0.4
    copy = sweep.work / "mirror" / sweep.folder.name
    process = start(sweep)
    wait_until(lambda: in_the_middle(sweep) and journal_lines(copy, '"step":') >= 7, process)
    lose_the_machine(process)
    booked = journal_lines(sweep.folder, '"step":')
    shutil.rmtree(sweep.folder)
    assert sweep.mirror.pull()
    behind = booked - journal_lines(sweep.folder, '"step":')  # a busy machine copies late
    assert list(sweep.folder.glob("checkpoints/*"))
    before = ended(sweep)
    sweep.run()
    assert not list(copy.glob("checkpoints/*"))
    sweep.check(before, lost=2 + behind)


def test_a_trial_on_a_machine_with_another_disk_is_cut_off(sweep: Sweep) -> None:
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("no right to give a process a disk of its own")
    sweep.seconds = 0.4
    process = start(sweep, ray="apart")
    wait_until(lambda: in_the_middle(sweep), process)
    process.kill()
    end(process)
    before = ended(sweep)
    sweep.run()
    sweep.check(before, lost=1)


def test_a_raylet_is_killed(sweep: Sweep) -> None:
    sweep.seconds = 0.4
    process = start(sweep)
    wait_until(lambda: in_the_middle(sweep), process)
    (raylet,) = children(process, "/raylet/raylet")
    raylet.kill()
    process.communicate(timeout=90)  # workers that live may well do the rest
    before = ended(sweep)
    finished = len(before) == 2 * TRIALS
    assert finished or process.returncode  # Ray may end the driver after its last trial, too
    assert (sweep.run() is None) == finished
    sweep.check(before, lost=2)


@pytest.mark.parametrize("moment", ["in a trial", "between trials"])
def test_machines_are_lost_one_after_the_other(sweep: Sweep, moment: str) -> None:
    sweep.options["workers"] = 1
    process = start(sweep, ray=f"lost {moment}")
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    sweep.check(ended(sweep), lost=2)


def test_a_machine_is_cut_off_from_the_network(sweep: Sweep) -> None:
    if subprocess.run(["ip", "netns", "list"], check=False).returncode or os.geteuid():
        pytest.skip("no right to make networks")
    sweep.seconds = 0.4
    process = start(sweep, ray="cut off")
    _, errors = process.communicate(timeout=280)
    assert process.returncode == 0, errors
    sweep.check(ended(sweep), lost=2)


@pytest.mark.usefixtures("local_ray")
def test_a_worker_is_killed(sweep: Sweep) -> None:
    pids = sweep.work / "pids"

    def trouble(x: float, epoch: int) -> None:
        import os

        with open(pids, "a") as file:  # noqa: PTH123
            file.write(f"{os.getpid()}\n")

    killed: list[int] = []

    def listen(event: Event) -> None:
        if isinstance(event, EpochReported) and event.report.epoch == 2 and not killed:
            killed.append(int(pids.read_text().split()[-1]))
            os.kill(killed[0], signal.SIGKILL)

    sweep.run(trouble, (listen,))
    assert killed
    sweep.check(lost=1)


@pytest.mark.usefixtures("local_ray")
def test_the_system_kills_a_worker_for_its_memory(sweep: Sweep) -> None:
    group = Path("/sys/fs/cgroup/memory") / f"recsweep-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(256 << 20))
    except OSError:
        pytest.skip("no right to limit a process's memory")
    once, tasks = str(sweep.work / "once"), str(group / "cgroup.procs")

    def trouble(x: float, epoch: int) -> None:
        import os

        if epoch == 3 and not os.path.exists(once):  # noqa: PTH110
            with open(once, "w"), open(tasks, "w") as file:  # noqa: PTH123
                file.write(str(os.getpid()))
            b"x" * (1 << 30)  # the kernel's own killer comes

    try:
        sweep.run(trouble)
        assert Path(once).exists()
        sweep.check(lost=1)
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text())
        group.rmdir()


@pytest.mark.usefixtures("local_ray")
@pytest.mark.parametrize("stopped", [False, True])
def test_a_trial_hangs(sweep: Sweep, stopped: bool) -> None:
    sweep.options["silence_seconds"] = 2

    def trouble(x: float, epoch: int) -> None:
        import os
        import signal
        import time

        if x == 0.5 and epoch == 2:  # the defaults of both families
            if stopped:
                os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(10**6)

    sweep.run(trouble)
    bad = [trial for trial in ended(sweep) if trial.state == "failed"]
    assert [trial.id for trial in bad] == ["a-0000", "b-0000"]
    assert {trial.reason for trial in bad} == {
        "silent: no report for 2 s (resources.silence_seconds)"
    }
    sweep.check(failed=2)


@pytest.mark.usefixtures("local_ray")
def test_a_score_is_not_a_number(sweep: Sweep) -> None:
    def trouble(x: float, epoch: int) -> float | None:
        return float("nan") if x == 0.5 and epoch == 2 else None

    sweep.run(trouble)
    bad = [trial.reason for trial in ended(sweep) if trial.state == "failed"]
    assert bad == ["diverged: the score is nan in epoch 2"] * 2
    sweep.check(failed=2)


@pytest.mark.usefixtures("local_ray")
def test_the_service_of_wandb_is_killed(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    killed: list[Any] = []

    def listen(event: Event) -> None:
        if isinstance(event, TrialEnded) and not killed:
            wait_until(lambda: bool(services()))
            killed.extend(services())
            for service in killed:
                service.kill()

    sweep.run(listeners=(wandb_listener(sweep), listen))
    assert killed
    sweep.check()


def services() -> list[psutil.Process]:
    """Of W&B, that this process started."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "wandb-core" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def wandb_listener(sweep: Sweep) -> Any:
    from recsweep.tracking.wandb import WandbListener

    sweep.folder.mkdir(exist_ok=True)
    return WandbListener(sweep.folder, sweep.experiment, "offline")
