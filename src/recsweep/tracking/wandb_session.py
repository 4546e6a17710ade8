"""Opening and closing W&B runs of one study: a dead server turns later ones into files."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import wandb
import wandb.env

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
            with _apart():
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
        "sagemaker_disable": True,  # it would give every run of a training job one id
        "symlink": False,  # a copy of the folder would stumble over those that lead nowhere
        "x_save_requirements": False,  # the packages are in study.json, once and not in every run
        "x_transaction_log_flush_interval": 1.0,  # of 15 s, most of a short trial could be lost
    }
    known = wandb.Settings.model_fields
    return wandb.Settings(**{key: value for key, value in chosen.items() if key in known})


def give_room(folder: Path) -> None:
    """Where W&B can't write to its own folders, let it write to the study's; says so once.

    What is to be sent later lies there too, so they are no temporary folders.
    """
    own = {
        "WANDB_CACHE_DIR": Path(wandb.env.get_cache_dir()),
        "WANDB_DATA_DIR": Path(wandb.env.get_data_dir()),
    }
    for name, place in own.items():
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            instead = (folder / "wandb" / name.split("_")[1].lower()).absolute()
            log.warning("%s: W&B can't write there (%s); it writes to %s (%s)", place,
                        error.strerror, instead, name)  # fmt: skip
            os.environ[name] = str(instead)


@contextmanager
def _apart() -> Iterator[None]:
    """Hide the run that this process has of its own: with an agent's, all of ours would be it."""
    settings = wandb.setup().settings
    own = {name: getattr(settings, name) for name in ("sweep_id", "launch", "run_id", "resume")}
    for name in own:
        setattr(settings, name, False if name == "launch" else None)
    try:
        yield
    finally:
        for name, value in own.items():
            setattr(settings, name, value)
