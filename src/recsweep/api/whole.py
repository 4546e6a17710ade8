"""The verb `sweep`: a whole study, from its data to its page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recsweep.api.results import confirm, report, select
from recsweep.api.search import run_search
from recsweep.config.schema import Experiment

if TYPE_CHECKING:
    from recsweep.api.study_folder import StudyFolder
    from recsweep.tracking.events import Listener


def sweep(
    experiment: Experiment,
    root: str | Path = ".",
    *,
    extra_trials: int = 0,
    keep_sealed: bool = False,
    listeners: Sequence[Listener] = (),
) -> StudyFolder:
    """Prepare, search, select, confirm and report; what is done already is not done again.

    Args:
        experiment: of the study.
        root: the folder that holds `data/` and `results/`.
        extra_trials: added to every tuned family's target.
        keep_sealed: leave the sealed test closed: no verdicts yet.
        listeners: called with every event of the search, `recsweep.Progress()` for one.

    Returns:
        The study's folder; its `session` is None where no trial was lacking.

    Raises:
        BadInput, WorkFailed, KeyboardInterrupt: see `run_search`, `select`, `confirm`, `report`.

    Examples:
        >>> study = sweep(load_experiment("mine.yaml"))
        >>> study.verdicts.height
        3
    """
    later = ("select", "report") if keep_sealed else ("select", "confirm", "report")
    study = run_search(
        experiment, root, extra_trials=extra_trials, listeners=listeners, later=later
    )
    select(study)
    if not keep_sealed:
        confirm(study, listeners=listeners)
    report(study)
    return study
