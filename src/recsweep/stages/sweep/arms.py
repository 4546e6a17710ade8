"""An ablation as one study: every family once for each named set of features, or of losses.

The arms `gru+ids`, `gru+text`, … are families of the study like any other: equal budgets, the same
seeds and folds, a verdict on every pair. A family that uses no features, or has no choice of
losses, has one arm, its own name.
"""

from collections.abc import Mapping

from recsweep.config.files import validate
from recsweep.config.schema import Arm, Experiment
from recsweep.errors import BadInput
from recsweep.models.registry import families_of
from recsweep.spaces.losses import with_losses
from recsweep.spaces.space import Space


def with_arms(
    experiment: Experiment, spaces: Mapping[str, Space]
) -> tuple[Experiment, dict[str, Space]]:
    """The experiment with every arm written out, and each arm's space under its losses.

    What has no named sets stays as it is.

    Raises:
        BadInput: two arms of one name, or no family that the sets are of.
    """
    experiment, spaces = _written_out(experiment, spaces)
    families, found = families_of(experiment.task), dict(spaces)
    for name, space in spaces.items():
        if losses := experiment.losses_of(name):
            own = not isinstance(experiment.families[name], Arm)
            found[name] = with_losses(space, losses, families, own=own)
    if experiment.losses and not any(map(_has_losses, spaces.values())):
        raise BadInput("losses: none of the families has a choice of losses; leave it out")
    return experiment, found


def _written_out(
    experiment: Experiment, spaces: Mapping[str, Space]
) -> tuple[Experiment, Mapping[str, Space]]:
    if not experiment.named_sets:
        return experiment, spaces
    known = families_of(experiment.task)
    key = "features" if isinstance(experiment.features, Mapping) else "losses"
    families: dict[str, object] = {}
    arms: dict[str, Space] = {}
    for name, space in spaces.items():
        entry = experiment.families[name]
        varies = known[space.family].uses_features if key == "features" else _has_losses(space)
        if not isinstance(entry, str) or not varies:
            _add(families, name, entry)
            arms[name] = space
            continue
        for set_name, values in experiment.named_sets.items():
            arm = f"{name}+{set_name}"
            _add(families, arm, {"space": entry, key: values})
            arms[arm] = space
    if len(arms) == len(spaces):
        lacking = "uses features" if key == "features" else "has a choice of losses"
        raise BadInput(f"{key}: none of the families {lacking}; give a list, or leave it out")
    named = experiment.feature_names if key == "features" else None
    keys = experiment.model_dump() | {"families": families, key: named}
    return validate(Experiment, keys, key), arms


def _has_losses(space: Space) -> bool:
    return "loss" in space.parameters


def _add(families: dict[str, object], name: str, entry: object) -> None:
    if name in families:
        raise BadInput(f"families: two are called {name}; give one another name")
    families[name] = entry
