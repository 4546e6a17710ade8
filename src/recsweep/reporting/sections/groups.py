"""Groups of learners on the sealed test: the metric in each, and the largest gaps."""

from dataclasses import dataclass

from recsweep.config.schema import written
from recsweep.evaluation.learner_groups import NOT_KNOWN, OTHERS, Gap
from recsweep.records.confirmation import Confirmation, GroupedLearners
from recsweep.reporting.charts.marks import Mark
from recsweep.reporting.sections.verdicts import ranking
from recsweep.reporting.tasks.registry import listed
from recsweep.reporting.view import View, estimated, signed_interval

WORDS = {NOT_KNOWN: "group_not_known", OTHERS: "group_others"}


@dataclass(frozen=True, slots=True)
class GapCell:
    """The largest gap of one metric."""

    text: str
    significant: bool  # its interval leaves out 0


@dataclass(frozen=True, slots=True)
class GroupsRow:
    """One family."""

    mark: Mark
    family: str
    means: list[str]  # of the study's metric, one a group
    gaps: list[GapCell]  # one a metric, the study's first


@dataclass(frozen=True, slots=True)
class GroupsTable:
    """One column of learners."""

    column: str
    groups: list[str]
    metrics: list[str]  # of which there are gaps
    rows: list[GroupsRow]
    notes: list[str]  # on groups that are too small


def groups_of_learners(view: View, sealed: Confirmation) -> list[GroupsTable]:
    """One table a column of `confirm.groups`; none of a metric that a group of learners lacks."""
    told = [
        found for found in sealed.groups if any(sealed.metric in of for of in found.means.values())
    ]
    return [_table(view, sealed, found) for found in told]


def _table(view: View, sealed: Confirmation, found: GroupedLearners) -> GroupsTable:
    key, families = sealed.metric, ranking(sealed)
    known = found.gaps[families[0]]
    same_cut = [name for name in known if name.partition("@")[2] == key.partition("@")[2]]
    metrics = sorted(same_cut, key=lambda name: name != key)
    return GroupsTable(
        column=found.column,
        groups=[f"{_group(view, name)} ({n:,})" for name, n in found.learners.items()],
        metrics=[written(name) for name in metrics],
        rows=[
            GroupsRow(
                mark=view.marks[name],
                family=view.label(name),
                means=[estimated(found.means[name][key][group]) for group in found.learners],
                gaps=[_gap(view, found.gaps[name][metric]) for metric in metrics],
            )
            for name in families
        ],
        notes=_notes(view, found),
    )


def _gap(view: View, gap: Gap) -> GapCell:
    shown = signed_interval(gap.difference, gap.lower, gap.upper)
    pair = view.say("against", a=_group(view, gap.highest), b=_group(view, gap.lowest))
    return GapCell(f"{shown} {pair}", gap.lower > 0)


def _notes(view: View, found: GroupedLearners) -> list[str]:
    if not found.pooled:
        return []
    names = listed(view.say, [_group(view, name) for name in found.pooled])
    key = "groups_withheld" if found.withheld else "groups_pooled"
    return [view.say(key, names=names, smallest=found.smallest_group, n=found.withheld)]


def _group(view: View, name: str) -> str:
    return view.say(WORDS[name]) if name in WORDS else name
