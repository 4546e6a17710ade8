"""What would have been selected under the other equal budget, from the trials that there are.

Of a study of equal trials: what under equal seconds, as many as the family had that used the
fewest. Of a study of equal seconds: what under equal trials, as many as the family had with the
fewest. Only families that are trained over several epochs set it: one that is fitted in one pass
takes no time that others could do with. Trials count in the order in which they began, as if they
had run one after the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from recsweep.models.registry import families_of
from recsweep.records.selection import Selection
from recsweep.records.study import Study, TrialRow


@dataclass(frozen=True, slots=True)
class Instead:
    """A family of which something else would have been selected."""

    family: str
    selected: float  # the study's metric, mean over folds
    instead: float | None  # None: no trial is complete by then


@dataclass(frozen=True, slots=True)
class OtherBudget:
    """The smaller budget and what it changes."""

    kind: Literal["seconds", "trials"]
    amount: float  # of each tuned family
    set_by: str  # the family that had no more than this
    others: tuple[Instead, ...]
    leader: str  # on the folds, by the scores under that budget
    leader_before: str


def other_budget(study: Study, selection: Selection) -> OtherBudget | None:
    """None: fewer than two families are tuned, or nobody kept their seconds.

    What was selected and lies within the smaller budget stays. Otherwise it is the best complete
    trial within it, by the study's metric: stopped ones can't be selected.
    """
    kind: Literal["seconds", "trials"]
    kind = "seconds" if study.experiment.budget.seconds is None else "trials"
    known = families_of(study.experiment.task)
    trained = [name for name in study.tuned if known[study.spaces[name].family].epochs is None]
    used = {family: _used(kind, _in_order(study, family)) for family in trained}
    if len(used) < 2:
        return None
    set_by = min(used, key=lambda family: used[family][-1])
    amount = used[set_by][-1]
    if amount <= 0:
        return None
    before = {family: choice.value for family, choice in selection.families.items()}
    under: dict[str, float | None] = dict(before)
    others = []
    for family, spent in used.items():
        trials = _in_order(study, family)
        within = [t for t, until in zip(trials, spent, strict=True) if until <= amount]
        choice = selection.families[family]
        if choice.trial not in {trial.id for trial in within}:
            under[family] = _best(study, within)
            others.append(Instead(family, choice.value, under[family]))
    leader_before = _leader(study, before)
    leader = _leader(study, under) or leader_before
    return OtherBudget(kind, amount, set_by, tuple(others), leader, leader_before)


def told(
    found: OtherBudget,
    say: Callable[..., str],
    score: Callable[[float], str],
    called: Mapping[str, str],
) -> str:
    """A sentence or two, in the language that `say` speaks; families by what they are `called`."""
    of_seconds = found.kind == "seconds"
    amount = f"{found.amount:.0f}" if found.amount >= 10 else f"{found.amount:.2g}"
    first = say(
        "equal_seconds" if of_seconds else "equal_trials",
        amount=amount,
        family=called[found.set_by],
    )
    if not found.others:
        return first + say("space") + say("equal_same")
    parts = [
        say("equal_none", family=called[other.family], selected=score(other.selected))
        if other.instead is None
        else say(
            "equal_instead",
            family=called[other.family],
            instead=score(other.instead),
            selected=score(other.selected),
        )
        for other in found.others
    ]
    same = found.leader == found.leader_before
    sentences = (
        say("equal_others", others=say("list_comma").join(parts)),
        say(
            "equal_leader_same" if same else "equal_leader",
            leader=called[found.leader],
            before=called[found.leader_before],
        ),
    )
    return say("space").join((first, *sentences))


def _in_order(study: Study, family: str) -> list[TrialRow]:
    return sorted(study.trials_of(family), key=lambda trial: (trial.started, trial.number))


def _used(kind: str, trials: list[TrialRow]) -> list[float]:
    """Of the budget, when each trial ended."""
    return list(accumulate(t.seconds if kind == "seconds" else 1.0 for t in trials))


def _best(study: Study, trials: list[TrialRow]) -> float | None:
    goodness = study.experiment.metric.goodness
    values = [t.value for t in trials if t.state == "complete" and t.value is not None]
    return max(values, key=goodness, default=None)


def _leader(study: Study, values: Mapping[str, float | None]) -> str:
    goodness = study.experiment.metric.goodness
    known = {family: goodness(value) for family, value in values.items() if value is not None}
    return max(known, key=lambda family: known[family], default="")
