"""Selected configurations on their way to the sealed test, and the identity of a confirmation."""

from collections.abc import Mapping, Sequence

from recsweep.config.digest import json_sha256
from recsweep.config.schema import Decides, deciding
from recsweep.records.openings import Opened
from recsweep.records.selection import Selection
from recsweep.records.study import Study


def selected_of(study: Study, selection: Selection) -> dict[str, Opened]:
    """What of each family goes to the test."""
    return {
        name: Opened(
            kind=study.spaces[name].family,
            trial=choice.trial,
            config=choice.config,
            epochs=choice.epochs,
        )
        for name, choice in selection.families.items()
    }


def confirmation_inputs(
    study: Study, selected: Mapping[str, Opened], repeated: Sequence[Mapping[str, Opened]]
) -> str:
    """Identity of a confirmation: data, configurations, seeds, and what is asked of them."""
    content = {
        "fingerprint": study.fingerprint,
        "experiment": deciding(study.experiment, Decides.CONFIRMATION),
        "selected": [_dumped(found) for found in (selected, *repeated)],
    }
    return json_sha256(content)


def _dumped(selected: Mapping[str, Opened]) -> dict[str, object]:
    return {name: choice.model_dump(mode="json") for name, choice in selected.items()}
