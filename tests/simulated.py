"""Sweeps without Ray: workers that finish in any order, and drivers that die between two steps.

A configuration has 1000 x parameters.
"""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import optuna
from sweeps import folds_of, ledger_of, report_of, spaces_of

from recsweep.config.schema import Experiment
from recsweep.records.study import TrialRow
from recsweep.search.policy import Policy, policy_of
from recsweep.search.proposal import Proposal
from recsweep.search.stopping import is_over
from recsweep.search.storage import open_storage
from recsweep.search.trials import trial_rows

FOLDS = folds_of()


def score(x: float, epoch: int) -> float:
    """Best at .3; curves cross, and the lower third's turn down after the second epoch."""
    down = 0.02 * max(0, epoch - 2) if x < 0.4 else 0.0
    return 0.2 - (x - 0.3) ** 2 / 5 + 0.01 * epoch * x - down


def sweep(
    folder: Path, experiment: Experiment, workers: int, random: Random, deaths: int = 0
) -> int:
    """Run a study to its end; the driver dies `deaths` times. How many sessions it took."""
    folder.mkdir(exist_ok=True)
    checkpoints: dict[str, int] = {}  # trial -> epoch
    sessions = 0
    while True:
        sessions += 1
        steps = random.randrange(1, 25) if sessions <= deaths else 10**6
        if _session(folder, experiment, workers, random, steps, checkpoints):
            return sessions


def _session(
    folder: Path,
    experiment: Experiment,
    workers: int,
    random: Random,
    steps: int,
    checkpoints: dict[str, int],
) -> bool:
    spaces = spaces_of(folder, *experiment.families)
    policy = policy_of(ledger_of(folder, experiment, spaces), experiment)
    busy: dict[str, tuple[Proposal, int]] = {}
    while True:
        while len(busy) < workers and not policy.finished():
            proposal = policy.next()
            if proposal is None:
                assert busy, "nothing runs and nothing is handed out"
                break
            unknown = experiment.limits.given and not proposal.measured
            busy[proposal.id] = proposal, checkpoints.get(proposal.id, -1 if unknown else 0)
        if not busy:
            return True
        if steps == 0:
            return False
        steps -= 1
        id_ = random.choice(list(busy))
        proposal, epoch = busy[id_]
        if epoch < 0:
            size = 1000 * float(proposal.config.get("x", 0))
            if policy.measured(proposal, {"parameters": size}):
                busy[id_] = proposal, 0
            else:
                del busy[id_]
        elif _step(policy, experiment, proposal, epoch + 1):
            busy[id_] = proposal, epoch + 1
            if random.random() < 0.5:
                checkpoints[id_] = epoch + 1
        else:
            checkpoints[id_] = epoch + 1
            del busy[id_]


def run(policy: Policy, experiment: Experiment) -> None:
    """Every trial that is lacking, one after the other, each without an interruption."""
    while not policy.finished():
        proposal, epoch = policy.next(), 1
        assert proposal is not None
        while _step(policy, experiment, proposal, epoch):
            epoch += 1


def _step(policy: Policy, experiment: Experiment, proposal: Proposal, epoch: int) -> bool:
    x = float(proposal.config.get("x", 0.0))
    if x > 0.9 and epoch == 2:
        policy.failed(proposal, "diverged")
        return False
    report = replace(report_of(epoch, score(x, epoch), FOLDS), parameters=round(1000 * x))
    best = max(range(1, epoch + 1), key=lambda at: score(x, at))
    length = 1 if proposal.family == "floor" else experiment.budget.epochs
    over = is_over(epoch, best, length, experiment.stopping.patience)
    return policy.reported(proposal, report, report if over else None)


def rows(folder: Path, experiment: Experiment) -> list[TrialRow]:
    """Every trial, times aside."""
    storage = open_storage(folder)
    studies = [optuna.load_study(study_name=n, storage=storage) for n in experiment.families]
    nothing: Any = None
    return [replace(row, started=nothing, ended=nothing) for row in trial_rows(studies)]
