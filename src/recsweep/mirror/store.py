"""The store of a mirror: a path, NFS, or an object store, by fsspec's URLs."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fsspec
from fsspec.implementations.arrow import ArrowFSWrapper
from fsspec.implementations.local import LocalFileSystem

from recsweep.config.files import expand
from recsweep.errors import BadInput


def filesystem(url: str) -> tuple[Any, str]:
    """The file system that a URL means, and the path in it.

    Raises:
        BadInput: an unknown protocol, a missing driver, or a password in the URL.
    """
    # A path may hold variables, which keep what differs between machines out of the experiment.
    whole = str(expand(url)) if "://" not in url else url
    parts = urlsplit(whole)
    if parts.password or "@" in parts.netloc:
        raise BadInput(
            f"storage.mirror: {parts.scheme}://… has a user or password in it; give them by the "
            "environment, so that no record holds them"
        )
    if parts.scheme == "s3":  # Arrow's driver comes with pyarrow, s3fs would have to be installed
        return ArrowFSWrapper(_s3()), f"{parts.netloc}{parts.path}"
    try:
        fs, base = fsspec.core.url_to_fs(whole)
    except (ImportError, ValueError) as error:
        raise BadInput(f"storage.mirror: {whole}: {error}") from None
    if isinstance(fs, LocalFileSystem):
        base = str(Path(base).absolute())
    return fs, str(base)


def _s3() -> Any:
    """Keys and region come from where AWS's own tools have them; so does another server."""
    from pyarrow.fs import S3FileSystem

    server = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    scheme, _, host = server.rpartition("://")
    chosen = {"endpoint_override": host, "scheme": scheme or "https"} if host else {}
    return S3FileSystem(connect_timeout=10, request_timeout=60, **chosen)
