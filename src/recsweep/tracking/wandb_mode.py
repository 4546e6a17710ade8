"""Where W&B runs go: to the server, to files, or nowhere."""

import netrc
import os
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from recsweep.config.schema import Tracking
from recsweep.errors import BadInput

Mode = Literal["online", "offline"]
HOSTS = ("api.wandb.ai", "api.forge.coreweave.com")  # of the public server, one in two names


def resolve_mode(tracking: Tracking) -> Mode | None:
    """Where runs go; None: nowhere.

    Raises:
        BadInput: `online` without a login.
    """
    if tracking.wandb == "off":
        return None
    if tracking.wandb == "offline":
        return "offline"
    asked = os.environ.get("WANDB_MODE")
    if tracking.wandb == "auto" and asked in ("offline", "disabled"):
        return "offline" if asked == "offline" else None
    if logged_in():
        return "online"
    if tracking.wandb == "online":
        raise BadInput(
            "tracking.wandb: online needs a login: run `wandb login`, set WANDB_API_KEY, "
            "or take auto or offline"
        )
    return "offline"


def logged_in() -> bool:
    """Is there a key for the W&B server, in the environment or in the netrc file?"""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    path = Path(os.environ.get("NETRC", "~/.netrc")).expanduser()
    try:
        keys = netrc.netrc(str(path))
    except (OSError, netrc.NetrcParseError):
        return False
    host = urlsplit(os.environ.get("WANDB_BASE_URL", "")).netloc
    return any(keys.authenticators(name) for name in ((host,) if host else HOSTS))
