"""Where W&B runs go: to the server, to files, or nowhere."""

import logging
import netrc
import os
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from recsweep.config.schema import Tracking
from recsweep.errors import BadInput
from recsweep.tracking.wandb_login import Answer, ask_server
from recsweep.tracking.wandb_settings import own_settings

Mode = Literal["online", "offline"]
HOSTS = ("api.wandb.ai", "api.forge.coreweave.com")  # of the public server, one in two names
SAID: dict[Answer, str] = {
    "refused": "the W&B server {host} refuses the key: run `wandb login --relogin`",
    "silent": "the W&B server {host} does not answer",
}

log = logging.getLogger(__name__)


def resolve_mode(tracking: Tracking) -> Mode | None:
    """Where runs go; None: nowhere. Asks the server first whether it takes the key.

    What the experiment says comes first; with `auto` W&B's own settings are obeyed.

    Raises:
        BadInput: `online` without a login, or with one that the server doesn't take; a variable
            that W&B can't use.
    """
    if tracking.wandb == "off":
        return None
    asked = "disabled" if _disabled() else own_settings().mode
    if tracking.wandb == "offline":
        return "offline"
    if tracking.wandb == "auto" and asked in ("offline", "dryrun", "disabled"):
        return None if asked == "disabled" else "offline"
    if logged_in():
        why = trouble()
        if why is None:
            return "online"
        if tracking.wandb == "online":
            raise BadInput(f"tracking.wandb: online, but {why}, or take auto or offline")
        log.warning("%s; the runs become files, recsweep sync sends them later", why)
        return "offline"
    if tracking.wandb == "online":
        raise BadInput(
            "tracking.wandb: online needs a login: run `wandb login`, set WANDB_API_KEY, "
            "or take auto or offline"
        )
    return "offline"


def _disabled() -> bool:
    """W&B forgot this variable, but Hugging Face's libraries and their users did not."""
    return os.environ.get("WANDB_DISABLED", "").strip().lower() in ("1", "true", "yes", "on")


def trouble() -> str | None:
    """Why nothing can be sent to the server now; None: it can."""
    if not logged_in():
        return "nobody is logged in: run `wandb login` or set WANDB_API_KEY"
    return _trouble(server(), api_key())


@cache
def _trouble(address: str, key: str | None) -> str | None:
    """Why the server can't be used; it is asked once in a process."""
    if key is None:  # a token of another kind, which W&B itself exchanges
        return None
    answer = ask_server(address, key)
    return None if answer == "welcome" else SAID[answer].format(host=urlsplit(address).netloc)


def logged_in() -> bool:
    """Is there a key for the W&B server, in the environment or in the netrc file?"""
    return bool(os.environ.get("WANDB_IDENTITY_TOKEN_FILE")) or api_key() is not None


def server() -> str:
    """Address of the W&B server."""
    return own_settings().base_url


def api_key() -> str | None:
    """The key that W&B would use."""
    if key := os.environ.get("WANDB_API_KEY"):
        return key
    path = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
    try:
        keys = netrc.netrc(str(path))
    except (OSError, netrc.NetrcParseError):
        return None
    host = urlsplit(server()).netloc
    found = (keys.authenticators(name) for name in (HOSTS if host in HOSTS else (host,)))
    return next((entry[2] for entry in found if entry), None)
