"""What the sealed test can show, told from the folds: nothing of the test is read."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

from recsweep.config.schema import Experiment
from recsweep.data.manifest import Manifest, read_manifest
from recsweep.data.types import Float64
from recsweep.evaluation.comparison import Pair
from recsweep.evaluation.power import Power, paired_spread, smallest_shown
from recsweep.records.ensemble import single
from recsweep.records.openings import Opened
from recsweep.records.study import Study
from recsweep.records.user_values import read_user_values
from recsweep.search.plan import Plan
from recsweep.stages.confirm.contrasts import contrasts, default_contrasts, entrants_of
from recsweep.stages.sweep.stage import Inputs


def power_of_study(
    study: Study, selected: Mapping[str, Opened], folder: Path, root: Path
) -> Power | None:
    """From the selected trials' scores on the folds; learners' scores of an ensemble aren't kept.
    None: one family alone has nobody to be compared with.

    Raises:
        BadInput: a trial's scores, or the prepared data's manifest, can't be read.
    """
    selected = single(selected)
    asked = contrasts(study, selected)
    if not asked:
        return None
    values = {
        name: [fold.value for fold in read_user_values(folder, choice.trial)]
        for name, choice in selected.items()
    }
    manifest = read_manifest(root / "data" / study.dataset)
    return _power(study.experiment, asked, values, manifest)


def power_of_plan(inputs: Inputs, plan: Plan) -> Power | None:
    """From one epoch of each family's defaults on one fold; None where too little was measured."""
    experiment = inputs.experiment
    values = {f.family: [f.learners] for f in plan.families if f.learners is not None}
    kinds = {name: space.family for name, space in inputs.spaces.items()}
    scores = {name: float(of_fold.mean()) for name, (of_fold,) in values.items()}
    entrants = entrants_of(experiment, kinds, scores)
    asked = experiment.confirm.contrasts or default_contrasts(entrants)
    if not asked or not set(chain.from_iterable(asked)) <= set(values):
        return None
    # That fold was the one with the most to train on.
    manifest = read_manifest(inputs.dataset.folder)
    return _power(experiment, asked, values, manifest, [plan.measured_fold])


def _power(
    experiment: Experiment,
    asked: Sequence[Pair],
    values: Mapping[str, Sequence[Float64]],
    manifest: Manifest,
    folds: Sequence[int] | None = None,
) -> Power:
    first = values[asked[0][0]]
    windows = [manifest.folds[n] for n in folds or range(len(manifest.folds))]
    # Not everybody with an event in a window has something that can be asked of the models.
    share = sum(map(len, first)) / sum(window.validation.users for window in windows)
    learners = max(2, round(share * manifest.sealed_test.users))
    return Power(
        metric=experiment.metric.key,
        unit=experiment.data.unit,
        learners=learners,
        differences={
            (a, b): smallest_shown(paired_spread(values[a], values[b]), learners, len(asked))
            for a, b in asked
        },
        smallest_effect=experiment.confirm.smallest_effect,
    )
