"""The verb `search`: run or resume a study's trials and write down what they found."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from recsweep.config.schema import Experiment
from recsweep.config.schema.task import question_of
from recsweep.data.prepare import prepare
from recsweep.data.prepared import load_dataset
from recsweep.data.types import Dataset, Fold
from recsweep.errors import BadInput, RecsweepError, WorkFailed
from recsweep.mirror.listener import MirrorListener
from recsweep.mirror.study import INTERRUPT_LIMIT, LIMIT, open_mirror, renew_mirror
from recsweep.models.engine import engine_of, with_precision
from recsweep.models.registry import families_of
from recsweep.records.earlier import Earlier
from recsweep.records.environment import environment
from recsweep.records.files import read_study, write_study
from recsweep.records.study import Study, SweepSession
from recsweep.reporting.board import opening_board
from recsweep.search.run import run_search
from recsweep.search.sessions import read_sessions
from recsweep.search.storage import kept_earlier, kept_precision, widened_before
from recsweep.search.study import build_study
from recsweep.spaces.bundled import space_path
from recsweep.spaces.files import load_space
from recsweep.spaces.space import Space
from recsweep.spaces.widen import with_ranges
from recsweep.stages.sweep.arms import with_arms
from recsweep.stages.sweep.earlier import read_earlier
from recsweep.tasks.folds import development_folds
from recsweep.tracking.alongside import publish_along
from recsweep.tracking.events import Listener
from recsweep.tracking.live import LiveFile
from recsweep.tracking.mlflow import MlflowListener
from recsweep.tracking.wandb import WandbListener
from recsweep.tracking.wandb_mode import resolve_mode
from recsweep.training.rehearsal import check_measurable


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a sweep stands on."""

    experiment: Experiment
    folder: Path  # of the study
    dataset: Dataset
    folds: tuple[Fold, ...]
    spaces: Mapping[str, Space]
    earlier: Earlier = field(default_factory=dict)
    widen: bool = False  # ranges are wider than the study began with


def study_folder(experiment: Experiment, root: Path) -> Path:
    """`results/<study>`."""
    return root / "results" / experiment.study


def load_inputs(experiment: Experiment, root: Path, widen: Sequence[str] = ()) -> Inputs:
    """Prepare the data and check the spaces; `widen` names ranges as `with_ranges` reads them.

    Raises:
        BadInput: see `prepare`, `development_folds`, `load_space`, `with_ranges` and
            `read_earlier`.
        WorkFailed: see `prepare`.
    """
    families = families_of(experiment.task)
    spaces = {
        name: load_space(space_path(experiment, name, root), families)
        for name in experiment.families
    }
    folder = study_folder(experiment, root)
    experiment, spaces = with_arms(with_precision(experiment, kept_precision(folder)), spaces)
    spaces = with_ranges(widened_before(folder, spaces, families), widen, families)
    _check_histories(experiment, spaces)
    _check_groups(experiment)
    dataset = prepare(experiment, root)
    folds = development_folds(dataset, experiment)
    earlier: Earlier = kept_earlier(folder) if experiment.warm_start else {}
    if not {name for name, space in spaces.items() if space.parameters} <= earlier.keys():
        earlier = read_earlier(experiment, spaces, dataset, root)  # it has yet to begin
    return Inputs(experiment, folder, dataset, folds, spaces, earlier, widen=bool(widen))


def searched_data(study: Study, root: Path) -> Dataset:
    """The prepared data that a study was searched on.

    Raises:
        BadInput: they are not there, or were changed.
    """
    dataset = load_dataset(root / "data" / study.dataset)
    if dataset.fingerprint != study.fingerprint:
        raise BadInput(
            f"{dataset.folder}: has fingerprint {dataset.fingerprint[:12]}…, the study searched on "
            f"{study.fingerprint[:12]}…; the data changed: run recsweep search under a new study "
            "name"
        )
    return dataset


def _check_histories(experiment: Experiment, spaces: Mapping[str, Space]) -> None:
    families = families_of(experiment.task)
    for name, space in spaces.items():
        if experiment.data.sessions is not None and families[space.family].needs_history:
            others = [kind for kind, family in families.items() if not family.needs_history]
            raise BadInput(
                f"families.{name}: {space.family} reads histories, and data.sessions has none; "
                f"allowed: {', '.join(others)}"
            )


def _check_groups(experiment: Experiment) -> None:
    """Of what is typed alone: a study that began with them can still be read."""
    metrics = question_of(experiment.task).metrics.values()
    if experiment.confirm.groups and not any(kind.additive for kind in metrics):
        raise BadInput(
            f"confirm.groups: no metric of task {experiment.task} is a mean over learners, so that "
            "a group of them has none; leave it out"
        )


def sweep(
    inputs: Inputs,
    *,
    extra_trials: int = 0,
    listeners: Sequence[Listener] = (),
    later: Sequence[str] = (),
) -> tuple[Study, SweepSession | None]:
    """Run what the study lacks; the session is None if it lacked nothing.

    Whatever happens, the study's files tell of every finished trial. `later` names the stages that
    follow, for the estimate of the end.

    Raises:
        BadInput: `extra_trials` of a budget of seconds; a limit that this system can't measure.
        BadInput, WorkFailed, KeyboardInterrupt: see `run_search`.
    """
    experiment, folder = inputs.experiment, inputs.folder
    seconds = experiment.budget.seconds
    if extra_trials and seconds is not None:
        raise BadInput(
            f"--trials +{extra_trials}: the budget of this study is budget.seconds {seconds:g}, "
            f"not trials; for more type --set budget.seconds={2 * seconds:g}"
        )
    check_measurable(experiment)
    mode = resolve_mode(experiment.tracking)
    engine_of(experiment.resources)  # what it compiles is there before workers ask for it
    now = environment(experiment.resources)  # if it can't be told, then not after the search
    folder.mkdir(parents=True, exist_ok=True)
    hearing: list[Listener] = [LiveFile(folder, later), *listeners]
    if mode == "online":
        board = opening_board(experiment, inputs.spaces)
        publish_along(board, experiment.tracking, wait=False)
    if mode is not None:
        hearing.append(WandbListener(folder, experiment, mode))
    if experiment.tracking.mlflow:
        hearing.append(MlflowListener(experiment))
    mirror = open_mirror(experiment, folder)
    if mirror is not None:
        hearing.append(MirrorListener(mirror, experiment.tracking.close_seconds))
    try:
        session = run_search(
            experiment,
            inputs.spaces,
            inputs.folds,
            folder,
            fingerprint=inputs.dataset.fingerprint,
            dataset=inputs.dataset.folder.name,
            listeners=hearing,
            extra_trials=extra_trials,
            earlier=inputs.earlier,
            widen=inputs.widen,
        )
    except (KeyboardInterrupt, WorkFailed) as end:
        with suppress(OSError, RecsweepError):  # what ended it may be a disk that is full
            write_study(collect(inputs, _trained_in(folder, now)), folder)
        if mirror is not None:
            renew_mirror(mirror, LIMIT if isinstance(end, WorkFailed) else INTERRUPT_LIMIT)
        raise
    study = collect(inputs, _trained_in(folder, now))
    write_study(study, folder)
    if mirror is not None:
        renew_mirror(mirror)
    return study, session


def _trained_in(folder: Path, now: Mapping[str, object]) -> Mapping[str, object]:
    """The environment of the last trials that ended: while the study was written down with all of
    them, the one that stands there. Nothing of theirs comes from the code that looks at them today.
    """
    try:
        before = read_study(folder)
        since = read_sessions(folder)[len(before.sessions) :]
    except BadInput:  # none was written, or it is damaged
        return now
    return now if any(session.trials for session in since) else before.environment


def collect(inputs: Inputs, environment: Mapping[str, object]) -> Study:
    """The study as its Optuna journal and its sessions tell it."""
    return build_study(
        inputs.folder,
        inputs.experiment,
        inputs.spaces,
        dataset=inputs.dataset.folder.name,
        fingerprint=inputs.dataset.fingerprint,
        environment=environment,
        folds={fold.name: fold_counts(fold) for fold in inputs.folds},
    )


def fold_counts(fold: Fold) -> dict[str, int]:
    """What a fold holds, and the events that each rule took out of its window or marked."""
    training, validation = fold.training, fold.validation
    if len(training.sequences.item) == 0:  # sessions: no courses, and every row is by itself
        return {"targets": len(validation), **validation.counts}
    return {
        "training events": len(training.sequences.item),
        "training learners": len(training.sequences),
        "courses": fold.n_items,
        "targets": len(validation),
        "target learners": len(validation.histories),
        **validation.counts,
    }
