"""The verb `monitor`: watch a feed of texts for a rise of the share that bears one label."""

from pathlib import Path

from recsweep.bundle.bundle import load_bundle
from recsweep.bundle.labels import Feed, labels_of, read_feed
from recsweep.bundle.output import rows_to
from recsweep.config.files import nearest
from recsweep.errors import BadInput
from recsweep.evaluation.monitoring import Monitored, Watching, monitor
from recsweep.reporting.monitor.page import write_monitor
from recsweep.tasks.registry import TASKS


def monitor_stage(
    folder: Path,
    path: Path,
    *,
    feed: Feed,
    watching: Watching,
    out: Path | None = None,
    page: Path | None = None,
    lang: str = "en",
) -> Monitored:
    """Label every text of a feed, and write a row for each topic and day that was watched.

    Args:
        folder: of a bundle of the task text.
        path: the feed.
        feed: its columns.
        watching: what is watched for.
        out: a file that isn't there yet; None: standard output.
        page: an HTML file; None: none is written.
        lang: of the page.

    Raises:
        BadInput: a bundle, a file, a column or a label that can't be used, or a feed that is no
            longer than its reference period.
        WorkFailed: the output can't be written.
    """
    if watching.false_alarms <= 0 or watching.reference_days < 1:
        raise BadInput("--false-alarms and --reference-days must be above 0")
    bundle = load_bundle(folder)
    if not TASKS[bundle.file.task].labels_texts:
        raise BadInput(
            f"{folder}: is a model of task {bundle.file.task}; monitor needs one of texts"
        )
    if watching.label not in (known := labels_of(bundle)):
        hint = nearest(watching.label, known)
        raise BadInput(f"--label {watching.label}: the model knows no such label{hint}")
    rows, left_out = read_feed(bundle, path, feed)
    if rows.is_empty():
        raise BadInput(f"{path}: holds no row with a text, a time and a topic")
    if (n := rows["day"].n_unique()) <= watching.reference_days:
        raise BadInput(
            f"{path}: has texts of {n} days, and its first {watching.reference_days} days are the "
            "reference; give a longer feed, or lower --reference-days"
        )
    found = monitor(rows, watching, folder.name, left_out)
    with rows_to(out) as sink:
        for topic in found.topics:
            sink(topic.frame())
    if page is not None:
        write_monitor(found, page, lang)
    return found
