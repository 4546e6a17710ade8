"""`best/ensemble.yaml`: the ensemble that `fuse` made of a study's trials, if it did."""

from collections.abc import Mapping
from pathlib import Path

from recsweep.config.schema import Decides, deciding
from recsweep.errors import BadInput
from recsweep.records.openings import Opened
from recsweep.records.selection import BestFile, Selection, read_best
from recsweep.records.study import Study

ENSEMBLE = "ensemble"
"""Its name in a study, and the name of its kind."""


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
    best = read_best(path)
    if best.data.fingerprint != study.fingerprint or any(
        deciding(best.experiment, what) != deciding(study.experiment, what)
        for what in (Decides.DATA, Decides.TRIALS)
    ):
        raise BadInput(
            f"{path}: was made for another experiment or other data than the study's; run recsweep "
            f"fuse {folder} again, or move it away"
        )
    return best


def entrants(study: Study, selection: Selection, folder: Path) -> dict[str, Opened]:
    """What goes to the test: each family's selected configuration, and the ensemble.

    Raises:
        BadInput: see `read_ensemble`.
    """
    ensemble = read_ensemble(study, folder)
    return selection.opened | ({} if ensemble is None else {ENSEMBLE: Opened.of(ensemble)})


def single(opened: Mapping[str, Opened]) -> dict[str, Opened]:
    """The families alone."""
    return {name: each for name, each in opened.items() if name != ENSEMBLE}
