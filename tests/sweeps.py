"""Sweeps of trials that train nothing: a family with one parameter, whose score is made up."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from pydantic import Field
from worlds import dataset_of, events_of, experiment_of

from recsweep.config.schema import Budget, Experiment, Metric
from recsweep.data.types import Fold
from recsweep.models.family import Build, Builds
from recsweep.models.protocol import FamilyConfig
from recsweep.search.ledger import Ledger
from recsweep.search.storage import open_family, open_storage
from recsweep.spaces.files import load_space
from recsweep.spaces.space import Space
from recsweep.tasks.folds import make_fold
from recsweep.tracking.events import Event
from recsweep.training.epoch import EpochReport

TUNED = """
family: made_up
defaults: {x: 0.5}
parameters:
  x: {float: [0.0, 1.0], role: scientific, why: decides the score}
"""


class MadeUpConfig(FamilyConfig):
    """One number that decides, and two that don't."""

    x: float = Field(ge=0)
    n: int = 1
    y: float = 0.0


def build(config: Any, context: Any) -> Any:
    """Never called: the trials are made up, too."""
    raise NotImplementedError


FAMILIES: Builds = {
    "made_up": Build(MadeUpConfig, build),
    "floor": Build(FamilyConfig, build, epochs=1),
}


def spaces_of(folder: Path, *names: str) -> dict[str, Space]:
    """Tuned families, and a floor where the name is `floor`."""
    spaces = {}
    for name in names:
        path = folder / f"{name}.yaml"
        path.write_text("family: floor\n" if name == "floor" else TUNED)
        spaces[name] = load_space(path, FAMILIES)
    return spaces


def study_of(*names: str, trials: int = 12, epochs: int = 4, **changes: object) -> Experiment:
    """An experiment over made-up families."""
    return experiment_of(
        families=dict.fromkeys(names, "space.yaml"),
        budget={"trials": trials, "epochs": epochs},
        **{"stopping": {"grace_epochs": 1, "reduction": 2, "full_trials": 4}, **changes},
    )


def within(seconds: float, *names: str, **changes: object) -> Experiment:
    """The same with a budget of seconds."""
    budget = {"budget": Budget(seconds=seconds, epochs=4)}
    return study_of(*names, **changes).model_copy(update=budget)  # type: ignore[arg-type]


def lower(experiment: Experiment) -> Experiment:
    """The same with a score of which less is better."""
    return experiment.model_copy(update={"metric": Metric(name="log_loss")})


def folds_of() -> tuple[Fold, ...]:
    """Two folds in which three and two learners have a target."""
    rows = [(u, (u + step) % 6, 10 * step + u) for u in range(3) for step in range(5)]
    events = events_of(rows)
    data, experiment = dataset_of(events), experiment_of()
    windows = ((30, 33), (40, 42))
    return tuple(
        make_fold(f"fold{n}", events, window, data, experiment) for n, window in enumerate(windows)
    )


def report_of(epoch: int, value: float, folds: tuple[Fold, ...] = ()) -> EpochReport:
    """An epoch in which every learner got the same."""
    return EpochReport(
        epoch=epoch,
        value=value,
        metrics={"ndcg@10": (value, value)},
        losses=(1.0 / epoch, None),
        fit_seconds=0.01,
        evaluate_seconds=0.005,
        user_values=tuple(np.full(len(f.validation.histories), value) for f in folds),
    )


def ledger_of(
    folder: Path,
    experiment: Experiment,
    spaces: Mapping[str, Space],
    emit: Callable[[Event], None] = lambda event: None,
    fingerprint: str = "data",
    begin: bool = True,
    studies: Mapping[str, optuna.Study] | None = None,
) -> Ledger:
    """A ledger as `run_search` opens one, or of these Optuna studies."""
    storage = open_storage(folder, heal=True)
    studies = studies or {
        name: open_family(storage, name, space, experiment, fingerprint)
        for name, space in spaces.items()
    }
    ledger = Ledger(folder, experiment, spaces, storage, studies, folds_of(), emit)
    if begin:
        ledger.begin()
    return ledger


def run_trial(ledger: Ledger, family: str, values: tuple[float, ...] = (0.1, 0.3, 0.2)) -> str:
    """Ask for one and book it, complete; its id."""
    proposal = ledger.ask(family)
    for epoch, value in enumerate(values, 1):
        ledger.report(proposal.id, report_of(epoch, value, folds_of()))
    ledger.complete(proposal.id, report_of(1, max(values), folds_of()))
    return proposal.id


def study_at(folder: Path, family: str = "a") -> optuna.Study:
    """A family's, by the journal."""
    return optuna.load_study(study_name=family, storage=open_storage(folder))


def make_trials(
    trouble: Callable[[float, int], float | None] = lambda x, epoch: None, seconds: float = 0.0
) -> Any:
    """A stand-in for `Trial`. `trouble(x, epoch)` may raise, end the process, or give the score.

    The class lives in a function, so that it travels to Ray's workers by value.
    """

    class MadeUpTrial:
        def __init__(
            self, family: str, config: Mapping[str, Any], folds: Any, metric: Any, **rest: Any
        ) -> None:
            self.epochs = 1 if family == "floor" else rest["epochs"]
            self.x, self.folds, self.epoch = config.get("x", 0.0), folds, 0
            self.best: Any = None
            self.last: Any = None
            self.sum = 0.0  # of all epochs' values: what a trial would lose if it began again

        def checkpoint(self) -> Any:
            import torch

            from recsweep.training.trial import Checkpoint

            kept = {"sum": torch.tensor(self.sum, dtype=torch.float64)}
            return Checkpoint(self.last, self.best, kept)

        def restore(self, checkpoint: Any) -> None:
            self.epoch = checkpoint.last.epoch
            self.last, self.best = checkpoint.last, checkpoint.best
            self.sum = float(checkpoint.tensors["sum"])

        def advance(self) -> Any:
            import time

            import numpy as np

            from recsweep.training.epoch import EpochReport

            self.epoch += 1
            time.sleep(seconds)
            value = trouble(self.x, self.epoch)
            if value is None:
                value = 0.2 - (self.x - 0.3) ** 2 / 5 + 0.001 * self.epoch + 1e-4 * self.sum
                self.sum += value
            report = EpochReport(
                self.epoch,
                value,
                {"ndcg@10": (value, value)},
                (1.0, None),
                0.01,
                0.01,
                tuple(np.full(len(f.validation.histories), value) for f in self.folds),
            )
            self.last = report
            if self.best is None or value > self.best.value:
                self.best = report
            return report

    return MadeUpTrial


def main() -> None:
    """Sweep in a process of its own: FOLDER TRIALS SECONDS-AN-EPOCH [WORKERS]."""
    from recsweep.search.run import run_search

    folder, trials, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    workers = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    experiment = study_of("a", "b", trials=trials, resources={"workers": workers})

    def show(event: Event) -> None:
        sys.stdout.write(f"{type(event).__name__}\n")
        sys.stdout.flush()

    try:
        run_search(
            experiment,
            spaces_of(folder, "a", "b"),
            folds_of(),
            folder,
            fingerprint="data",
            listeners=[show],
            make_trial=make_trials(seconds=seconds),
        )
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
