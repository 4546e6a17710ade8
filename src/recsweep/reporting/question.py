"""Which of the declared comparisons answer a study's question, and how they answer it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from recsweep.evaluation.verdict import Outcome, PairVerdict
from recsweep.models.family import Role
from recsweep.models.registry import family, role_of

Verdict = Literal["yes", "partly", "no", "open", "ranked", "closed"]
"""`ranked`: no network was compared with anybody. `closed`: the sealed test wasn't opened."""

RIVALS: tuple[Role, ...] = ("baseline", "floor")
MOST = 8
"""If more comparisons were declared besides the question's own, only those are told first."""


@dataclass(frozen=True, slots=True)
class Entrants:
    """The families of a study, the best on the folds first."""

    kinds: Mapping[str, str]  # name in the study -> kind

    def of(self, *roles: Role) -> list[str]:
        """Those of the first of these roles that anybody has."""
        found = ([n for n, kind in self.kinds.items() if role_of(kind) == role] for role in roles)
        return next(filter(None, found), [])

    def are_twins(self, v: PairVerdict) -> bool:
        """Is `a` a network and `b` the same without order?"""
        network, other = self.kinds[v.a], self.kinds[v.b]
        return role_of(network) == "network" and family(network).twin == other


@dataclass(frozen=True, slots=True)
class Findings:
    """The declared comparisons by what they say to the question."""

    subject: str  # whom the question is about
    rivals: tuple[PairVerdict, ...]  # the subject against baselines, then floors
    twins: tuple[PairVerdict, ...]  # each network against its twin without order
    others: tuple[PairVerdict, ...]
    ensembles: tuple[PairVerdict, ...]  # the ensemble of the study against its best family
    declared: int
    verdict: Verdict

    @property
    def told(self) -> tuple[PairVerdict, ...]:
        """Those to tell first."""
        return (*self.rivals, *self.twins, *(self.others if len(self.others) <= MOST else ()))


def find(pairs: Sequence[PairVerdict], entrants: Entrants) -> Findings:
    """Read the comparisons that were declared.

    The question is about the best network on the folds, so that the test has no say in it; in a
    study without one, about the best family.
    """
    declared = [v for v in pairs if not v.exploratory]
    ensembles = [v for v in declared if role_of(entrants.kinds[v.a]) == "ensemble"]
    declared = [v for v in declared if v not in ensembles]
    both_ways = [*declared, *(v.turned() for v in declared)]
    subject, rivals = _about(both_ways, entrants)
    twins = [v for v in both_ways if entrants.are_twins(v)]
    told = {frozenset((v.a, v.b)) for v in (*rivals, *twins)}
    asked = bool(rivals) and role_of(entrants.kinds[subject]) == "network"
    return Findings(
        subject=subject,
        rivals=tuple(rivals),
        twins=tuple(v for v in twins if v not in rivals),
        others=tuple(v for v in declared if frozenset((v.a, v.b)) not in told),
        ensembles=tuple(ensembles),
        declared=len(declared) + len(ensembles),
        verdict=_verdict(rivals, entrants) if asked else "ranked",
    )


def _about(both_ways: Sequence[PairVerdict], entrants: Entrants) -> tuple[str, list[PairVerdict]]:
    def against(name: str, role: Role) -> list[PairVerdict]:
        return [v for v in both_ways if v.a == name and role_of(entrants.kinds[v.b]) == role]

    for name in entrants.of("network"):
        if rivals := [v for role in RIVALS for v in against(name, role)]:
            return name, rivals
    met = {v.a for v in both_ways}
    first, *_ = entrants.kinds
    subject = next((name for name in entrants.kinds if name in met), first)
    return subject, [v for v in both_ways if v.a == subject]


def _verdict(rivals: Sequence[PairVerdict], entrants: Entrants) -> Verdict:
    """Does the network beat the baselines? Without any, the floors."""
    baselines = [v for v in rivals if role_of(entrants.kinds[v.b]) == "baseline"]
    outcomes: list[Outcome] = [v.outcome for v in baselines or rivals]
    if "better" in outcomes:
        return "yes" if set(outcomes) == {"better"} else "partly"
    return "no" if "worse" in outcomes or set(outcomes) == {"equivalent"} else "open"
