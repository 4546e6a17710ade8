"""The verbs on best configurations and fitted models: backtest, fit, recommend, monitor, export.

A stage is imported when it is called: `import recsweep` and the command line stay quick.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from recsweep.api.study_folder import root_of

if TYPE_CHECKING:
    from recsweep.bundle.format import Until
    from recsweep.bundle.labels import Feed
    from recsweep.evaluation.monitoring import Monitored, Watching
    from recsweep.stages.backtest.fits import OnFit
    from recsweep.stages.backtest.stage import Backtested
    from recsweep.stages.fit.stage import FittedBundle
    from recsweep.stages.portrait.stage import OnEpoch
    from recsweep.stages.recommend import Asking, Recommended
    from recsweep.tracking.events import Listener


def backtest(
    best: str | Path,
    every: str = "7d",
    *,
    search: int | None = None,
    lang: str = "en",
    listeners: Sequence[Listener] = (),
    on_end: OnFit = lambda fit, done, total, seconds_left: None,
) -> Backtested:
    """Walk a best configuration through the sealed test's period: never refitted, refitted at every
    step, and searched again; writes a record and a page in `results/<study>/backtest/`.

    Args:
        best: `results/<study>/best/<family>.yaml`, confirmed.
        every: a step, such as `12h`, `7d` or `2w`.
        search: trials of a new search at every step; None: no search.
        lang: of the page, en or zh.
        listeners: told of those searches.
        on_end: called with every configuration that was fitted, with all its seeds.

    Raises:
        BadInput: a file or key that can't be used, a study that isn't cut by the clock or whose
            verdicts are not out, or steps that don't fit its test.
        WorkFailed: the data differ from the record's, or a refit diverged.
    """
    from recsweep.mirror.study import mirror_study
    from recsweep.stages.backtest.stage import backtest_stage

    path = Path(best)
    folder = path.parent.parent
    backtested = backtest_stage(
        path,
        root_of(folder),
        every=every,
        trials=search,
        lang=lang,
        listeners=listeners,
        on_end=on_end,
    )
    mirror_study(folder)
    return backtested


def fit(
    best: str | Path,
    out: str | Path,
    *,
    until: Until | datetime = "everything",
    licence: str | None = None,
    on_epoch: OnEpoch = lambda family, epoch, epochs, seconds_left: None,
) -> FittedBundle:
    """Train a best configuration on all data and write a bundle.

    Args:
        best: `results/<study>/best/<family>.yaml`, or a study's folder: its family with the best
            cross-validated score.
        out: a folder that is not there yet.
        until: `everything`, the sealed test included, once its verdicts are out; `development`; or
            a moment before which all is learned from, UTC unless it says otherwise.
        licence: what is known of the data's licence, for the model card.
        on_epoch: called with every epoch.

    Raises:
        BadInput: a file or key that can't be used, a place that is taken, or a sealed test whose
            verdicts are not out.
        WorkFailed: the data differ from the record's, or training diverged.

    Examples:
        >>> fitted = fit("results/mine/best/item_knn.yaml", "models/mine", until="development")
        >>> fitted.file.courses
        12
    """
    from recsweep.data.clock import microseconds
    from recsweep.stages.fit.stage import fit_stage

    path = Path(best)
    root = root_of(path if path.is_dir() else path.parent.parent)
    end = microseconds(until) if isinstance(until, datetime) else until
    return fit_stage(path, root, Path(out), until=end, licence=licence, on_epoch=on_epoch)


def recommend(
    model: str | Path,
    histories: str | Path | None = None,
    learners: Sequence[str] = (),
    *,
    asking: Asking | None = None,
    out: str | Path | None = None,
    root: str | Path = ".",
) -> Recommended:
    """Write the lists of every learner of a file, or of some learners of the prepared log.

    Args:
        model: a bundle's folder.
        histories: a file of events in the experiment's columns.
        learners: ids in the prepared log, where no file is given.
        asking: how many courses, which, as of when; None: ten of all.
        out: a CSV, Parquet or JSON lines file that isn't there yet; None: standard output.
        root: the folder that holds `data/`.

    Raises:
        BadInput: a bundle, a file, a column or a learner that can't be used.
        WorkFailed: the output can't be written.
    """
    from recsweep.stages.recommend import Asking, recommend_stage

    return recommend_stage(
        Path(model),
        None if histories is None else Path(histories),
        learners,
        Path(root),
        asking or Asking(),
        None if out is None else Path(out),
    )


def monitor(
    model: str | Path,
    feed_file: str | Path,
    *,
    feed: Feed | None = None,
    watching: Watching | None = None,
    out: str | Path | None = None,
    page: str | Path | None = None,
    lang: str = "en",
) -> Monitored:
    """Label a feed of texts, and warn where the share of one label rises beyond chance.

    Args:
        model: a bundle's folder, of the task text.
        feed_file: a CSV or Parquet file.
        feed: its columns; None: text, time and topic.
        watching: which label, how many false alarms a month, how long the reference period.
        out: a CSV, Parquet or JSON lines file that isn't there yet; None: standard output.
        page: an HTML file; None: none is written.
        lang: of the page, en or zh.

    Raises:
        BadInput: a bundle, a file, a column or a label that can't be used, or a feed that is no
            longer than its reference period.
        WorkFailed: the output can't be written.
    """
    from recsweep.bundle.labels import Feed
    from recsweep.evaluation.monitoring import Watching
    from recsweep.stages.monitor import monitor_stage

    return monitor_stage(
        Path(model),
        Path(feed_file),
        feed=feed or Feed(),
        watching=watching or Watching(),
        out=None if out is None else Path(out),
        page=None if page is None else Path(page),
        lang=lang,
    )


def export(model: str | Path, onnx: str | Path) -> float:
    """Write a bundle's network as an ONNX file; gives the largest difference between their scores,
    against the larger of one and a score's size.

    Args:
        model: a bundle's folder.
        onnx: a file that isn't there yet.

    Raises:
        BadInput: a bundle that can't be used, or whose family is no network that ranks; the extra
            `onnx` isn't installed.
        WorkFailed: the scores differ.
    """
    from recsweep.bundle.onnx import export_onnx

    return export_onnx(Path(model), Path(onnx))
