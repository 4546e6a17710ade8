"""The leaderboard: one row a family, for the terminal and as Markdown."""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from recsweep.config.schema import Experiment, goodness, question_of, written
from recsweep.config.values import Configuration
from recsweep.models.registry import titles
from recsweep.records.confirmation import Confirmation
from recsweep.records.selection import Choice, Selection
from recsweep.records.study import Study
from recsweep.reporting.other_budget import other_budget, told
from recsweep.reporting.tasks.registry import report_of
from recsweep.reporting.words import PAGE_WORDS

if TYPE_CHECKING:
    from recsweep.reporting.answer import Answer


@dataclass(frozen=True, slots=True)
class Row:
    """A family's standing on the development folds."""

    choice: Choice
    mean: float  # of the study's metric over folds
    spread: float  # standard deviation over folds; 0 for one fold
    complete: int
    pruned: int
    failed: int
    seconds: float  # fitting and evaluating, summed over its trials

    @property
    def warnings(self) -> list[str]:
        """What a reader should know before believing the row."""
        late = f"not converged: its best epoch, {self.choice.epochs}, is the last one allowed"
        return [*([] if self.choice.converged else [late]), *self.choice.near_edge]


def rows(study: Study, selection: Selection) -> list[Row]:
    """Every family, the best first."""
    found = []
    for family, choice in selection.families.items():
        trials = study.trials_of(family)
        states = [trial.state for trial in trials]
        values = choice.metrics[selection.metric]
        found.append(
            Row(
                choice=choice,
                mean=choice.value,
                spread=statistics.stdev(values) if len(values) > 1 else 0.0,
                complete=states.count("complete"),
                pruned=states.count("pruned"),
                failed=states.count("failed"),
                seconds=sum(t.fit_seconds + t.evaluate_seconds for t in trials),
            )
        )
    return sorted(found, key=lambda row: -goodness(selection.metric, row.mean))


def beside(experiment: Experiment) -> list[str]:
    """The metrics that stand beside the study's own."""
    metric = experiment.metric
    kinds = question_of(experiment.task).metrics.items()
    keys = [f"{name}@{metric.k}" if kind.at_k else name for name, kind in kinds if kind.beside]
    return [key for key in keys if key != metric.key]


def show_config(config: Configuration) -> str:
    """`depth 1, hidden_size 128, …`; floats to three digits (the record has them all)."""
    shown = (f"{value:.3g}" if isinstance(value, float) else value for value in config.values())
    return ", ".join(f"{name} {value}" for name, value in zip(config, shown, strict=True)) or "–"


def terminal(study: Study, selection: Selection) -> Group:
    """For rich: numbers aligned in 80 columns, the configurations below."""
    table = Table(
        title=f"{study.experiment.study}: {written(selection.metric)}, "
        f"mean ± standard deviation over {len(study.folds)} folds",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("family", overflow="fold")  # a name may take two lines, a number never
    table.add_column(written(selection.metric), no_wrap=True)
    for name in ("trials", "complete", "stopped\nearly", "failed", "s"):
        table.add_column(name, justify="right", no_wrap=True)
    best, shown = Table.grid(padding=(0, 2)), _titles(study)
    for row in rows(study, selection):
        table.add_row(
            shown[row.choice.family],
            f"{row.mean:z.4f} ± {row.spread:.4f}",
            str(row.complete + row.pruned + row.failed),
            str(row.complete),
            str(row.pruned),
            str(row.failed),
            f"{row.seconds:.0f}",
        )
        if row.choice.config:
            best.add_row(
                shown[row.choice.family],
                escape(show_config(row.choice.config) + f"; epochs {row.choice.epochs}"),
            )
    return Group(table, Text("best configurations", style="italic"), best)


def warnings(study: Study, selection: Selection) -> list[str]:
    """`GRU: …`, one line each, the leader's first."""
    shown = _titles(study)
    return [
        f"{shown[row.choice.family]}: {warning}"
        for row in rows(study, selection)
        for warning in row.warnings
    ]


def markdown(
    study: Study, selection: Selection, answer: "Answer", sealed: Confirmation | None
) -> str:
    """`leaderboard.md`, complete in itself: the answer, then every family."""
    experiment, shown = study.experiment, _titles(study)
    folds = _say(f"leaderboard_folds_{experiment.folds.rule}")
    how = report_of(experiment.task).means.format(unit=experiment.data.unit)
    lines = [
        f"# {experiment.study}",
        "",
        *([experiment.description, ""] if experiment.description else []),
        *_answered(answer),
        "## Leaderboard",
        "",
        f"Folds: cross-validated over {len(study.folds)} {folds} of `{study.dataset}`; {how} "
        "These scores selected the configurations and are optimistic: don't rank models by them.",
        "",
        *_board(study, selection, sealed, shown),
        "",
        "## Selected configurations",
        "",
        f"Rule: `{selection.rule}`. Complete records: `best/<family>.yaml`.",
        "",
    ]
    for row in rows(study, selection):
        choice = row.choice
        lines.append(f"- {shown[choice.family]} ({choice.trial}): {show_config(choice.config)}")
    if found_under := other_budget(study, selection):
        lines += ["", told(found_under, _say, "{:z.4f}".format, shown)]
    if found := warnings(study, selection):
        lines += ["", "## Warnings", "", *(f"- {warning}" for warning in found)]
    lines += ["", "## Folds", "", *_fold_table(study), "", *_sessions(study)]
    return "\n".join(lines) + "\n"


def _answered(answer: "Answer") -> Iterator[str]:
    """Question and answer, the intervals as a table, and what limits them."""
    yield from (answer.question, "", f"**{answer.sentence}**", "")
    for text in answer.further:
        yield from (text, "")
    if answer.contrasts:
        yield from (f"| lead of | {answer.metric} | |", "|---|---:|---|")
        yield from (f"| {c.pair} | {c.numbers} | {c.how} |" for c in answer.contrasts)
        yield from ("", answer.basis, "")
    yield from (f"- {caveat}" for caveat in answer.caveats)
    yield ""


def _board(
    study: Study, selection: Selection, sealed: Confirmation | None, shown: Mapping[str, str]
) -> Iterator[str]:
    metric, others = written(selection.metric), beside(study.experiment)
    head = [
        "family",
        *([f"{metric}, sealed test [interval]"] if sealed else []),
        f"{metric}, folds (mean ± sd)",
        *(written(key) for key in others),
        *("trials", "complete", "stopped early", "failed", "seconds", "epochs"),
    ]
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * 1}{'---:|' * (len(head) - 1)}"
    for row in rows(study, selection):
        choice, cells = row.choice, [shown[row.choice.family]]
        if sealed:
            e = sealed.families[choice.family].metrics[sealed.metric]
            cells.append(f"{e.mean:z.4f} [{e.lower:z.4f}, {e.upper:z.4f}]")
        cells += [
            f"{row.mean:z.4f} ± {row.spread:.4f}",
            *(f"{statistics.fmean(choice.metrics[key]):z.4f}" for key in others),
            str(row.complete + row.pruned + row.failed),
            *(str(n) for n in (row.complete, row.pruned, row.failed)),
            f"{row.seconds:.0f}",
            str(choice.epochs),
        ]
        yield f"| {' | '.join(cells)} |"


def _titles(study: Study) -> dict[str, str]:
    return titles({name: space.family for name, space in study.spaces.items()})


def _say(key: str, **values: object) -> str:
    return PAGE_WORDS["en"][key].format(**values)


def _fold_table(study: Study) -> list[str]:
    names = list(study.folds)
    keys = list(dict.fromkeys(key for counts in study.folds.values() for key in counts))
    return [
        f"| | {' | '.join(names)} |",
        f"|---|{'---:|' * len(names)}",
        *(
            f"| {key} | {' | '.join(f'{study.folds[n].get(key, 0):,}' for n in names)} |"
            for key in keys
        ),
    ]


def _sessions(study: Study) -> list[str]:
    if not study.sessions:
        return []
    wall = sum(session.wall_seconds for session in study.sessions)
    busy = sum(session.busy_seconds for session in study.sessions)
    offered = sum(session.workers * session.wall_seconds for session in study.sessions)
    return [
        f"Search: {wall:.0f} s of wall time, {busy:.0f} s of fitting and evaluating, "
        f"efficiency {busy / offered:.2f}."
    ]
