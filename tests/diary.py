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
    """GPUS, then pairs of FRACTION and WORKERS: sweeps one after another on two machines.

    Each machine has so many pretended GPUs. Prints a list of entries a sweep, as JSON.
    """
    import ray
    from ray.cluster_utils import Cluster

    gpus, *sweeps = map(float, sys.argv[1:])
    machine = {"num_cpus": 2, "num_gpus": int(gpus), "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=machine)
    cluster.add_node(**machine)
    ray.init(cluster.address, log_to_driver=False, logging_level="CRITICAL")
    os.environ["RAY_ADDRESS"] = cluster.address
    found = []
    for fraction, workers in zip(sweeps[::2], sweeps[1::2], strict=True):
        with tempfile.TemporaryDirectory(prefix="recsweep-diary-") as scratch:
            folder = Path(scratch)
            experiment = study_of(
                "a", "b", trials=int(workers), epochs=2,
                resources={"cpu": 0.25, "gpu": fraction, "workers": int(workers)},
            )  # fmt: skip
            run_search(
                experiment, spaces_of(folder, "a", "b"), folds_of(), folder, fingerprint="data",
                make_trial=make_trials(diary(scratch, 0.0, int(workers))),
            )  # fmt: skip
            found.append(read(folder))
        # The next sweep's machines are chosen by what Ray knows to be free, which it hears late.
        while ray.available_resources().get("GPU", 0) < 2 * gpus:
            time.sleep(0.1)
    ray.shutdown()
    cluster.shutdown()
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
