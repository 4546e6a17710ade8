"""`best/ensemble.yaml`: the ensemble that `fuse` made of a study's trials, if it did."""

from collections.abc import Mapping
from pathlib import Path

from recsweep.config.files import validate
from recsweep.config.schema import Decides, deciding
from recsweep.errors import BadInput
from recsweep.records.front_ends import front_ends
from recsweep.records.openings import Opened
from recsweep.records.selection import ENSEMBLE, BestFile, Selection, read_best
from recsweep.records.study import Study


def ensemble_path(folder: Path) -> Path:
    """Where it lies in the folder of its study."""
    return folder / "best" / f"{ENSEMBLE}.yaml"


def read_ensemble(study: Study, folder: Path) -> BestFile | None:
    """Read it; None: nothing was fused.

    Raises:
        BadInput: it can't be read, or is of another question or of other data.
    """
    path = ensemble_path(folder)
    if ENSEMBLE in study.experiment.families or not path.exists():
        return None
    from recsweep.models.families.ensemble import EnsembleConfig  # slow: it brings every family

    best, trials = read_best(path), {trial.id: trial.config for trial in study.trials}
    same = best.data.fingerprint == study.fingerprint and (
        deciding(best.experiment, Decides.TRIALS) == deciding(study.experiment, Decides.TRIALS)
    )
    members = validate(EnsembleConfig, dict(best.config), f"{path}: config").members
    if not same or any(trials.get(member.trial) != member.config for member in members):
        raise BadInput(
            f"{path}: was made of other trials, data or settings than the study's; run recsweep "
            f"fuse {folder} again, or move it away"
        )
    return best


def entrants(study: Study, selection: Selection, folder: Path) -> dict[str, Opened]:
    """What goes to the test: each family's selected configuration, the ends of fronts that are
    asked for, and the ensemble.

    Raises:
        BadInput: see `read_ensemble`.
        WorkFailed: see `front_ends`.
    """
    ensemble = read_ensemble(study, folder)
    fused = {} if ensemble is None else {ENSEMBLE: Opened.of(ensemble)}
    return selection.opened | front_ends(study, selection) | fused


def single(opened: Mapping[str, Opened]) -> dict[str, Opened]:
    """All but the ensemble: what has trials of its own."""
    return {name: each for name, each in opened.items() if name != ENSEMBLE}
