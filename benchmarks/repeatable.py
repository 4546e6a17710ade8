"""The repeatable search: is it the same after real kills, and what does it cost?

    python benchmarks/repeatable.py [--kills 5] [--workers 1 4] [--rounds 3] [--families 200]

1. With each number of workers: a sweep of GRU, matrix factorisation and popularity on MovieLens
   100k with `repeatable: true`, once undisturbed and once with its driver killed at random moments
   and begun again. Trials, curves and selected configurations must be the same byte by byte.
2. Seconds of the same sweep in either mode, alternating, Ray's start apart.
3. What the selected lack to the best possible in either mode, and the seconds, on simulated
   families that the product's own ledger and policies search (`simulated_search.py`).

Ends with one line of JSON.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from random import Random
from statistics import median

import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from faults.killing import finish, kill_and_resume, outcome, reports

from recsweep.search.sessions import read_sessions
from simulated_search import compare

FAMILIES = ("gru", "matrix_factorization", "popularity")


def project(folder: Path, trials: int, epochs: int, workers: int, repeatable: bool) -> Path:
    """A folder with an experiment; raw and prepared data are the repository's."""
    folder.mkdir(parents=True)
    (folder / "data").symlink_to(ROOT / "data")
    (folder / "search_spaces").symlink_to(ROOT / "search_spaces")
    keys = yaml.safe_load((ROOT / "experiments/default.yaml").read_text("utf-8"))
    keys["families"] = {name: f"search_spaces/{name}.yaml" for name in FAMILIES}
    keys["budget"] = {"trials": trials, "epochs": epochs}
    keys["stopping"] = {"grace_epochs": 1, "reduction": 2, "full_trials": 2}
    keys["resources"] = {"cpu": 0.5, "workers": workers, "checkpoint_seconds": 0}
    keys |= {"repeatable": repeatable, "tracking": {"wandb": "off"}}
    (folder / "experiment.yaml").write_text(yaml.safe_dump(keys))
    return folder


SWEEP = ("search", "experiment.yaml")


def same_after_kills(scratch: Path, workers: int, asked: argparse.Namespace) -> bool:
    """Kill, resume, compare."""
    options = asked.trials, asked.epochs, workers, True
    undisturbed = project(scratch / f"undisturbed-{workers}", *options)
    killed = project(scratch / f"killed-{workers}", *options)
    finish(undisturbed, *SWEEP)
    random = Random(asked.seed + workers)
    for moment in kill_and_resume(killed, SWEEP, asked.kills, reports(undisturbed), random):
        print(f"{workers} workers: killed {moment}", flush=True)
    found = []
    for folder in (undisturbed, killed):
        finish(folder, "select", "results/default")
        found.append(outcome(folder / "results/default"))
    different = [name for name in found[0] if found[0][name] != found[1].get(name)]
    names = ", ".join(found[0])
    print(f"{workers} workers: {names}: {f'{different} differ' if different else 'the same bytes'}")
    return not different and len(found[0]) == len(found[1])


def seconds(scratch: Path, n: int, repeatable: bool, asked: argparse.Namespace) -> float:
    """Of one undisturbed sweep."""
    options = asked.trials, asked.epochs, 2, repeatable
    folder = project(scratch / f"timed-{n}-{repeatable}", *options)
    finish(folder, *SWEEP)
    (session,) = read_sessions(folder / "results/default")
    return session.wall_seconds


def main() -> None:
    """Run all three parts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 4])
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--families", type=int, default=100, help="simulated, of each kind")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    asked = parser.parse_args()
    result: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="recsweep-repeatable-") as name:
        scratch = Path(name)
        result["same"] = {n: same_after_kills(scratch, n, asked) for n in asked.workers}
        pairs = [
            [seconds(scratch, n, mode, asked) for mode in (False, True)]
            for n in range(asked.rounds)
        ]
        for default, repeatable in pairs:
            print(f"default {default:.1f} s, repeatable {repeatable:.1f} s")
        if pairs:
            result["seconds"] = [round(median(pair[n] for pair in pairs), 1) for n in (0, 1)]
            result["ratio"] = round(median(slow / fast for fast, slow in pairs), 2)
    if asked.families:
        result["simulated"] = compare(asked.families)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
