"""Opening and closing W&B runs of one study: a dead server turns later ones into files."""

import logging
from pathlib import Path
from typing import Any

import wandb

from recsweep.config.schema import Experiment, Tracking
from recsweep.tracking.wandb_mode import Mode

log = logging.getLogger(__name__)


class Session:
    """Used by one thread; `mode` may be changed by another.

    `unsent` says that some runs became files though they were meant for the server.
    """

    def __init__(self, folder: Path, experiment: Experiment, mode: Mode) -> None:
        self.folder, self._experiment, self.mode = folder, experiment, mode
        self.unsent = False

    def open(self, **arguments: Any) -> Any:
        """A run in the study's group: on the server, or as files where that fails."""
        common: dict[str, Any] = {
            "project": self._experiment.tracking.project,
            "group": self._experiment.study,
            "dir": str(self.folder),
            "reinit": "create_new",
        }
        mode = self.mode
        try:
            settings = _settings(self._experiment.tracking)
            return wandb.init(**common, **arguments, mode=mode, settings=settings)
        except Exception:
            if mode == "offline":
                raise
            log.warning("W&B can't be reached; from here on the runs are files")
            self.mode, self.unsent = "offline", True
            arguments["id"] += "-offline"  # the failed one keeps its id for as long as it lives
            return self.open(**arguments)

    def close(self, run: Any, *, failed: bool = False) -> None:
        """End a run; a server that doesn't take it in time makes the next ones files."""
        try:
            run.finish(exit_code=1 if failed else 0)
        except TimeoutError:
            self.mode, self.unsent = "offline", True


def _settings(tracking: Tracking) -> wandb.Settings:
    half = tracking.close_seconds / 2
    chosen = {
        "silent": True,
        "console": "off",
        "disable_code": True,
        "disable_git": True,
        "init_timeout": half,
        "finish_timeout": half,
        "finish_timeout_raises": True,
        "host": "-",
        "x_disable_meta": True,  # host, user and command line are no business of a server
        "x_disable_machine_info": True,
        "x_disable_stats": True,
        "symlink": False,  # a copy of the folder would stumble over those that lead nowhere
        "x_save_requirements": False,  # the packages are in study.json, once and not in every run
        "x_transaction_log_flush_interval": 1.0,  # of 15 s, most of a short trial could be lost
    }
    known = wandb.Settings.model_fields
    return wandb.Settings(**{key: value for key, value in chosen.items() if key in known})
