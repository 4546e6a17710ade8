"""What goes to the sealed test, and the identity of the confirmation that comes of it."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from recsweep.config.schema import Arm
from recsweep.records.openings import Opened
from recsweep.records.selection import Selection
from recsweep.records.study import Study


def selected_of(study: Study, selection: Selection) -> dict[str, Opened]:
    """What of each family goes to the test."""
    return {
        name: Opened(
            kind=str(study.spaces[name]["family"]),
            trial=choice.trial,
            config=choice.config,
            epochs=choice.epochs,
        )
        for name, choice in selection.families.items()
    }


def confirmation_inputs(
    study: Study, selected: Mapping[str, Opened], repeated: Sequence[Mapping[str, Opened]]
) -> str:
    """Identity of a confirmation: data, task, configurations, seeds, and what is asked of them."""
    experiment = study.experiment
    deciding = {"folds", "targets", "metric", "features", "text", "confirm", "seed"}
    arms = {n: arm.features for n, arm in experiment.families.items() if isinstance(arm, Arm)}
    content = {
        "fingerprint": study.fingerprint,
        "experiment": experiment.model_dump(mode="json", include={*deciding, experiment.task}),
        # Those that can change a number: a changed time limit must not open the test again.
        "resources": experiment.resources.model_dump(include={"cpu", "gpu", "precision"}),
        "selected": _dumped(selected),
        **({"arms": arms} if arms else {}),
        **({"repeated": [_dumped(others) for others in repeated]} if repeated else {}),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _dumped(selected: Mapping[str, Opened]) -> dict[str, object]:
    return {name: choice.model_dump(mode="json") for name, choice in selected.items()}
