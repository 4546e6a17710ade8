"""`README.md` of a bundle: its model card (Mitchell et al. 2019), for who gets the folder alone."""

import shlex
from collections.abc import Iterator, Sequence

from recsweep.bundle.format import BundleFile, Evidence
from recsweep.config.schema import written
from recsweep.data.clock import iso
from recsweep.evaluation.monitoring import Watching
from recsweep.models.registry import families
from recsweep.tasks.registry import TASKS

ASK = {
    "events": "recsweep recommend models/{name} histories.csv --k 10 > recommendations.csv",
    "sessions": "recsweep recommend models/{name} table.csv > answers.csv",
    "texts": "recsweep monitor models/{name} feed.csv {watched}",
}
HOLDS = {
    "events": "- The folder holds no learner's data. ",
    "sessions": "- The folder holds no row of the table. ",
    "texts": "- The folder holds no text, but the words or characters that it knows. ",
}


def card(record: BundleFile, name: str, labels: Sequence[str] = ()) -> str:
    """Markdown, from the record and, of a model of texts, the labels that it knows."""
    return "\n".join(_lines(record, name, labels)) + "\n"


def watch(labels: Sequence[str]) -> tuple[str, ...]:
    """What `monitor` is told of a model with these labels; nothing where it watches one by itself.

    Which one is worth a warning only people know; the first stands for it.
    """
    return () if not labels or Watching().label in labels else ("--label", labels[0])


def _lines(record: BundleFile, name: str, labels: Sequence[str]) -> Iterator[str]:
    fitted, experiment, selected = record.fitted, record.experiment, record.selected
    title = families()[record.kind].title if record.kind in families() else record.kind
    words, kind = TASKS[record.task].card, experiment.data.kind
    yield f"# {name}: {title}, of the study {record.study}"
    yield ""
    if experiment.description:
        yield f"{experiment.description}\n"
    yield "| | |"
    yield "|---|---|"
    yield f"| task | `{record.task}` |"
    yield f"| family | `{record.family}` ({title}), trial {selected.trial} |"
    if kind == "events":
        yield f"| courses | {record.courses} ({record.cold_courses} of them without an event) |"
    yield f"| fitted on | {_period(record)} |"
    if kind == "events":
        yield f"| learners, events | {fitted.learners}, {fitted.events} |"
    else:
        yield f"| {'texts' if kind == 'texts' else experiment.data.unit} | {fitted.events} |"
    yield f"| data | {fitted.dataset}, fingerprint `{fitted.fingerprint[:16]}` |"
    yield f"| epochs, seed | {record.epochs}, {record.seed} |"
    if record.calibrator.calibration != "none":
        yield f"| calibration | {record.calibrator.calibration} |"
    yield ""
    yield "## Evidence"
    yield ""
    yield from _evidence(record)
    yield ""
    yield "## Use"
    yield ""
    yield "```sh"
    yield ASK[kind].format(name=name, watched=shlex.join(watch(labels))).rstrip()
    yield "```"
    yield ""
    yield f"Intended: {words.intended}"
    yield ""
    yield from _limits(record, words.figures)
    yield ""
    yield "## Licence"
    yield ""
    yield record.licence


def _limits(record: BundleFile, figures: str) -> Iterator[str]:
    kind = record.experiment.data.kind
    yield "## Limits"
    yield ""
    yield f"- The figures above are offline, {figures}"
    if record.fitted.until == "everything":
        families = record.evidence is not None and record.evidence.scope == "families"
        of = "what each search of the family selected," if families else "the same configuration"
        yield (
            f"- The figures are of {of} fitted without the sealed test. This "
            "model has learned from that test, so it can't be scored on it again."
        )
    if not record.experiment.folds.in_time:
        rule = record.experiment.folds.rule
        yield f"- The figures are of a split that doesn't respect time (folds.rule: {rule})."
    if kind == "events":
        yield (
            "- It knows nothing of courses that came after its data end, and can't recommend them."
        )
    yield f"- It reflects who was in the data. {_fairness(record.evidence)}"
    betray = "Weights can still betray what training data said; treat them as you treat the data."
    yield HOLDS[kind] + betray


def _fairness(found: Evidence | None) -> str:
    if found is None or not found.groups:
        return "No check of fairness between groups was made."
    return (
        f"Gaps between groups of learners by {', '.join(found.groups)} are in `verdicts.json`, "
        "of the configuration on the sealed test; no other groups were looked at."
    )


def _period(record: BundleFile) -> str:
    fitted = record.fitted
    what = "all data" if fitted.until == "everything" else "the development period"
    if not record.experiment.folds.in_time:
        return what
    rows = record.experiment.data.kind
    return f"{what}: {rows} before {iso(fitted.end)}"


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
            f"| {bold}{name}{bold} | {score.mean:z.4f} | {score.lower:z.4f} to {score.upper:z.4f} |"
        )
    yield ""
    for pair in found.pairs:
        yield f"- {pair.sentence(written(found.metric), unit=found.unit)}"
    if found.caveats:
        yield ""
        yield from found.caveats
