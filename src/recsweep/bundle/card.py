"""`README.md` of a bundle: its model card (Mitchell et al. 2019), for who gets the folder alone."""

from collections.abc import Iterator

from recsweep.bundle.format import BundleFile, Evidence
from recsweep.config.schema import written
from recsweep.data.clock import iso
from recsweep.models.registry import families


def card(record: BundleFile, name: str) -> str:
    """Markdown, from the record alone."""
    return "\n".join(_lines(record, name)) + "\n"


def _lines(record: BundleFile, name: str) -> Iterator[str]:
    fitted, experiment, selected = record.fitted, record.experiment, record.selected
    title = families()[record.kind].title if record.kind in families() else record.kind
    of_texts = experiment.data.kind == "texts"
    yield f"# {name}: {title}, of the study {record.study}"
    yield ""
    if experiment.description:
        yield f"{experiment.description}\n"
    yield "| | |"
    yield "|---|---|"
    yield f"| task | `{record.task}` |"
    yield f"| family | `{record.family}` ({title}), trial {selected.trial} |"
    if not of_texts:
        yield f"| courses | {record.courses} ({record.cold_courses} of them without an event) |"
    yield f"| fitted on | {_period(record)} |"
    if of_texts:
        yield f"| texts | {fitted.events} |"
    else:
        yield f"| learners, events | {fitted.learners}, {fitted.events} |"
    yield f"| data | {fitted.dataset}, fingerprint `{fitted.fingerprint[:16]}` |"
    yield f"| epochs, seed | {record.epochs}, {record.seed} |"
    yield f"| calibration | {record.calibrator.calibration} |" if record.columns.inputs else ""
    yield ""
    yield "## Evidence"
    yield ""
    yield from _evidence(record)
    yield ""
    yield "## Use"
    yield ""
    yield "```sh"
    ask = "recommend models/{} histories.csv --k 10 > recommendations.csv"
    yield "recsweep " + ("monitor models/{} feed.csv" if of_texts else ask).format(name)
    yield "```"
    yield ""
    if of_texts:
        yield "Intended: to label texts like those that it was fitted on, in the same language."
    else:
        yield (
            "Intended: to rank courses for learners of the platform that the log is of, or of one "
            "much like it."
            if not record.columns.inputs
            else "Intended: to say how likely a look at a course ends in buying it, on the "
            "platform that the log is of."
        )
    yield ""
    yield from _limits(record, of_texts=of_texts)
    yield ""
    yield "## Licence"
    yield ""
    yield record.licence


def _limits(record: BundleFile, *, of_texts: bool) -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield (
        "- The figures above are offline, on texts whose labels somebody gave. Texts of another "
        "source or time can differ: label some of those and compare."
        if of_texts
        else "- The figures above are offline, on what learners did under the platform's own "
        "recommendations. They don't say what recommending these courses changes: test that online."
    )
    if record.fitted.until == "everything":
        yield (
            "- The figures are of the same configuration fitted without the sealed test. This "
            "model has learned from that test, so it can't be scored on it again."
        )
    if not record.experiment.folds.in_time:
        rule = record.experiment.folds.rule
        yield f"- The figures are of a split that doesn't respect time (folds.rule: {rule})."
    if not of_texts:
        yield (
            "- It knows nothing of courses that came after its data end, and can't recommend them."
        )
    yield "- It reflects who was in the log. No check of fairness between groups was made."
    yield (
        "- The folder holds no text, but the words or characters that it knows. "
        if of_texts
        else "- The folder holds no learner's data. "
    ) + "Weights can still betray what training data said; treat them as you treat the log."


def _period(record: BundleFile) -> str:
    fitted = record.fitted
    what = "all data" if fitted.until == "everything" else "the development period"
    if not record.experiment.folds.in_time:
        return what
    return f"{what}: events before {iso(fitted.end)}"


def _evidence(record: BundleFile) -> Iterator[str]:
    selected, found = record.selected, record.evidence
    trials = "" if selected.trials is None else f"{selected.trials} trials, "
    folds = ", ".join(f"{value:.4f}" for value in selected.folds)
    yield (
        f"Selected by {selected.rule} ({trials}cross-validated {written(selected.metric)} "
        f"{selected.value:.4f}; folds {folds}). Best of many trials: optimistic."
    )
    yield ""
    if found is None:
        yield "The sealed test was not opened for this configuration: it has no verdict."
        return
    yield from _sealed(record.family, found)


def _sealed(family: str, found: Evidence) -> Iterator[str]:
    yield (
        f"On the sealed test: {found.learners} {found.unit}, {found.targets} targets, opened "
        f"{found.openings} time{'s' * (found.openings != 1)}. Intervals are at {found.level:.0%}."
    )
    yield ""
    yield f"| family | {written(found.metric)} | interval |"
    yield "|---|---|---|"
    for name, score in found.scores.items():
        bold = "**" if name == family else ""
        yield (
            f"| {bold}{name}{bold} | {score.mean:.4f} | {score.lower:.4f} to {score.upper:.4f} |"
        )
    yield ""
    for pair in found.pairs:
        yield f"- {pair.sentence(written(found.metric), unit=found.unit)}"
