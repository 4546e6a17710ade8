"""The verb `confirm`: refit what was selected, open the sealed test, say what it said.

This is the only stage besides `reproduce --sealed` that reads the test. Everything that decides a
number (the selection, its epochs, the seeds, the smallest effect) is fixed before; every opening is
written down before the test is read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsweep.config.schema import Experiment
from recsweep.data.sealed import unseal
from recsweep.data.types import Dataset, Fold
from recsweep.evaluation.power import Power
from recsweep.models.families.ensemble import EnsembleConfig, Member
from recsweep.models.registry import families_of
from recsweep.records.confirmation import Confirmation, Steps, confirmation_inputs
from recsweep.records.confirmation_files import LEARNERS, read_confirmation, write_confirmation
from recsweep.records.environment import PACKAGE, code_version, environment
from recsweep.records.files import read_study
from recsweep.records.front_ends import with_ends
from recsweep.records.lock import study_lock
from recsweep.records.openings import Opened, Why, record_opening
from recsweep.records.selection import ENSEMBLE
from recsweep.stages.confirm.conclude import ConfirmationPlan, conclude
from recsweep.stages.confirm.contrasts import contrasts
from recsweep.stages.confirm.groups import groups_of_learners
from recsweep.stages.confirm.power import power_of_study
from recsweep.stages.confirm.refits import Job, RefitEnded, Test, score_all
from recsweep.stages.confirm.scorable import check_test
from recsweep.stages.confirm.searches import Search, own_search
from recsweep.stages.machine import worker_count
from recsweep.stages.sweep.stage import searched_data
from recsweep.tasks.folds import development_folds, make_fold
from recsweep.tasks.registry import TASKS
from recsweep.tasks.task import TEST
from recsweep.training.refit import optimizer_steps


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What `confirm_stage` gives back."""

    confirmation: Confirmation
    opened: bool  # False: nothing had changed, and the test stayed closed


def confirm_stage(
    folder: Path,
    root: Path,
    *,
    repeats: Sequence[Search] = (),
    before_opening: Callable[[Power], None] = lambda power: None,
    on_end: Callable[[RefitEnded], None] = lambda ended: None,
    workers: int | None = None,
) -> Confirmed:
    """Confirm the study in `folder`, or read its confirmation where no input has changed.

    Args:
        folder: of the study.
        root: the folder that holds `data/`.
        repeats: of the study's search; with any, verdicts speak of families.
        before_opening: told what the test can show, where it is to be opened.
        on_end: told of every refit that ends.
        workers: processes; None: as many as the machine holds.

    Raises:
        BadInput: no study, other data than it searched on, or a record that can't be read.
        WorkFailed: nothing could be selected, a refit diverged, or a process was killed.
    """
    study = read_study(folder)
    own = own_search(study, folder)
    if repeats:  # their verdicts are on families; ensembles and fronts are of one search
        own = Search(study, {name: own.selected[name] for name in study.experiment.families})
    searches = (own, *repeats)
    selected, *repeated = [search.selected for search in searches]
    dataset = searched_data(study, root)
    inputs = confirmation_inputs(study, selected, repeated)
    if before := _confirmed(folder, inputs):
        return before
    with study_lock(folder, "confirm"):
        if before := _confirmed(folder, inputs):  # by another process, meanwhile
            return before
        experiment = study.experiment
        folds = development_folds(dataset, experiment)
        of_folds = [_steps(fold, selected, experiment.task) for fold in folds]
        del folds  # their memory goes before the test's comes
        asked = contrasts(study, selected)
        if (power := power_of_study(study, selected, folder, root)) is not None:
            before_opening(power)
        now = environment(experiment.resources)
        test, known_users = open_test(folder, "confirm", dataset, experiment, selected, repeated)
        jobs = [job for n, search in enumerate(searches, 1) for job in _jobs(search, n)]
        scored = score_all(
            jobs,
            test,
            workers=workers or worker_count(experiment.resources, len(jobs)),
            on_end=on_end,
        )
        of_refit = _steps(test.fold, selected, experiment.task)
        confirmation, tables = conclude(
            {name: [s for s in scored if s.job.family == name] for name in selected},
            test,
            ConfirmationPlan(
                study=study,
                searches=searches,
                users=known_users,
                steps={
                    name: Steps(folds=tuple(of[name] for of in of_folds), refit=steps)
                    for name, steps in of_refit.items()
                },
                contrasts=asked,
                inputs=inputs,
                environment=now,
                folder=folder,
            ),
        )
        write_confirmation(
            confirmation,
            tables,
            [search.seeds for search in searches],
            test.fold.validation.histories.user,
            folder,
        )
    return Confirmed(confirmation, opened=True)


def _confirmed(folder: Path, inputs: str) -> Confirmed | None:
    """What was confirmed with these inputs; None: nothing was."""
    before = read_confirmation(folder)
    if before is None or before.inputs != inputs or not (folder / LEARNERS).exists():
        return None
    return Confirmed(before, opened=False)


def open_test(
    folder: Path,
    why: Why,
    dataset: Dataset,
    experiment: Experiment,
    configurations: dict[str, Opened],
    repeated: Sequence[Mapping[str, Opened]] = (),
) -> tuple[Test, int]:
    """Write the opening down, read the test, and make it the window of a fold that trains on all
    development data; the second value is the number of users known before the test.

    Raises:
        BadInput: the test's files are missing or changed, or nothing in it can be predicted. No
            opening is booked then.
    """
    check_test(dataset, experiment)
    code = code_version(PACKAGE)
    record_opening(folder, why, code, dataset.fingerprint, configurations, repeated)
    opened = unseal(dataset)
    fold = make_fold(TEST, opened.development, opened.cuts.test, opened, experiment)
    task = TASKS[experiment.task]
    best = task.best_possible(fold, opened, experiment)
    about = task.categories(fold, opened, experiment)
    groups = groups_of_learners(fold, opened, experiment)
    return Test(fold, with_ends(experiment), best, about, groups), dataset.n_users


def _jobs(search: Search, number: int) -> list[Job]:
    trials = {trial.id: trial for trial in search.study.trials}
    known, jobs = families_of(search.study.experiment.task), []
    for name, choice in search.selected.items():
        work = 0.0
        for member in _members(choice):
            trial = trials[member.trial]
            # An epoch of all folds takes about as long as several evaluations; only shares matter.
            work += trial.fit_seconds / len(trial.epochs) * member.epochs
            work += 3 * trial.evaluate_seconds / len(trial.epochs)
        seeds = search.seeds if known[choice.kind].random else search.seeds[:1]
        jobs += [
            Job(name, choice.kind, choice.config, choice.epochs, seed, work + 1e-3, number)
            for seed in seeds
        ]
    return jobs


def _members(choice: Opened) -> Sequence[Member | Opened]:
    """What is trained: the configuration itself, or those that an ensemble is made of."""
    if choice.kind != ENSEMBLE:
        return [choice]
    return EnsembleConfig.model_validate(choice.config).members


def _steps(fold: Fold, selected: Mapping[str, Opened], task: str) -> dict[str, int]:
    """Optimiser steps of the families that are trained by gradient."""
    found = {
        name: optimizer_steps(c.config, fold.training, c.epochs, TASKS[task])
        for name, c in selected.items()
    }
    return {name: steps for name, steps in found.items() if steps is not None}
