"""What W&B itself was told: by its commands, which write files, and by its variables.

`wandb offline` and `wandb disabled` write to `wandb/settings` of the current folder or of
`WANDB_DIR`, `wandb login --host` to the one in the home folder. Variables come before files.
"""

import os
from pathlib import Path

import wandb
from pydantic import ValidationError
from wandb.errors import UsageError

from recsweep.errors import BadInput
from recsweep.tracking import OF_ONE_RUN

_SECRET = ("key", "token", "url", "proxies", "headers")


def own_settings() -> wandb.Settings:
    """W&B's settings as its own library reads them, without those of another process's run.

    Raises:
        BadInput: a variable that W&B can't use, or a file that is no text.
    """
    settings = wandb.Settings(silent=True)
    config = os.environ.get("WANDB_CONFIG_DIR") or "~/.config/wandb"
    settings.settings_system = str(Path(config).expanduser() / "settings")
    here = settings.root_dir
    for folder in (os.environ.get("WANDB_DIR"), here):  # the library itself reads the second only
        if folder:
            settings.root_dir = folder
            _take_files(settings)
            settings.settings_system = None  # a folder's come after those of the home
    for name, value in os.environ.items():
        if name.startswith("WANDB_") and name not in OF_ONE_RUN and value.strip():
            _take(settings, name, value)
    return settings


def _take_files(settings: wandb.Settings) -> None:
    try:
        settings.update_from_system_settings()
    except UnicodeDecodeError as error:
        files = f"{settings.settings_system or '~'} or {settings.settings_workspace}"
        raise BadInput(f"{files}: W&B can't read its settings ({error.reason})") from None


def _take(settings: wandb.Settings, name: str, value: str) -> None:
    try:
        settings.update_from_env_vars({name: value})
    except (ValidationError, UsageError, ValueError) as error:
        problem = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        shown = "…" if any(word in name.lower() for word in _SECRET) else value
        raise BadInput(f"{name}={shown}: W&B can't use it: {' '.join(problem.split())}") from None
