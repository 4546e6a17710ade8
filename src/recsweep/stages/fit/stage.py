"""The verb `fit`: train a best configuration on all data and write a bundle.

It trains as the confirmation's refits do, for the same epochs, but by the study's own seed, and by
default on the sealed test as well. That is allowed once the study's verdicts are out, since nothing
is scored on it any more; a fit reports no score and is no opening.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsweep.bundle.bundle import parts_of
from recsweep.bundle.card import card
from recsweep.bundle.files import check_free, write_bundle
from recsweep.bundle.format import BEST, CARD, BundleFile, Evidence, Fitted, Score, Selected, Until
from recsweep.config.schema import Experiment
from recsweep.data.before_cut import moment_of
from recsweep.data.clock import iso
from recsweep.data.sealed import unseal
from recsweep.data.types import Dataset, Fold, Training
from recsweep.errors import BadInput, WorkFailed
from recsweep.evaluation.probability import Calibrator
from recsweep.models.text.texts import from_tensor
from recsweep.records.confirmation import Confirmation
from recsweep.records.confirmation_files import VERDICTS
from recsweep.records.environment import environment
from recsweep.records.evidence import read_evidence
from recsweep.records.files import read_study
from recsweep.records.selection import ENSEMBLE, BestFile, read_best
from recsweep.reporting.tasks.registry import report_of, speaker
from recsweep.stages.machine import device_of, threads
from recsweep.stages.portrait.stage import OnEpoch
from recsweep.stages.recorded import (
    check_configuration,
    confirmed,
    recorded_data,
    unconfirmed,
)
from recsweep.tasks.development import whole_split
from recsweep.tasks.folds import development_folds
from recsweep.tasks.registry import TASKS
from recsweep.tasks.task import Outcomes
from recsweep.training.refit import refit
from recsweep.training.trial import Diverged


@dataclass(frozen=True, slots=True)
class FittedBundle:
    """Where it lies, and what it says of itself."""

    folder: Path
    file: BundleFile
    labels: tuple[str, ...] = ()  # that a model of texts knows


def fit_stage(
    path: Path,
    root: Path,
    out: Path,
    *,
    until: Until | int = "everything",
    licence: str | None = None,
    on_epoch: OnEpoch = lambda family, epoch, epochs, seconds_left: None,
) -> FittedBundle:
    """Train the configuration of a best file and write a bundle.

    Args:
        path: `results/<study>/best/<family>.yaml`, or a study's folder: see `best_file`.
        root: where `data/` is, or will be.
        out: a folder that is not there yet.
        until: with the sealed test, or without it; or a moment, microseconds since 1970 UTC.
        licence: what is known of the data's licence, for the model card.
        on_epoch: told of every epoch.

    Raises:
        BadInput: a file or key that can't be used, a place that is taken, or a sealed test whose
            verdicts are not out.
        WorkFailed: the data differ from the record, or training diverged.
    """
    check_free(out)
    path = best_file(path) if path.is_dir() else path
    best = read_best(path)
    check_configuration(best, path)
    experiment = best.experiment.of_family(best.family)
    task = TASKS[experiment.task]
    if task.answers is None and not task.labels_texts:
        raise BadInput(
            f"{path}: models of task {experiment.task} can't be asked outside of a study"
        )
    folder = path.parent.parent
    dataset = recorded_data(best, root)
    cut, period = _period(until, dataset, experiment)
    confirmation = confirmed(best, folder)
    if confirmation is None and period == "everything":
        raise unconfirmed(best, folder, ", or fit with --until development")
    calibrator = _calibrator(best, experiment, dataset)
    if period == "everything":
        dataset = unseal(dataset)
    cut = moment_of(dataset.development, cut, experiment.folds)
    split = whole_split(dataset, experiment, cut)
    training = TASKS[experiment.task].training(split)
    model: Any = _train(best, experiment, training, on_epoch)
    content, files = parts_of(model, split, training, calibrator)
    content |= _record(best, experiment, training, period, cut, confirmation, licence)
    content["selected"] = _selected(best, folder)
    record = BundleFile.model_validate({**content, "files": {}})
    of_texts = experiment.data.kind == "texts"
    labels = from_tensor(model.state()["classes"]) if of_texts else ()
    files |= {CARD: card(record, out.name, labels).encode(), BEST: path.read_bytes()}
    if confirmation is not None:
        files[VERDICTS] = (folder / VERDICTS).read_bytes()
    write_bundle(out, content, files)
    return FittedBundle(out, record, labels)


def _period(until: Until | int, dataset: Dataset, experiment: Experiment) -> tuple[int, Until]:
    """The moment that learning ends at, and whether any of the sealed test lies before it."""
    begin, end = dataset.cuts.test
    if until == "everything":
        return end, until
    if until == "development":
        return begin, until
    if not experiment.folds.in_time:
        raise BadInput("--until: these folds aren't cut by the clock; everything or development")
    first = int(dataset.development.time.min())
    if not first < until <= end:
        raise BadInput(
            f"--until {iso(until)}: the log has events from {iso(first)} to before {iso(end)}"
        )
    return until, "everything" if until > begin else "development"


def best_file(folder: Path) -> Path:
    """That of a study's family with the best cross-validated score.

    Raises:
        BadInput: nothing was selected there.
    """
    best = read_evidence(folder).best
    goodness = next(iter(best.values())).experiment.metric.goodness
    family = max(best, key=lambda name: goodness(best[name].value))
    return folder / "best" / f"{family}.yaml"


def _train(best: BestFile, experiment: Experiment, training: Training, on_epoch: OnEpoch) -> object:
    began = time.monotonic()

    def hear(epoch: int, epochs: int) -> None:
        left = (time.monotonic() - began) / epoch * (epochs - epoch)
        on_epoch(best.family, epoch, epochs, left)

    resources = experiment.resources
    try:
        with threads(resources):
            return refit(
                best.kind,
                best.config,
                training,
                epochs=best.epochs,
                seed=experiment.seed,
                device=device_of(resources, 0),
                precision=resources.precision,
                task=TASKS[experiment.task],
                on_epoch=hear,
            )
    except Diverged as reason:
        raise WorkFailed(f"{best.family}: the fit diverged: {reason}") from None


def _calibrator(best: BestFile, experiment: Experiment, dataset: Dataset) -> Calibrator:
    """Fitted on every fold's window, by a model of what lay before it."""
    if experiment.metric.calibration == "none":
        return Calibrator()
    folds = development_folds(dataset, experiment)
    outcomes = [_held_out(best, experiment, fold) for fold in folds]
    targets = [fold.validation for fold in folds]
    return TASKS[experiment.task].calibrator(outcomes, targets, experiment.metric)


def _held_out(best: BestFile, experiment: Experiment, fold: Fold) -> Outcomes:
    task, device = TASKS[experiment.task], device_of(experiment.resources, 0)
    model = _train(best, experiment, fold.training, lambda *told: None)
    with threads(experiment.resources):
        return task.scorer(fold.validation, fold.n_items, device).outcomes(model)


def _record(
    best: BestFile,
    experiment: Experiment,
    training: Training,
    until: Until,
    cut: int,
    confirmation: Confirmation | None,
    licence: str | None,
) -> dict[str, object]:
    return {
        "study": best.study,
        "family": best.family,
        "kind": best.kind,
        "task": experiment.task,
        "config": best.config,
        "epochs": best.epochs,
        "seed": experiment.seed,
        "fitted": Fitted(
            until=until,
            end=cut,
            learners=len(training.sequences),
            events=len(training.sequences.item) or len(training.examples or ()),
            dataset=best.data.dataset,
            fingerprint=best.data.fingerprint,
            raw=best.data.raw,
        ),
        "evidence": (
            None if confirmation is None else _evidence(best.family, confirmation, experiment)
        ),
        "licence": licence or _unknown_licence(experiment),
        "experiment": experiment,
        "environment": environment(experiment.resources),
    }


def _selected(best: BestFile, folder: Path) -> Selected:
    return Selected(
        trial=best.trial,
        rule=best.rule,
        metric=best.metric,
        value=best.value,
        folds=best.metrics[best.metric],
        trials=None if best.kind == ENSEMBLE else _trials(best, folder),
    )


def _trials(best: BestFile, folder: Path) -> int | None:
    """Of the family, by the study's own table; as many as were asked for where it isn't there."""
    if (folder / "study.json").exists():
        return len(read_study(folder).trials_of(best.family))
    return best.experiment.budget.trials


def _evidence(family: str, found: Confirmation, experiment: Experiment) -> Evidence:
    metric, say = found.metric, speaker(experiment, "en")
    of_families = {name: each.metrics[metric] for name, each in found.families.items()}
    return Evidence(
        metric=metric,
        learners=found.learners,
        unit=found.unit,
        targets=found.targets,
        level=found.level,
        smallest_effect=found.smallest_effect,
        scope=found.scope,
        openings=len(found.openings),
        scores={name: Score(e.mean, e.lower, e.upper) for name, e in of_families.items()},
        pairs=tuple(pair for pair in found.pairs if family in (pair.a, pair.b)),
        caveats=tuple(report_of(experiment.task).caveats(say, found)),
        groups=tuple(each.column for each in found.groups if any(each.gaps.values())),
    )


def _unknown_licence(experiment: Experiment) -> str:
    data = experiment.data
    source = "" if data.package is None else f" (of the package {data.package.name})"
    return (
        f"Nobody told recsweep the licence of the data {data.name}{source}. Read its terms before "
        "you pass this model on, which was made from it."
    )
