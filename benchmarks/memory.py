"""Is the data loaded once a machine? Workers' private and shared memory over growing logs.

    python benchmarks/memory.py [--events 500000 2000000]

Each trial of a small sweep (two workers) reads every array of its folds, then builds its models and
batches as training does (popularity's, which has none, and a small GRU's), and reports the memory
of its process. A copy of the log in each worker would show as private bytes an event. The last line
is JSON.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from overhead import SPACE, study
from plain_loop import CONFIG
from recsweep.data.types import Fold, Sequences, Targets, Training
from recsweep.models.registry import families_of
from recsweep.search.run import run_search
from recsweep.spaces.files import load_space
from recsweep.tracking.events import EpochReported, Event
from recsweep.training.epoch import EpochReport
from recsweep.training.trial import Trial

FOLDS, ITEMS, LENGTH = 3, 2000, 50
FAMILIES: dict[str, Mapping[str, Any]] = {
    "arrays only": {},
    "popularity": {},
    "gru": {**CONFIG, "hidden_size": 16, "embedding_size": 16},
}


def fold_of(n_events: int, number: int) -> Fold:
    """Learners of 50 events each, and a target for each twentieth of them."""
    n_users = n_events // LENGTH
    rng = np.random.default_rng(number)
    sequences = Sequences(
        user=np.arange(n_users, dtype=np.int32),
        offsets=np.arange(n_users + 1, dtype=np.int64) * LENGTH,
        item=rng.integers(0, ITEMS, n_users * LENGTH, dtype=np.int32),
        time=np.tile(np.arange(LENGTH, dtype=np.int64), n_users),
        kind=np.zeros(n_users * LENGTH, np.int8),
        features=np.zeros((n_users, 0), np.float32),
    )
    asked = np.arange(0, n_users, 20, dtype=np.int32)
    length = np.full(len(asked), LENGTH, np.int32)
    item = np.zeros(len(asked), np.int32)
    targets = Targets(sequences, asked, length, item, item.astype(np.int64), True, {})
    training = Training(sequences, ITEMS, np.zeros((ITEMS, 0), np.float32))
    return Fold(f"fold{number}", 0, np.arange(ITEMS, dtype=np.int32), training, targets)


def arrays(value: object) -> list[np.ndarray[Any, Any]]:
    """Every array within."""
    if isinstance(value, np.ndarray):
        return [value]
    if is_dataclass(value):
        return [a for field in fields(value) for a in arrays(getattr(value, field.name))]
    return []


def memory() -> tuple[float, float]:
    """Private and shared bytes of this process."""
    text = Path("/proc/self/smaps_rollup").read_text()
    found = {name: int(kib) * 1024 for name, kib in re.findall(r"^(\w+): +(\d+) kB", text, re.M)}
    private = found["Private_Clean"] + found["Private_Dirty"]
    return float(private), float(found["Rss"] - private)


class Look:
    """Stands in for `Trial`: looks at its folds, builds a real trial, reports memory."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(
        self, family: str, config: Mapping[str, Any], folds: Sequence[Fold], *rest: Any, **more: Any
    ) -> "Look":
        """Begin a trial."""
        self.epochs = 1
        self._total = sum(float(a.sum()) for fold in folds for a in arrays(fold))
        if self.name != "arrays only":
            values = FAMILIES[self.name]
            self._trial = Trial(self.name, values, folds, *rest, **{**more, "epochs": 1})
        return self

    def advance(self) -> EpochReport:
        """Report."""
        private, shared = memory()
        means = {f"{name}@10": (0.1,) for name in ("recall", "ndcg", "mrr")}
        seen = {**means, "private": (private,), "shared": (shared,)}
        return EpochReport(1, 0.1, seen, (None,), 0.0, 0.0, (np.zeros(1),) * FOLDS)


def measure(name: str, folds: Sequence[Fold]) -> tuple[float, float]:
    """Largest private and shared bytes of a worker."""
    rows: list[Mapping[str, tuple[float, ...]]] = []

    def note(event: Event) -> None:
        if isinstance(event, EpochReported):
            rows.append(event.report.metrics)

    with tempfile.TemporaryDirectory() as temporary:
        space = Path(temporary) / "space.yaml"
        space.write_text(SPACE)
        run_search(
            study(4),
            {"made_up": load_space(space, families_of("next_item"))},
            folds,
            Path(temporary),
            fingerprint="none",
            listeners=[note],
            make_trial=Look(name),  # type: ignore[arg-type]
        )
    if not rows:
        sys.exit(f"{name}: no trial reported; is there too little memory for the workers?")
    return max(row["private"][0] for row in rows), max(row["shared"][0] for row in rows)


def main() -> None:
    """Print bytes, and bytes an event."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--events", nargs=2, type=int, default=[500_000, 2_000_000])
    options = parser.parse_args()
    found = {}
    for name in FAMILIES:
        rows = []
        for n_events in options.events:
            folds = [fold_of(n_events, number) for number in range(FOLDS)]
            size = sum(a.nbytes for fold in folds for a in arrays(fold.training))
            private, shared = measure(name, folds)
            rows.append((private, shared))
            print(
                f"{name:12} {n_events:10,} events, {FOLDS} folds of {size / 1e6:5.0f} MB in all: "
                f"a worker has {private / 1e6:5.0f} MB of its own, {shared / 1e6:5.0f} MB shared",
                flush=True,
            )
        more = (options.events[1] - options.events[0]) * FOLDS
        each = (rows[1][0] - rows[0][0]) / more
        found[name] = {"private_bytes_an_event_and_fold": round(each, 1)}
        print(f"{'':12} {each:.1f} private bytes an event and fold")
    print(json.dumps({"benchmark": "memory", "found": found}))


if __name__ == "__main__":
    main()
