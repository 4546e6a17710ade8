"""1,000 trials of a family that trains nothing, through the whole path: does the driver keep up?

    .venv/bin/python benchmarks/thousand.py [--trials 1000] [--workers 2]

Ray, Optuna's journal, W&B run files and the study's own files are real; a trial's epochs cost no
time, so that only recsweep's share is left. Prints, for each tenth of the trials, a trial's
seconds, the driver's processor seconds, which other work on the machine hardly changes, and the
driver's memory, then one line of JSON: `growth_mb` is the driver's resident memory after the last
trial less that after the first tenth, `slowdown` the last tenth's seconds a trial by the second
tenth's (1: linear), and `cpu_slowdown` the same of processor seconds.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from sweeps import folds_of, make_trials, spaces_of, study_of

from recsweep.records.files import write_study
from recsweep.search.run import run_search
from recsweep.search.study import build_study
from recsweep.tracking.events import Event, TrialEnded
from recsweep.tracking.wandb import WandbListener

LIMIT_MB = 300.0


def memory_mb() -> float:
    """Resident memory of this process."""
    fields = Path("/proc/self/statm").read_text("ascii").split()
    return int(fields[1]) * 4096 / 1e6


def a_trial(clock: list[float], tenth: int) -> list[float]:
    """Seconds a trial in each tenth; the first counts from its first trial."""
    ends = [clock[0], *clock[tenth - 1 :: tenth]]
    counts = [max(1, tenth - 1), *[tenth] * (len(ends) - 2)]
    return [(b - a) / n for a, b, n in zip(ends, ends[1:], counts, strict=False)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-wandb", action="store_true")
    asked = parser.parse_args()
    times: list[float] = []
    busy: list[float] = []
    memory: list[float] = []

    def hear(event: Event) -> None:
        if isinstance(event, TrialEnded):
            times.append(time.monotonic())
            busy.append(time.process_time())
            memory.append(memory_mb())

    with tempfile.TemporaryDirectory(prefix="recsweep-thousand-") as scratch:
        folder = Path(scratch) / "results" / "thousand"
        folder.mkdir(parents=True)
        half = asked.trials // 2
        experiment = study_of("a", "b", trials=half, resources={"workers": asked.workers})
        spaces = spaces_of(Path(scratch), "a", "b")
        listeners = [hear]
        if not asked.no_wandb:
            listeners.append(WandbListener(folder, experiment, "offline"))
        began = time.monotonic()
        run_search(
            experiment, spaces, folds_of(), folder,
            fingerprint="data", listeners=listeners, make_trial=make_trials(),
        )  # fmt: skip
        study = build_study(
            folder, experiment, spaces, dataset="d", fingerprint="data", environment={}, folds={}
        )
        write_study(study, folder)
        seconds = time.monotonic() - began
        runs = len(list((folder / "wandb").glob("offline-run-*"))) if not asked.no_wandb else 0
        journal_mb = (folder / "optuna.log").stat().st_size / 1e6
    tenth = max(1, len(times) // 10)
    sys.stdout.write(f"{'trials':>12} {'s/trial':>8} {'CPU s':>8} {'MB':>8}\n")
    pace, cpu = a_trial(times, tenth), a_trial(busy, tenth)
    for n, (seconds_, busy_) in enumerate(zip(pace, cpu, strict=True)):
        first, last = n * tenth + 1, (n + 1) * tenth
        sys.stdout.write(f"{first:>5} - {last:>4} {seconds_:>8.3f} {busy_:>8.3f} ")
        sys.stdout.write(f"{memory[last - 1]:>8.0f}\n")
    result = {
        "trials": len(study.trials),
        "workers": asked.workers,
        "seconds": round(seconds, 1),
        "seconds_per_trial": round(seconds / len(study.trials), 3),
        "growth_mb": round(memory[-1] - memory[tenth - 1], 1),
        "growth_limit_mb": LIMIT_MB,
        "slowdown": round(pace[-1] / pace[1], 2) if len(pace) > 1 else None,
        "cpu_slowdown": round(cpu[-1] / cpu[1], 2) if len(cpu) > 1 else None,
        "wandb_runs": runs,
        "journal_mb": round(journal_mb, 1),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
