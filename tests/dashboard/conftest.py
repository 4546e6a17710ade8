"""A study in the middle of its sweep, driven by hand: no Ray, no training."""

import json
import os
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sweeps import folds_of, ledger_of, report_of, spaces_of, study_of

from recsweep.records.live import LiveSweep, write_live
from recsweep.search.ledger import Ledger


class Sweep:
    """A sweep of `a` (4 trials) and `floor` (1) with a full length of 2 epochs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        experiment = study_of("a", "floor", trials=4, epochs=2)
        self.ledger: Ledger = ledger_of(folder, experiment, spaces_of(folder, "a", "floor"))
        holder = {"pid": os.getpid(), "host": platform.node(), "since": "now"}
        (folder / "sweep.lock").write_text(json.dumps(holder))
        write_live(
            LiveSweep(
                study="test",
                description="a study",
                metric="ndcg@10",
                targets={"a": 4, "floor": 1},
                epochs=2,
                workers=2,
                started=datetime.now(UTC),
                project="recsweep",
            ),
            folder,
        )

    def begin(self) -> str:
        """Ask for a trial of `a`."""
        return self.ledger.ask("a").id

    def report(self, trial: str, epoch: int, value: float) -> None:
        """Book an epoch."""
        self.ledger.report(trial, report_of(epoch, value, folds_of()))

    def finish(self, value: float) -> str:
        """A whole trial."""
        trial = self.begin()
        self.report(trial, 1, value / 2)
        self.report(trial, 2, value)
        self.ledger.complete(trial, report_of(2, value, folds_of()))
        return trial

    def let_go(self) -> None:
        """As the end of a process does."""
        (self.folder / "sweep.lock").write_text("")


@pytest.fixture
def sweep(tmp_path: Path) -> Callable[[], Sweep]:
    return lambda: Sweep(tmp_path)
