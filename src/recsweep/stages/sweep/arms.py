"""An ablation as one study: every family once for each named set of features.

The arms `gru+ids`, `gru+text`, … are families of the study like any other: equal budgets, the same
seeds and folds, a verdict on every pair. A family that uses no features has one arm, its own name.
"""

from collections.abc import Mapping

from recsweep.config.files import validate
from recsweep.config.schema import Experiment
from recsweep.errors import BadInput
from recsweep.models.registry import families_of
from recsweep.spaces.space import Space


def with_arms(
    experiment: Experiment, spaces: Mapping[str, Space]
) -> tuple[Experiment, dict[str, Space]]:
    """The experiment with every arm written out, and each arm's space.

    What has no named sets of features stays as it is.

    Raises:
        BadInput: two arms of one name, or no family that uses features.
    """
    if not isinstance(experiment.features, Mapping):
        return experiment, dict(spaces)
    known = families_of(experiment.task)
    families: dict[str, object] = {}
    arms: dict[str, Space] = {}
    for name, space in spaces.items():
        entry = experiment.families[name]
        if not isinstance(entry, str) or not known[space.family].uses_features:
            _add(families, name, entry)
            arms[name] = space
            continue
        for set_name, columns in experiment.features.items():
            arm = f"{name}+{set_name}"
            _add(families, arm, {"space": entry, "features": columns})
            arms[arm] = space
    if len(arms) == len(spaces):
        raise BadInput("features: none of the families uses features; give a list, or leave it out")
    keys = experiment.model_dump() | {"families": families, "features": experiment.feature_names}
    return validate(Experiment, keys, "features"), arms


def _add(families: dict[str, object], name: str, entry: object) -> None:
    if name in families:
        raise BadInput(f"families: two are called {name}; give one another name")
    families[name] = entry
