"""What `fit` and `recommend` say beside their results."""

from collections.abc import Iterator

from recsweep.bundle.format import BundleFile
from recsweep.data.clock import iso
from recsweep.stages.recommend import Recommended


def fitted_lines(record: BundleFile) -> Iterator[str]:
    """What was fitted, and what stands behind it."""
    fitted = record.fitted
    period = "all data" if fitted.until == "everything" else "the development period"
    if record.experiment.folds.in_time:
        period += f", up to {iso(fitted.end)}"
    yield (
        f"Fitted {record.family} ({record.selected.trial}) on {period}: "
        f"{fitted.learners} learners, {fitted.events} events, {record.courses} courses."
    )
    if record.evidence is None:
        yield "! It has no verdict: the sealed test was not opened for this configuration."


def recommended_lines(done: Recommended) -> Iterator[str]:
    """Counts; each line that starts with `!` is a caveat."""
    if not done.learners:
        yield f"{done.rows} session{'s' * (done.rows != 1)}."
        return
    lists = f"{done.rows} courses for {done.learners} learner{'s' * (done.learners != 1)}"
    yield f"{lists} from {done.read.rows} rows." if done.read.rows else f"{lists}."
    for rule, rows in done.read.dropped.items():
        if rows:
            yield f"! {rows} rows left out: {rule}"
    for count, what in (
        (
            done.courses_unknown,
            "events on courses that the model doesn't know: no history",
        ),
        (done.too_late, "events left out: not before --at"),
        (
            done.learners_unknown,
            "learners in no table of learners: their columns count as missing",
        ),
        (
            done.by_popularity,
            "learners without a history that the model knows: popular courses",
        ),
        (done.short, "learners get fewer courses than were asked for"),
    ):
        if count:
            yield f"! {count} {what}"
