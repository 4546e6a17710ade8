"""A sweep that faults are done to, and what must hold of it afterwards.

Trials are made up and take a fraction of a second. Each writes a line for every epoch that it
trains, outside the study's folder, so that it is known what was trained twice.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ray
from namespaces import Namespaces
from sweeps import FAMILIES, folds_of, make_trials, spaces_of, study_of

from recsweep.config.schema import Experiment
from recsweep.errors import RecsweepError, WorkFailed
from recsweep.mirror.copy import Mirror
from recsweep.mirror.listener import MirrorListener
from recsweep.records.files import read_study, write_study
from recsweep.records.study import Study, SweepSession, TrialRow
from recsweep.records.user_values import read_user_values
from recsweep.reporting.leaderboard import rows as leaderboard
from recsweep.search.replay import replay
from recsweep.search.run import run_search
from recsweep.search.storage import JOURNAL
from recsweep.search.study import build_study
from recsweep.spaces.declared import DeclaredSpace
from recsweep.stages.select.rules import select
from recsweep.tracking.events import EpochReported, Event, Listener, TrialEnded
from recsweep.training.process import environment_variables

TRIALS, EPOCHS, WORKERS = 5, 4, 2
Trouble = Callable[[float, int], float | None]


@dataclass
class Sweep:
    """One study of the families `a` and `b`, in a folder of its own."""

    folder: Path  # the study's; its parent is a working folder of the test
    work: Path
    options: dict[str, Any] = field(default_factory=dict)  # keys of the experiment
    seconds: float = 0.1  # an epoch
    mirrored: bool = False  # after each epoch, to `mirror`

    @property
    def experiment(self) -> Experiment:
        resources = {"checkpoint_seconds": 0, "workers": WORKERS, **self.options}
        return study_of("a", "b", trials=TRIALS, epochs=EPOCHS, resources=resources)

    @property
    def mirror(self) -> Mirror:
        return Mirror(str(self.work / "mirror"), self.folder)

    def run(
        self, trouble: Trouble | None = None, listeners: tuple[Listener, ...] = ()
    ) -> SweepSession | None:
        """The command that a user gives, again and again."""
        self.folder.mkdir(exist_ok=True)
        if self.mirrored:
            listeners += (MirrorListener(self.mirror, 5, pause=0.0, epochs=0.0),)
        # A process that has a Ray already is asked for its address.
        own = {"RAY_ADDRESS": ray.get_runtime_context().gcs_address} if ray.is_initialized() else {}
        with environment_variables(own):
            return run_search(
                self.experiment,
                spaces_of(self.work, "a", "b"),
                folds_of(),
                self.folder,
                fingerprint="data",
                listeners=listeners,
                make_trial=make_trials(traced(self.work, trouble), self.seconds),
            )

    def study(self) -> Study:
        """What the journal tells now."""
        return build_study(
            self.folder,
            self.experiment,
            spaces_of(self.work, "a", "b"),
            dataset="data",
            fingerprint="data",
            environment={},
            folds={"fold0": {"targets": 3}, "fold1": {"targets": 2}},
        )

    def trained(self) -> list[tuple[float, int]]:
        """(x, epoch) of every epoch that was trained to its end, in order."""
        with suppress(FileNotFoundError):
            lines = (self.work / "trained").read_text().splitlines()
            return [(float(x), int(epoch)) for x, epoch in map(str.split, lines)]
        return []

    def check(self, before: tuple[TrialRow, ...] = (), lost: int = 0, failed: int = 0) -> None:
        """All that must hold when the study is done.

        Args:
            before: trials that had ended when the fault came.
            lost: epochs that the fault may have cost.
            failed: trials that it may have cost.
        """
        study = self.study()
        trials = {trial.id: trial for trial in study.trials}
        names = [f"{family}-{n:04d}" for family in ("a", "b") for n in range(TRIALS)]
        assert list(trials) == names  # none lost, none counted twice
        for trial in before:
            assert trials[trial.id] == trial  # never run again
        bad = [trial for trial in study.trials if trial.state == "failed"]
        assert len(bad) == failed, bad
        for trial in study.trials:
            curve = expected(float(trial.config["x"]))
            found = [row.value for row in trial.epochs]
            assert found == curve[: len(found)], trial.id  # as one that nothing had disturbed
            if trial.state == "complete":
                assert len(found) == EPOCHS
                users = read_user_values(self.folder, trial.id)
                assert all((fold.value == max(found)).all() for fold in users)
        same = Counter(float(trial.config["x"]) for trial in study.trials)  # both have the defaults
        trained = Counter(self.trained())
        again = sum(max(0, times - same[x]) for (x, _), times in trained.items())
        assert again <= lost, trained.most_common(3)
        assert replay(self.folder, FAMILIES).difference is None
        assert not [*self.folder.glob("checkpoints/*"), *self.folder.glob("checkpoints/.*")]
        assert (self.folder / "sweep.lock").read_text() == ""
        self._check_files(study)
        assert self.run() is None  # and now there is nothing to do

    def _check_files(self, study: Study) -> None:
        write_study(study, self.folder)
        kept = read_study(self.folder)
        assert kept.trials == study.trials
        assert sum(session.trials for session in kept.sessions) <= len(study.trials)
        known = DeclaredSpace(family="popularity")  # `made_up` is not
        kept = replace(kept, spaces=dict.fromkeys(kept.spaces, known))
        chosen = select(kept, lambda id_: read_user_values(self.folder, id_))
        board = leaderboard(kept, chosen)
        assert sum(row.complete + row.pruned + row.failed for row in board) == len(study.trials)


def traced(work: Path, trouble: Trouble | None) -> Trouble:
    """Write a line for each epoch that came to its end; `trouble` comes before."""
    path = str(work / "trained")

    def step(x: float, epoch: int) -> float | None:
        value = trouble(x, epoch) if trouble else None
        with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123
            file.write(f"{x!r} {epoch}\n")
        return value

    return step


def expected(x: float) -> list[float]:
    """The curve of an undisturbed trial: each epoch's value needs all values before it."""
    total, curve = 0.0, []
    for epoch in range(1, EPOCHS + 1):
        curve.append(0.2 - (x - 0.3) ** 2 / 5 + 0.001 * epoch + 1e-4 * total)
        total += curve[-1]
    return curve


def journal_lines(folder: Path, what: str) -> int:
    """Lines of the journal that hold some text."""
    with suppress(FileNotFoundError):
        return (folder / JOURNAL).read_text().count(what)
    return 0


def wait_until(
    true: Callable[[], bool], process: "subprocess.Popen[str] | None" = None, seconds: float = 150.0
) -> None:
    """Look again and again.

    Raises:
        TimeoutError: it does not become true, or not before the process has ended; with what that
            wrote.
    """
    limit = time.monotonic() + seconds
    while not true():
        over = process is not None and process.poll() is not None
        if over or time.monotonic() > limit:
            raise TimeoutError(words_of(process) if process else "")
        time.sleep(0.02)


def words_of(process: "subprocess.Popen[str]") -> str:
    """What it has written, where it is, and how it ended; it and all that it began are killed."""
    stacks = subprocess.run(
        ["ps", "-o", "pid,stat,etime,wchan:24,args", "--forest", "-g", str(process.pid)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return "\n".join((*process.communicate(), stacks.stdout, str(process.returncode)))


def start(sweep: Sweep, *, ray: str = "own") -> "subprocess.Popen[str]":
    """The same in a process of its own.

    Args:
        sweep: what to run.
        ray: `own`, or machines that it starts: `lost in a trial`, `lost between trials`, `cut off`,
            where one of two loses its network, or `apart`, where all trials run on one with
            another disk than the driver's.
    """
    options = json.dumps(sweep.options)
    arguments = (sweep.folder, sweep.work, sweep.seconds, options, sweep.mirrored, ray)
    # A Ray that this process had started left its mode behind; machines without a token would
    # refuse a driver that begins with it, and no trial would ever start.
    mine = {name: value for name, value in os.environ.items() if name != "RAY_AUTH_MODE"}
    return subprocess.Popen(
        [sys.executable, __file__, *map(str, arguments)],
        env={**mine, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def main() -> None:
    """FOLDER WORK SECONDS OPTIONS MIRRORED RAY."""
    folder, work, seconds, options, mirrored, ray = sys.argv[1:]
    sweep = Sweep(
        Path(folder), Path(work), json.loads(options), float(seconds), mirrored == str(True)
    )
    try:
        if ray == "lost in a trial":
            _lose_machines(sweep, EpochReported, 2)
        elif ray == "lost between trials":
            _lose_machines(sweep, TrialEnded, 1)
        elif ray == "cut off":
            _cut_a_wire(sweep)
        elif ray == "apart":
            _sweep_on_another_disk(sweep)
        else:
            _run(sweep)
    except RecsweepError as error:
        sys.stderr.write(f"recsweep: {error}\n")
        sys.exit(error.exit_status)


def _run(sweep: Sweep) -> None:
    """Once more if Ray takes too long to begin, as the message says."""
    try:
        sweep.run()
    except WorkFailed as error:
        if "Ray didn't start" not in str(error):
            raise
        sweep.run()


def _lose_machines(sweep: Sweep, event: type[Event], times: int) -> None:
    """Of `times` + 1 machines with a core each the one that works goes, so often, at the event."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    machines = {}
    for _ in range(times + 1):
        machine = cluster.add_node(num_cpus=1)
        machines[machine.node_id] = machine
    ray.init(cluster.address, log_to_driver=False, logging_level="CRITICAL")
    where = sweep.work / "where"
    path = str(where)

    def trouble(x: float, epoch: int) -> None:
        import os

        import ray

        with open(path, "w") as file:  # noqa: PTH123
            file.write(f"{ray.get_runtime_context().get_node_id()} {os.getpid()}")

    def listen(heard: Event) -> None:
        if isinstance(heard, event) and len(machines) > 1:
            id_, pid = where.read_text().split()
            cluster.remove_node(machines.pop(id_), allow_graceful=False)
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)  # it outlives its raylet by a moment

    sweep.run(trouble, (listen,))
    assert len(machines) == 1
    ray.shutdown()
    cluster.shutdown()


def _cut_a_wire(sweep: Sweep) -> None:
    """Of two machines that share a wire with the driver's, one loses it in a trial's middle."""
    machines = Namespaces(nodes=2, cpus=1, gpus=0)
    cut: list[str] = []

    def listen(heard: Event) -> None:
        if isinstance(heard, EpochReported) and heard.report.epoch == 2 and not cut:
            cut.append(machines.cut_off_last())

    os.environ["RAY_ADDRESS"] = machines.address
    try:
        sweep.run(listeners=(listen,))
    finally:
        machines.shutdown()
    assert cut


def _sweep_on_another_disk(sweep: Sweep) -> None:
    """The second machine has all cores, and sees nothing of the study's folder."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    sweep.folder.mkdir(exist_ok=True)
    start = f"{Path(sys.executable).with_name('ray')} start --address {cluster.address}"
    hidden = f"mount -t tmpfs recsweep-test {sweep.folder} && exec {start} --num-cpus 1 --block"
    second = subprocess.Popen(["unshare", "--mount", "sh", "-c", hidden])
    ray.init(cluster.address, log_to_driver=False, logging_level="CRITICAL")
    wait_until(lambda: ray.cluster_resources().get("CPU", 0) == 1 or second.poll() is not None)
    sweep.run()
    ray.shutdown()
    second.terminate()
    second.wait()
    cluster.shutdown()


if __name__ == "__main__":
    main()
