"""A sweep over several Ray nodes with pretended GPUs: who ran where, and what if a node goes?

    .venv/bin/python benchmarks/placement.py [--nodes 4 --gpus 2 --fraction 0.25]

The nodes are raylets of their own on this machine, with `--namespaces` in networks of their own.
The GPUs are numbers that Ray gives out. Every epoch of a trial writes down its node, its GPUs and
`CUDA_VISIBLE_DEVICES`. The first trials wait for each other until all places are taken; then one
node is killed, unless `--keep`. Ends with one line of JSON.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from diary import diary, read
from namespaces import Namespaces
from ray.cluster_utils import Cluster
from sweeps import folds_of, make_trials, spaces_of, study_of

from recsweep.search.run import run_search
from recsweep.search.study import build_study


def most_at_once(entries: list[dict[str, Any]]) -> int:
    """Processes that were in an epoch at one moment."""
    edges = [(e["began"], 1) for e in entries] + [(e["ended"], -1) for e in entries]
    running = most = 0
    for _, step in sorted(edges):
        running += step
        most = max(most, running)
    return most


def main() -> None:
    """Run and judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--gpus", type=int, default=2)
    parser.add_argument("--fraction", type=float, default=0.25)
    parser.add_argument("--trials", type=int, default=0, help="0: twice the places")
    parser.add_argument("--workers", type=int, default=None, help="at once, at most")
    parser.add_argument("--seconds", type=float, default=1.0, help="of an epoch")
    parser.add_argument("--namespaces", action="store_true", help="a network each; needs root")
    parser.add_argument("--keep", action="store_true", help="kill no node")
    asked = parser.parse_args()
    whole = max(1, int(asked.fraction))
    places = asked.nodes * (asked.gpus // whole) * int(max(1, 1 / asked.fraction))
    places = min(places, asked.workers or places)
    trials = asked.trials or 2 * places
    began = time.monotonic()
    node = {
        "num_cpus": places + 1, "num_gpus": asked.gpus, "include_dashboard": False,
        "object_store_memory": 80 << 20,
    }  # fmt: skip
    ours: Any
    if asked.namespaces:
        ours = Namespaces(asked.nodes, places + 1, asked.gpus)
        remove_last = ours.remove_last
    else:
        head = {"num_cpus": 0, "include_dashboard": False}
        ours = Cluster(initialize_head=True, head_node_args=head)
        nodes = [ours.add_node(**node) for _ in range(asked.nodes)]

        def remove_last() -> str:
            ours.remove_node(nodes[-1], allow_graceful=False)
            return str(nodes[-1].unique_id)

    os.environ["RAY_ADDRESS"] = ours.address
    with tempfile.TemporaryDirectory(prefix="recsweep-placement-") as scratch:
        notes, folder = Path(scratch) / "notes", Path(scratch) / "study"
        notes.mkdir()
        folder.mkdir()
        removed: list[str] = []

        def remove() -> None:
            while len({e["pid"] for e in read(notes)}) < places:
                time.sleep(0.2)  # every place has reported once: all are in the middle of a trial
            removed.append(remove_last())

        if not asked.keep:
            threading.Thread(target=remove, daemon=True).start()
        experiment = study_of(
            "a", "b", trials=trials // 2,
            resources={"cpu": 1, "gpu": asked.fraction, "workers": asked.workers},
        )  # fmt: skip
        spaces = spaces_of(folder, "a", "b")
        session = run_search(
            experiment, spaces, folds_of(), folder, fingerprint="data",
            make_trial=make_trials(diary(str(notes), asked.seconds, places)),
        )  # fmt: skip
        study = build_study(
            folder, experiment, spaces, dataset="d", fingerprint="data", environment={}, folds={}
        )
        entries = read(notes)
    ours.shutdown()
    of_process: dict[tuple[str, int], set[tuple[str, str]]] = defaultdict(set)
    sharing: dict[tuple[str, str], set[int]] = defaultdict(set)
    for e in entries:
        of_process[e["node"], e["pid"]].add((e["gpus"], e["visible"]))
        sharing[e["node"], e["visible"]].add(e["pid"])
    foreign = [p for p, seen in of_process.items() if any(g != v for g, v in seen)]
    assert session is not None
    result = {
        "places": places,
        "workers": session.workers,
        "at_once": most_at_once(entries),
        "trials": len(study.trials),
        "asked": 2 * (trials // 2),
        "failed": sum(t.state == "failed" for t in study.trials),
        "nodes_used": len({e["node"] for e in entries}),
        "gpus_used": len(sharing),
        "worker_private_mb": round(median(e["mb"] for e in entries)),
        "processes_that_saw_another_gpu": len(foreign),
        "nodes_removed": len(removed),
        "seconds": round(time.monotonic() - began, 1),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
