"""RAY_ADDRESS: is there a cluster that can be joined? Asked here, as Ray itself waits for minutes.

What Ray takes for an address is `auto` or `host:port`, of the head's control service (GCS). It
speaks gRPC, so HTTP/2: whoever answers otherwise, as a web server does, is no Ray.
"""

import os
import socket
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from ray._private.services import canonicalize_bootstrap_address

from recsweep.errors import BadInput

SECONDS = 10.0
"""For the whole question, the name's look-up included."""

HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
"""How HTTP/2 begins, and empty settings (RFC 9113, 3.4 and 6.5)."""


def check_address(address: str) -> None:
    """Nothing, where a service of Ray's kind answers at `address`.

    Raises:
        BadInput: it is no address of a cluster, or nobody answers there in `SECONDS`.
    """
    _check_scheme(address)
    host, port = _host_and_port(address)
    trouble = _within(SECONDS, lambda: _trouble(host, port))
    if trouble is not None:
        raise BadInput(
            f"RAY_ADDRESS={address}: {trouble}; is the cluster up? Write RAY_ADDRESS=auto on one "
            "of its machines, or host:port of its head (ray start --head prints it, often port "
            "6379); without RAY_ADDRESS the sweep runs on this machine"
        )


def _check_scheme(address: str) -> None:
    if "://" not in address:
        return
    scheme = address.split("://", maxsplit=1)[0]
    if scheme == "ray":
        raise BadInput(
            f"RAY_ADDRESS={address}: Ray Client is not supported; run recsweep on a machine of the "
            "cluster with RAY_ADDRESS=auto or host:port"
        )
    if scheme in ("http", "https"):
        raise BadInput(
            f"RAY_ADDRESS={address}: this is the cluster's web page, which takes jobs; run "
            "recsweep on a machine of the cluster with RAY_ADDRESS=auto or host:port, or send it "
            f"there: ray job submit --address {address} -- recsweep sweep …"
        )
    raise BadInput(
        f"RAY_ADDRESS={address}: {scheme}:// is unknown; allowed: auto, local, or host:port of the "
        "cluster's head"
    )


def _host_and_port(address: str) -> tuple[str, int]:
    if address == "auto":
        try:
            found = canonicalize_bootstrap_address("auto")
        except ConnectionError:
            found = None
        if found is None:
            raise BadInput(
                "RAY_ADDRESS=auto: no Ray runs on this machine; begin one with ray start, write "
                "host:port of a cluster's head, or unset RAY_ADDRESS to sweep on this machine alone"
            )
        address = found
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.path or parts.username is not None:
        raise BadInput(
            f"RAY_ADDRESS={address}: is no address of a cluster; allowed: auto, local, or "
            "host:port of its head, such as 10.0.0.5:6379"
        )
    return host, port


def _trouble(host: str, port: int) -> str | None:
    try:
        with socket.create_connection((host, port), timeout=SECONDS) as connection:
            if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
                return None  # it would want certificates first
            connection.sendall(HELLO)
            answer = connection.recv(9)
    except (socket.gaierror, UnicodeError):  # the latter of a name that none can be
        return f"there is no host {host}"
    except TimeoutError:
        return _silent()
    except OSError as error:
        return f"{(error.strerror or str(error)).lower()} at {host}:{port}"
    is_settings = answer[3:4] == b"\4"  # a frame's length has three bytes
    return None if is_settings else f"what answers at {host}:{port} is not Ray"


def _silent() -> str:
    return f"nobody answers in {SECONDS:g} s"


def _within(seconds: float, ask: Callable[[], str | None]) -> str | None:
    """An answer, or that there is none: a name server takes its own time, whatever the limit."""
    answers: list[str | None] = []
    thread = threading.Thread(target=lambda: answers.append(ask()), name="ray", daemon=True)
    thread.start()
    thread.join(seconds)
    return answers.pop() if answers else _silent()
