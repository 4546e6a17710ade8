"""The verb `recommend`: a bundle's lists for learners of a file, or of the prepared log."""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import torch
from threadpoolctl import threadpool_limits

from recsweep.bundle.bundle import Bundle, load_bundle
from recsweep.bundle.filters import shown_courses
from recsweep.bundle.format import BundleFile
from recsweep.bundle.histories import ReadCounts, read_histories
from recsweep.bundle.learners import Group, LearnerTable, groups_of, no_learners, read_learners
from recsweep.bundle.output import rows_to
from recsweep.bundle.recommend import Lists, frame_of, lists_of
from recsweep.bundle.sessions import answers_of, read_sessions
from recsweep.config.files import nearest
from recsweep.config.schema import Unit
from recsweep.data.before_cut import rows_of
from recsweep.data.features.dated import ID
from recsweep.data.prepared import load_dataset
from recsweep.data.sealed import unseal
from recsweep.data.types import Dataset
from recsweep.errors import BadInput
from recsweep.models.registry import families_of
from recsweep.stages.machine import worker_count
from recsweep.tasks.registry import TASKS


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked for, beside whose lists."""

    k: int = 10
    only: Sequence[str] = ()
    allow: Path | None = None
    available: int | None = None  # microseconds since 1970 UTC
    at: int | None = None  # microseconds since 1970 UTC
    learners: Path | None = None  # a table of learners
    why: bool = False


@dataclass
class Recommended:
    """Counts of what was asked and answered."""

    learners: int = 0
    rows: int = 0  # recommended courses, or answers to the rows of a plain table
    unit: Unit = "learners"
    read: ReadCounts = field(default_factory=ReadCounts)
    courses_unknown: int = 0  # events
    too_late: int = 0  # events
    learners_unknown: int = 0  # not in the table of learners, where the model uses it
    by_popularity: int = 0  # learners
    short: int = 0  # learners

    def add(self, group: Group, lists: Lists, table: LearnerTable, *, uses_table: bool) -> None:
        """Count one group more."""
        self.learners += len(group.ids)
        self.rows += len(lists.learner)
        self.courses_unknown += group.courses_unknown
        self.too_late += group.too_late
        self.by_popularity += lists.by_popularity
        self.short += lists.short
        if uses_table:
            self.learners_unknown += table.unknown(group.ids)


def recommend_stage(
    folder: Path,
    histories: Path | None,
    ids: Sequence[str],
    root: Path,
    asking: Asking = Asking(),  # frozen
    out: Path | None = None,
) -> Recommended:
    """Write the lists of every learner of a file, or of some learners of the prepared log.

    Args:
        folder: of the bundle.
        histories: a file of events in the experiment's columns.
        ids: raw ids of learners of the prepared log, where no file is given.
        root: the folder that holds `data/`.
        asking: what is asked for.
        out: a file that isn't there yet; None: standard output.

    Raises:
        BadInput: a bundle, a file, a column or a learner that can't be used.
        WorkFailed: the output can't be written.
    """
    if (histories is None) == (not ids):
        raise BadInput("give a file of histories, or --learner ID of the prepared log")
    if asking.k < 1:
        raise BadInput(f"--k {asking.k}: ask for one course at least")
    bundle = load_bundle(folder)
    if asking.at is not None and asking.at < bundle.known.cut:
        raise BadInput("--at lies before the end of the data that the model was fitted on")
    done, experiment = Recommended(), bundle.known.experiment
    if TASKS[bundle.file.task].labels_texts:
        raise BadInput(f"{folder}: is a model of texts; ask it with recsweep monitor")
    if experiment.data.sessions is not None:
        return _rows(bundle, histories, asking, out)
    shown = shown_courses(bundle.courses, asking.only, asking.allow, asking.available)
    if histories is not None:
        table = no_learners(experiment)
        frames = read_histories(experiment, histories, done.read)
    else:
        dataset = prepared_log(bundle, root)
        table = LearnerTable(_with_ids(dataset), dataset.user_rows)
        frames = iter([_events_of(dataset, ids)])
    if asking.learners is not None:
        table = read_learners(experiment, asking.learners)
    uses_table = _uses_learners(bundle.file)
    groups = (g for f in frames for g in groups_of(bundle, f, table, shown, asking.at))
    with rows_to(out) as sink, closing(_lists(bundle, groups, asking)) as found:
        for group, lists in found:
            done.add(group, lists, table, uses_table=uses_table)
            sink(frame_of(bundle, group, lists))
        if not done.learners:
            raise BadInput(f"{histories}: holds no event that can be read as a history")
    return done


def _uses_learners(file: BundleFile) -> bool:
    """Columns of learners are kept in the bundle of a family that has no place for them, too."""
    return bool(file.columns.learners) and families_of(file.task)[file.kind].uses_features


def _rows(bundle: Bundle, rows: Path | None, asking: Asking, out: Path | None) -> Recommended:
    """The answer to every row of a plain table."""
    unit = bundle.known.experiment.data.unit
    if rows is None or asking != Asking(k=asking.k):
        raise BadInput(
            f"{bundle.name}: is of a table of {unit}: give a file of {unit}, and no option but "
            "--out"
        )
    done = Recommended(unit=unit)
    with rows_to(out) as sink, threadpool_limits(1):
        torch.set_num_threads(1)
        for frame in read_sessions(bundle.known.experiment, rows):
            sink(answers_of(bundle, frame, done.rows + 1))
            done.rows += len(frame)
    return done


def _lists(
    bundle: Bundle, groups: Iterator[Group], asking: Asking
) -> Generator[tuple[Group, Lists]]:
    """In the order of the groups, a few at a time on all cores: a thread each."""
    resources = bundle.known.experiment.resources
    workers = worker_count(resources, 1 << 10)
    with (
        threadpool_limits(resources.threads),
        ThreadPoolExecutor(
            workers, initializer=torch.set_num_threads, initargs=(resources.threads,)
        ) as pool,
    ):
        waiting: deque[tuple[Group, Future[Lists]]] = deque()
        try:
            for group in groups:
                waiting.append(
                    (group, pool.submit(lists_of, bundle, group, asking.k, why=asking.why))
                )
                if len(waiting) > workers:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def prepared_log(bundle: Bundle, root: Path) -> Dataset:
    """The log that a bundle was fitted on, with the sealed test if it learned from any of that.

    Raises:
        BadInput: it isn't there, or is another one.
    """
    fitted = bundle.file.fitted
    folder = root / "data" / fitted.dataset
    dataset = load_dataset(folder)
    if dataset.fingerprint != fitted.fingerprint:
        raise BadInput(f"{folder}: is not the data that {bundle.name} was fitted on")
    return unseal(dataset) if fitted.until == "everything" else dataset


def _with_ids(dataset: Dataset) -> pl.DataFrame:
    assert dataset.users is not None  # of a prepared folder
    return dataset.users


def _events_of(dataset: Dataset, ids: Sequence[str]) -> pl.DataFrame:
    """Of some learners, as cleaned events."""
    assert dataset.users is not None
    assert dataset.items is not None
    known = dataset.users[ID]
    for each in ids:
        if each not in known:
            hint = nearest(each, known.to_list()) if len(known) <= 1 << 16 else ""
            raise BadInput(f"--learner {each}: the prepared log has no such learner{hint}")
    codes = known.is_in(list(ids)).arg_true().to_numpy()
    events = dataset.development
    mine = rows_of(events, pl.Series(events.user).is_in(codes).to_numpy())
    columns = {
        "user": known.gather(mine.user),
        "item": dataset.items[ID].gather(mine.item),
        "time": pl.Series(mine.time),
        "kind": pl.Series(mine.kind),
    }
    dwell = {} if mine.dwell is None else {"dwell": pl.Series(mine.dwell).fill_nan(None)}
    return pl.DataFrame({**columns, **dwell})
