"""recsweep: fair, cross-validated hyperparameter studies of course recommenders.

A study is one call, or one call a stage; each is a verb of the command line:

    experiment = recsweep.load_experiment("experiments/default.yaml")
    study = recsweep.sweep(experiment)  # or run_search, select, confirm, report
    study.leaderboard, study.verdicts, study.best("gru")

Names are imported when they are first used: `import recsweep` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsweep.api.models import backtest, export, fit, monitor, recommend
    from recsweep.api.papers import methods, verdict
    from recsweep.api.results import compare, confirm, fuse, portrait, report, reproduce, select
    from recsweep.api.search import plan, prepare, replay, run_search, space
    from recsweep.api.study_folder import StudyFolder, load_study
    from recsweep.api.whole import sweep
    from recsweep.cli.sweep_progress import Progress
    from recsweep.config.files import load_experiment
    from recsweep.config.schema import Experiment
    from recsweep.errors import BadInput, RecsweepError, WorkFailed

__version__ = "0.2.0.dev0"
"""Here, so that code that runs from a folder without being installed knows it as well."""

__all__ = [
    "BadInput",
    "Experiment",
    "Progress",
    "RecsweepError",
    "StudyFolder",
    "WorkFailed",
    "backtest",
    "compare",
    "confirm",
    "export",
    "fit",
    "fuse",
    "load_experiment",
    "load_study",
    "methods",
    "monitor",
    "plan",
    "portrait",
    "prepare",
    "recommend",
    "replay",
    "report",
    "reproduce",
    "run_search",
    "select",
    "space",
    "sweep",
    "verdict",
]

_HOMES = {
    "api.models": ("backtest", "export", "fit", "monitor", "recommend"),
    "api.papers": ("methods", "verdict"),
    "api.results": ("compare", "confirm", "fuse", "portrait", "report", "reproduce", "select"),
    "api.search": ("plan", "prepare", "replay", "run_search", "space"),
    "api.study_folder": ("StudyFolder", "load_study"),
    "api.whole": ("sweep",),
    "cli.sweep_progress": ("Progress",),
    "config.files": ("load_experiment",),
    "config.schema": ("Experiment",),
    "errors": ("BadInput", "RecsweepError", "WorkFailed"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """PEP 562: asked for a name that is not here yet."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
