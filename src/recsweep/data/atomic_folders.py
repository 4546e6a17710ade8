"""Folders in the making: hidden until they are whole, and gone if they never are."""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME = re.compile(r"\..+-[0-9a-f]{8}")


@contextmanager
def temporary_folder(home: Path, name: str) -> Iterator[Path]:
    """Make `.<name>-<random>` in `home`; it goes at the end, unless it was renamed.

    A process that was killed leaves its folder behind. The next one removes it, if no other is at
    work in `home`: each holds a shared lock on it, which ends with the process, however it ends.
    Where the file system has no locks on folders, as on NFS, nothing is removed.
    """
    descriptor = os.open(home, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left in home.iterdir():
                if _NAME.fullmatch(left.name) and left.is_dir():
                    shutil.rmtree(left, ignore_errors=True)
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        temporary = home / f".{name}-{secrets.token_hex(4)}"
        temporary.mkdir()
        try:
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    finally:
        os.close(descriptor)
