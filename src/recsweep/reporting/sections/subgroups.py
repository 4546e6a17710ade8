"""Differences between two pairs of families by history, learner and course."""

import re
from dataclasses import dataclass, replace

from markupsafe import Markup

from recsweep.config.schema import lower_is_better
from recsweep.evaluation.subgroups import SubgroupDifference
from recsweep.evaluation.verdict import decide
from recsweep.records.confirmation import Confirmation, Subgroup
from recsweep.reporting.charts.intervals import difference_cell, difference_scale
from recsweep.reporting.charts.svg import Scale
from recsweep.reporting.sections.verdicts import leading_pair, ranking
from recsweep.reporting.view import View, signed, signed_interval

LENGTHS = {
    "group_short": re.compile(r"history of up to (?P<high>\d+) events"),
    "group_middle": re.compile(r"history of (?P<low>\d+) to (?P<high>\d+) events"),
    "group_long": re.compile(r"history of more than (?P<low>\d+) events"),
}


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One part of the targets."""

    name: str
    plot: Markup | str
    difference: str
    learners: str
    targets: str


@dataclass(frozen=True, slots=True)
class GroupTable:
    """One pair in every part; hidden with either of its families."""

    indices: str
    pair: str
    sentence: str
    low: str
    high: str
    rows: list[GroupRow]


def group_tables(view: View, confirmation: Confirmation) -> list[GroupTable]:
    """The best network against the best baseline, and the first two of the ranking."""
    order = ranking(confirmation)
    if len(order) < 2 or not confirmation.subgroups:
        return []
    pairs = [pair for pair in (leading_pair(view, view.families), (order[0], order[1])) if pair]
    different = {frozenset(pair): pair for pair in reversed(pairs)}
    return [_table(view, confirmation, *pair) for pair in reversed(different.values())]


def _table(view: View, confirmation: Confirmation, a: str, b: str) -> GroupTable:
    groups, effect = confirmation.subgroups, confirmation.smallest_effect
    found = [_difference(group, a, b) for group in groups]
    bounds = [v for d in found for v in (d.difference, d.lower, d.upper) if v is not None]
    x = difference_scale([*bounds, effect])
    return GroupTable(
        indices=f"{view.marks[a].index} {view.marks[b].index}",
        pair=view.say("against", a=view.label(a), b=view.titles[b]),
        sentence=_sentence(view, found, a, b),
        low=signed(x.low),
        high=signed(x.high),
        rows=[_row(view, d, effect, x) for d in found],
    )


def _difference(group: Subgroup, a: str, b: str) -> SubgroupDifference:
    """Of a - b, turned round if need be."""
    if (found := group.differences.get(f"{a} - {b}")) is not None:
        return found
    d = group.differences[f"{b} - {a}"]
    turned = (None if v is None else -v for v in (d.difference, d.upper, d.lower))
    difference, lower, upper = turned
    return replace(d, difference=difference, lower=lower, upper=upper)


def _row(view: View, d: SubgroupDifference, effect: float, x: Scale) -> GroupRow:
    plot: Markup | str = "–"
    text = "–" if d.difference is None else signed(d.difference)
    if d.difference is not None and d.lower is not None and d.upper is not None:
        shown = (d.difference, d.lower, d.upper)
        plot = difference_cell(shown, decide(d.lower, d.upper, effect), effect, x)
        text = signed_interval(*shown)
    return GroupRow(
        name=group_name(view, d.name),
        plot=plot,
        difference=text,
        learners=f"{d.learners:,}",
        targets=f"{d.targets:,}",
    )


def _sentence(view: View, found: list[SubgroupDifference], a: str, b: str) -> str:
    """In how many groups the interval lies on which side of 0."""
    above = sum(d.lower is not None and d.lower > 0 for d in found)
    below = sum(d.upper is not None and d.upper < 0 for d in found)
    lower = lower_is_better(view.selection.metric)
    ahead, behind = (below, above) if lower else (above, below)
    key = "groups_sentence_lower" if lower else "groups_sentence"
    names = {"a": view.titles[a], "b": view.titles[b]}
    return view.say(key, **names, n=len(found), ahead=ahead, behind=behind)


def group_name(view: View, name: str) -> str:
    """In the reader's language where its form is known."""
    for key, form in LENGTHS.items():
        if found := form.fullmatch(name):
            return view.say(key, **{k: f"{int(v):,}" for k, v in found.groupdict().items()})
    return view.term(name)
