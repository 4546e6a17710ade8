"""Trials that keep a diary: where each of their epochs ran, and which GPUs it saw."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sweeps import folds_of, make_trials, spaces_of, study_of

from recsweep.search.run import run_search
from recsweep.tracking.events import Event, TrialEnded


def diary(folder: str, seconds: float, workers: int) -> Any:
    """A stand-in for a trial's trouble that has none and keeps a diary in `folder`.

    An epoch lasts `seconds`; the first ones wait until as many workers are there.
    """

    def note(x: float, epoch: int) -> float | None:
        import json
        import os
        import re
        import time
        from pathlib import Path

        import ray

        began = time.time()
        here = Path(folder)
        (here / f"{os.getpid()}.here").touch()
        while not (here / "full").exists() and time.time() < began + 400:
            if len(list(here.glob("*.here"))) >= workers:
                (here / "full").touch()
            time.sleep(0.1)
        time.sleep(seconds)
        memory = re.findall(
            r"Private_\w+: +(\d+)", Path("/proc/self/smaps_rollup").read_text("ascii")
        )
        entry = {
            "node": ray.get_runtime_context().get_node_id(),
            "gpus": ",".join(map(str, ray.get_gpu_ids())),
            "visible": os.environ.get("CUDA_VISIBLE_DEVICES"),
            "pid": os.getpid(),
            "began": began,
            "ended": time.time(),
            "mb": sum(map(int, memory)) / 1e3,
        }
        with open(f"{folder}/{os.getpid()}.jsonl", "a") as file:  # noqa: PTH123
            file.write(json.dumps(entry) + "\n")
        return None

    return note


def read(folder: Path) -> list[dict[str, Any]]:
    """Every epoch's entry so far."""
    lines = [line for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def main() -> None:
    """GPUS, then pairs of FRACTION and WORKERS: sweeps one after another on the cluster that
    RAY_ADDRESS names, which has so many GPUs.

    Prints for each sweep its entries, how many ran at once, and how its trials ended, as JSON.
    """
    gpus, *sweeps = map(float, sys.argv[1:])
    found = []
    for fraction, workers in zip(sweeps[::2], sweeps[1::2], strict=True):
        _wait_for(gpus)
        with tempfile.TemporaryDirectory(prefix="recsweep-diary-") as scratch:
            folder = Path(scratch)
            experiment = study_of(
                "a", "b", trials=int(workers), epochs=2,
                resources={"cpu": 0.25, "gpu": fraction, "workers": int(workers)},
            )  # fmt: skip
            ended: list[str] = []

            def note(event: Event, ended: list[str] = ended) -> None:
                if isinstance(event, TrialEnded):
                    ended.append(event.trial.state)

            session = run_search(
                experiment, spaces_of(folder, "a", "b"), folds_of(), folder, fingerprint="data",
                make_trial=make_trials(diary(scratch, 0.0, int(workers))), listeners=[note],
            )  # fmt: skip
            assert session is not None
            found.append({"entries": read(folder), "workers": session.workers, "ended": ended})
    sys.stdout.write(json.dumps(found) + "\n")


def _wait_for(gpus: float) -> None:
    """A sweep's machines are chosen by what Ray knows to be free, which it hears late."""
    import ray

    ray.init(os.environ["RAY_ADDRESS"], log_to_driver=False, logging_level="CRITICAL")
    while ray.available_resources().get("GPU", 0) < gpus:
        time.sleep(0.1)
    ray.shutdown()


if __name__ == "__main__":
    main()
