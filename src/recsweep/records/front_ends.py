"""What `confirm.front` takes to the test beside a family's selected configuration: the ends of its
front of score against a cost, as arms of the family.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations

from recsweep.config.schema import FRONT_ENDS, Arm, Experiment
from recsweep.errors import WorkFailed
from recsweep.evaluation.front import front
from recsweep.records.costs import cost_of
from recsweep.records.openings import Opened
from recsweep.records.selection import Selection
from recsweep.records.study import Study, TrialRow


def end_names(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """Each arm that there may be, and the family that it is of."""
    for name in experiment.families if experiment.confirm.front else ():
        yield from ((f"{name}+{end}", name) for end in FRONT_ENDS)


def front_ends(study: Study, selection: Selection) -> dict[str, Opened]:
    """The ends of each family's front, but for what is selected anyway.

    Raises:
        WorkFailed: nobody recorded what a trial cost.
    """
    found: dict[str, Opened] = {}
    for name, family in end_names(study.experiment):
        first, last = _ends(study, family)
        end = first if name.endswith(FRONT_ENDS[0]) else last
        assert end.best is not None  # it is complete
        kind = study.spaces[family].family
        opened = Opened(kind=kind, trial=end.id, config=end.config, epochs=end.best.epoch)
        if end.id != selection.families[family].trial and opened not in found.values():
            found[name] = opened
    return found


def _ends(study: Study, family: str) -> tuple[TrialRow, TrialRow]:
    cost, metric = study.experiment.confirm.front, study.experiment.metric
    trials, costs, goodness = [], [], []
    for trial in study.trials_of(family):
        if trial.state != "complete" or trial.value is None or cost is None:
            continue
        if (at := cost_of(trial, cost)) is None:
            raise WorkFailed(f"{trial.id}: nobody recorded its {cost}; leave out confirm.front")
        trials.append(trial)
        costs.append(at)
        goodness.append(metric.goodness(trial.value))
    places = front(costs, goodness)
    return trials[places[0]], trials[places[-1]]


def front_pairs(experiment: Experiment, opened: Mapping[str, Opened]) -> Iterator[tuple[str, str]]:
    """Each selected configuration against its family's ends, and the ends against each other."""
    arms: dict[str, list[str]] = {}
    for name, family in end_names(experiment):
        if name in opened:
            arms.setdefault(family, [family]).append(name)
    for names in arms.values():
        yield from combinations(names, 2)


def with_ends(experiment: Experiment) -> Experiment:
    """The experiment with those arms among its families, for who asks it what a family uses."""
    arms = {
        name: Arm(space=experiment.space_of(family), features=experiment.features_of(family))
        for name, family in end_names(experiment)
    }
    return experiment.model_copy(update={"families": {**experiment.families, **arms}})
