"""Which pairs of families a study's question is about: settled before the test is opened.

Seven families are 21 pairs; an interval that holds over all of them is wider than one over the few
that were asked for. Those are declared in the experiment, or follow from the roles of its families
and their scores on the folds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from recsweep.config.schema import Experiment
from recsweep.evaluation.comparison import Pair
from recsweep.models.family import Role
from recsweep.models.registry import family
from recsweep.records.front_ends import front_pairs
from recsweep.records.openings import Opened
from recsweep.records.selection import ENSEMBLE
from recsweep.records.study import Study


@dataclass(frozen=True, slots=True)
class Entrant:
    """A family as the question sees it."""

    role: Role
    space: str  # arms of one family share it
    score: float  # on the folds; more is better
    twins: tuple[str, ...] = ()  # families that are the same but for the order of a history


def contrasts(study: Study, selected: Mapping[str, Opened]) -> tuple[Pair, ...]:
    """The declared pairs of a study whose configurations are selected; the ends of fronts that are
    asked for within each family; an ensemble, if there is, against the best family by the folds.
    """
    experiment = study.experiment
    families = {name: selected[name] for name in experiment.families}
    trials = {trial.id: trial for trial in study.trials}
    scores = {}
    for name, choice in families.items():
        best = trials[choice.trial].best
        assert best is not None  # it was selected
        scores[name] = best.value
    kinds = {name: choice.kind for name, choice in families.items()}
    found = experiment.confirm.contrasts
    if found is None:
        found = default_contrasts(entrants_of(experiment, kinds, scores))
    found = (*found, *front_pairs(experiment, selected))
    if ENSEMBLE in selected and ENSEMBLE not in families:
        best_alone = max(scores, key=lambda name: experiment.metric.goodness(scores[name]))
        found = (*found, (ENSEMBLE, best_alone))
    return found


def entrants_of(
    experiment: Experiment, kinds: Mapping[str, str], scores: Mapping[str, float]
) -> dict[str, Entrant]:
    """Families of the study by what kind each is of, and its score on the folds."""
    return {
        name: Entrant(
            role=family(kinds[name]).role,
            space=experiment.space_of(name),
            score=experiment.metric.goodness(score),
            twins=tuple(
                other
                for other in scores
                if kinds[other] == family(kinds[name]).twin
                and experiment.features_of(other) == experiment.features_of(name)
                and experiment.losses_of(other) == experiment.losses_of(name)
            ),
        )
        for name, score in scores.items()
    }


def default_contrasts(entrants: Mapping[str, Entrant]) -> tuple[Pair, ...]:
    """The best network against each baseline and against the best floor, each network against its
    twin, and the arms of each family among themselves. All pairs, where that is none.

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
    every = list(combinations(entrants, 2))
    found += [(network, twin) for network in networks for twin in entrants[network].twins]
    found += [(a, b) for a, b in every if entrants[a].space == entrants[b].space]
    return tuple(found or every)
