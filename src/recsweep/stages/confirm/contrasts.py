"""Which pairs of families a study's question is about: settled before the test is opened.

Seven families are 21 pairs; an interval that holds over all of them is wider than one over the few
that were asked for. Those are declared in the experiment, or follow from the roles of its families
and their scores on the folds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from recsweep.evaluation.comparison import Pair
from recsweep.models.family import Role
from recsweep.models.registry import family
from recsweep.records.openings import Opened
from recsweep.records.study import Study


@dataclass(frozen=True, slots=True)
class Entrant:
    """A family as the question sees it."""

    role: Role
    space: str  # arms of one family share it
    score: float  # on the folds; more is better
    kind: str
    twin: str | None = None  # the kind of its twin without order
    features: tuple[str, ...] | None = None


def contrasts(study: Study, selected: Mapping[str, Opened]) -> tuple[Pair, ...]:
    """The declared pairs of a study whose configurations are selected."""
    experiment = study.experiment
    if experiment.confirm.contrasts is not None:
        return experiment.confirm.contrasts
    trials = {trial.id: trial for trial in study.trials}
    entrants = {}
    for name, choice in selected.items():
        best = trials[choice.trial].best
        assert best is not None  # it was selected
        entrants[name] = Entrant(
            role=family(choice.kind).role,
            space=experiment.space_of(name),
            kind=choice.kind,
            twin=family(choice.kind).twin,
            features=experiment.features_of(name),
            score=experiment.metric.goodness(best.value),
        )
    return default_contrasts(entrants)


def default_contrasts(entrants: Mapping[str, Entrant]) -> tuple[Pair, ...]:
    """The best network against each baseline and against the best floor; each network against its
    twin without order; and the arms of each family among themselves. All pairs, where that is none.

    The best is the one with the best score on the folds, so that the test has no say.
    """
    networks, baselines, floors = (
        sorted(
            (name for name, entrant in entrants.items() if entrant.role == role),
            key=lambda name: -entrants[name].score,
        )
        for role in ("network", "baseline", "floor")
    )
    found = [(network, rival) for network in networks[:1] for rival in (*baselines, *floors[:1])]
    found += [
        (network, name)
        for network in networks
        for name, entrant in entrants.items()
        if entrant.kind == entrants[network].twin and entrant.features == entrants[network].features
    ]
    every = list(combinations(entrants, 2))
    found += [(a, b) for a, b in every if entrants[a].space == entrants[b].space]
    return tuple(found or every)
