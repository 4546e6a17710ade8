"""The plan of a sweep, for the verb `plan`.

Each family's defaults are trained for a few batches and then, as far as the time allows, for one
epoch, which is what the power of the sealed test is told by; first those that have no batches.
"""

import math
import multiprocessing
import resource
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch

from recsweep.config.schema import Experiment, Resources
from recsweep.data.features.choose import with_features
from recsweep.data.types import Float64, Fold
from recsweep.errors import one_line
from recsweep.evaluation.power import Power
from recsweep.models.protocol import Context
from recsweep.models.registry import families_of
from recsweep.search.stopping import rungs
from recsweep.spaces.declared import DeclaredSpace
from recsweep.spaces.space import Space
from recsweep.training.cores import usable_cores
from recsweep.training.footprint import events_in
from recsweep.training.process import without_main
from recsweep.training.rehearsal import networks_of, seconds_per_epoch
from recsweep.training.trial import MakeTrial, Trial

USUAL_SHARE = 0.25
"""Of its epochs that a trial which may be stopped is taken to run under `lag` and `forecast`: on
MARS with texts four families ran 14% to 29% of them."""
MEASURE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class FamilyPlan:
    """One family's share of a sweep."""

    family: str
    parameters: int
    size: float  # configurations in its space; inf for a continuous one
    trials: int | None  # None: as many as fit into its seconds, and nobody knows how many do
    rungs: tuple[int, ...]  # epochs after which a trial may be stopped
    epochs: int  # of a full trial
    expected_epochs: float | None  # of all trials together; None: see `trials`
    epoch_seconds: float | None  # all folds, the defaults; None: not measured in time
    problem: str | None  # why the defaults can't be trained
    refit_seconds: float | None = None  # all seeds, each as long as a full trial
    rough: bool = False  # are seconds those of a few batches, without what evaluating takes?
    budget_seconds: float | None = None  # None: `trials` are the budget
    # (n,) each learner's score after an epoch of the defaults, on the measured fold
    learners: Float64 | None = field(default=None, repr=False)

    @property
    def seconds(self) -> float | None:
        """Estimated, of fitting and evaluating; None: it wasn't measured."""
        if self.epoch_seconds is None or self.expected_epochs is None:
            return self.budget_seconds
        return self.epoch_seconds * self.expected_epochs

    @property
    def most_seconds(self) -> float | None:
        """The same if no trial is stopped early."""
        if self.epoch_seconds is None or self.trials is None or self.budget_seconds is not None:
            return self.seconds
        return self.epoch_seconds * self.epochs * self.trials


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole sweep."""

    families: tuple[FamilyPlan, ...]
    workers: int
    data_bytes: int  # all folds, once for all workers
    worker_bytes: int | None  # the largest measured process
    measured_fold: int  # the one with the most events to train on
    power: Power | None = None  # of the sealed test; None: not known

    @property
    def seconds(self) -> float:
        """Estimated time of all trials of the measured families."""
        return sum(family.seconds or 0.0 for family in self.families) / self.workers

    @property
    def most_seconds(self) -> float:
        """The same if no trial is stopped early."""
        return sum(family.most_seconds or 0.0 for family in self.families) / self.workers

    @property
    def refit_seconds(self) -> float:
        """Estimated time of the refits that the sealed test is opened with, at most."""
        return sum(family.refit_seconds or 0.0 for family in self.families) / self.workers

    @property
    def unmeasured(self) -> list[str]:
        """Families of which no time is known, though their defaults can be trained."""
        return [f.family for f in self.families if f.seconds is None and f.problem is None]


@dataclass(frozen=True, slots=True)
class _Measured:
    family: str
    seconds: float
    bytes: int
    problem: str | None = None
    learners: Float64 | None = None
    fold_seconds: float | None = None  # of the measured fold alone
    rough: bool = False


def plan(
    experiment: Experiment,
    spaces: Mapping[str, Space],
    folds: Sequence[Fold],
    *,
    limit: float = MEASURE_SECONDS,
    make_trial: MakeTrial = Trial,
) -> Plan:
    """Count, and measure for at most `limit` seconds in a process of its own."""
    # Of two measurements of a family the later one is that of a whole epoch.
    declared = {name: space.declared() for name, space in spaces.items()}
    measured = {m.family: m for m in _measure(experiment, declared, folds, limit, make_trial)}
    return Plan(
        families=tuple(
            _family(experiment, name, spaces[name], measured.get(name))
            for name in experiment.families
        ),
        workers=_local_workers(experiment.resources),
        data_bytes=sum(_size(fold) for fold in folds),
        worker_bytes=max((m.bytes for m in measured.values()), default=None),
        measured_fold=_largest(folds),
    )


def _family(
    experiment: Experiment, name: str, space: Space, measured: _Measured | None
) -> FamilyPlan:
    epochs = families_of(experiment.task)[space.family].epochs or experiment.budget.epochs
    epochs = min(epochs, experiment.budget.epochs)
    at = tuple(rung for rung in rungs(experiment) if rung < epochs)
    length, share = 0.0, 1.0
    for start, end in zip((0, *at), (*at, epochs), strict=True):
        length += share * (end - start)
        share /= experiment.stopping.reduction
    if experiment.stopping.rule != "halving":
        length = min(epochs, max(experiment.stopping.grace_epochs, USUAL_SHARE * epochs))
    epoch_seconds = measured.seconds if measured and measured.problem is None else None
    full, budget = experiment.stopping.full_trials, experiment.budget
    seconds = budget.seconds if space.parameters else None
    trials = budget.trials if space.parameters else 1
    if seconds is not None and epoch_seconds:
        trials = trials_within(seconds, full, epochs * epoch_seconds, length * epoch_seconds)
    expected = None
    if trials is not None:
        expected = min(trials, full) * epochs + max(0, trials - full) * length
    return FamilyPlan(
        family=name,
        parameters=len(space.parameters),
        size=space.size,
        trials=trials,
        rungs=at,
        epochs=epochs,
        expected_epochs=expected,
        epoch_seconds=epoch_seconds,
        problem=measured.problem if measured else None,
        refit_seconds=(
            experiment.confirm.seeds * epochs * measured.fold_seconds
            if epoch_seconds is not None and measured and measured.fold_seconds is not None
            else None
        ),
        rough=measured is not None and measured.rough,
        budget_seconds=seconds,
        learners=measured.learners if measured else None,
    )


def trials_within(seconds: float, full: int, full_seconds: float, usual_seconds: float) -> int:
    """How many are begun before the seconds are used up, the first `full` of them full ones."""
    first = math.ceil(seconds / full_seconds)
    if first <= full:
        return first
    return full + math.ceil((seconds - full * full_seconds) / usual_seconds)


def _measure(
    experiment: Experiment,
    spaces: Mapping[str, DeclaredSpace],
    folds: Sequence[Fold],
    limit: float,
    make_trial: MakeTrial,
) -> list[_Measured]:
    """In a process that can be ended: an epoch of a large family may take far longer than that.

    Spaces travel there as declared: the class of a family's configuration can be one that is made
    up as the family is, which no other process can look up.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    deadline = time.monotonic() + limit
    process = context.Process(
        target=_in_child, args=(theirs, experiment, spaces, folds, make_trial), daemon=True
    )
    with without_main():
        process.start()
    theirs.close()
    found: list[_Measured] = []
    try:
        while not _whole(found, spaces) and ours.poll(max(0.0, deadline - time.monotonic())):
            found.append(ours.recv())
    except EOFError:  # it died, for want of memory perhaps
        pass
    finally:
        if not _whole(found, spaces):
            process.terminate()
        process.join(5)  # it comes to its end; killed, it would leave semaphores behind
        process.kill()
        process.join()
    return found


def _whole(found: Sequence[_Measured], spaces: Mapping[str, DeclaredSpace]) -> bool:
    return sum(not each.rough for each in found) == len(spaces)


def _in_child(*given: Any) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    _measure_all(*given)


def _measure_all(
    results: Connection,
    experiment: Experiment,
    spaces: Mapping[str, DeclaredSpace],
    folds: Sequence[Fold],
    make_trial: MakeTrial,
) -> None:
    torch.set_num_threads(experiment.resources.threads)
    device = torch.device("cuda" if experiment.resources.gpu else "cpu")
    largest = folds[_largest(folds)]
    times = sum(map(events_in, folds)) / events_in(largest)
    of_family = {n: with_features(largest, experiment.features_of(n)) for n in spaces}
    quick = {n for n in spaces if families_of(experiment.task)[spaces[n].family].epochs}
    estimated = set()
    for name, space in spaces.items():
        with suppress(Exception):  # a whole epoch will tell what is wrong
            seconds = _rough_seconds(space, of_family[name], experiment, device)
            if seconds is not None:
                results.send(
                    _Measured(name, seconds * times, _peak(), fold_seconds=seconds, rough=True)
                )
                estimated.add(name)
    # Of whom nothing is known yet first: the time may end within a long epoch of any other.
    for name in sorted(spaces, key=lambda n: (n in estimated, n not in quick)):
        began, problem, learners = time.perf_counter(), None, None
        try:
            trial = make_trial(
                spaces[name].family,
                spaces[name].whole(spaces[name].defaults),
                [of_family[name]],
                experiment,
                epochs=1,
                seed=experiment.seed,
                device=device,
            )
            (learners,) = trial.advance().user_values
        except Exception as error:
            problem = f"{type(error).__name__}: {one_line(error)}"
        seconds = time.perf_counter() - began
        results.send(_Measured(name, seconds * times, _peak(), problem, learners, seconds))


def _rough_seconds(
    space: DeclaredSpace, fold: Fold, experiment: Experiment, device: torch.device
) -> float | None:
    """Of an epoch of the defaults, by a few batches; None: it isn't trained by batches."""
    context = Context(fold.training, experiment.seed, device, experiment.resources.precision)
    model = families_of(experiment.task)[space.family].model(space.whole(space.defaults), context)
    networks = networks_of(model)
    return sum(map(seconds_per_epoch, networks)) if networks else None


def _peak() -> int:
    """Bytes that this process held at most."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _largest(folds: Sequence[Fold]) -> int:
    return int(np.argmax([events_in(fold) for fold in folds]))


def _local_workers(resources: Resources) -> int:
    """As many as Ray would start on this machine."""
    fitting = int(usable_cores() // resources.cpu)
    if resources.gpu:
        fitting = min(fitting, int(torch.cuda.device_count() // resources.gpu))
    return max(1, min(fitting, resources.workers or fitting))


def _size(value: object) -> int:
    """Bytes of every array within."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if is_dataclass(value):
        return sum(_size(getattr(value, field.name)) for field in fields(value))
    return 0
