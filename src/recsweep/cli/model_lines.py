"""What `fit`, `recommend` and `monitor` say beside their results."""

from collections.abc import Iterator

from recsweep.bundle.format import BundleFile
from recsweep.cli.console import counted
from recsweep.data.clock import iso
from recsweep.evaluation.control_chart import WITHIN
from recsweep.evaluation.monitoring import Monitored
from recsweep.stages.recommend import Recommended


def fitted_lines(record: BundleFile) -> Iterator[str]:
    """What was fitted, and what stands behind it."""
    fitted = record.fitted
    period = "all data" if fitted.until == "everything" else "the development period"
    data = record.experiment.data
    what = {
        "events": f"{fitted.learners} learners, {fitted.events} events, {record.courses} courses",
        "sessions": f"{fitted.events} {data.unit}",
        "texts": f"{fitted.events} texts",
    }[data.kind]
    if record.experiment.folds.in_time:
        period += f", up to {iso(fitted.end)}"
    yield f"Fitted {record.family} ({record.selected.trial}) on {period}: {what}."
    if record.evidence is None:
        yield "! It has no verdict: the sealed test was not opened for this configuration."


def monitored_lines(found: Monitored) -> Iterator[str]:
    """Warnings by day; each line that starts with `!` is a caveat."""
    label, warned = found.watching.label, list(found.warnings)
    watched = f"{counted(len(found.topics), 'topic')} watched"
    yield f"{watched}, {counted(len(warned), 'warning')}."
    for topic, day, since in warned:
        at = topic.days.index(day)
        share = f"{topic.counted[at]} of {topic.texts[at]} texts are {label}"
        yield f"{day} {topic.name}: {share}, usually {topic.chart.usual:.1%}; high since {since}"
    for topic in found.topics:
        if topic.chart.power < 0.9:
            yield (
                f"! {topic.name}: a doubled share is found within {WITHIN} days with a chance of "
                f"{topic.chart.power:.0%} only ({topic.texts.mean():.0f} texts a day)"
            )
    for name, texts in found.unwatched.items():
        yield f"! {name}: not watched, {texts} texts in the reference period are too few"
    if found.left_out:
        yield f"! {counted(found.left_out, 'row')} left out: no text, time or topic"


def recommended_lines(done: Recommended) -> Iterator[str]:
    """Counts; each line that starts with `!` is a caveat."""
    if not done.learners:
        yield f"{done.rows} {done.unit if done.rows != 1 else done.unit.removesuffix('s')}."
        return
    lists = f"{counted(done.rows, 'course')} for {counted(done.learners, 'learner')}"
    yield f"{lists} from {counted(done.read.rows, 'row')}." if done.read.rows else f"{lists}."
    for rule, rows in done.read.dropped.items():
        if rows:
            yield f"! {counted(rows, 'row')} left out: {rule}"
    one = done.short == 1
    for count, noun, what in (
        (done.courses_unknown, "event", "on courses that the model doesn't know: no history"),
        (done.too_late, "event", "left out: not before --at"),
        (done.learners_unknown, "learner", "in no table of learners: columns count as missing"),
        (done.by_popularity, "learner", "without a history that the model knows: popular courses"),
        (done.short, "learner", f"get{'s' * one} fewer courses than were asked for"),
    ):
        if count:
            yield f"! {counted(count, noun)} {what}"
