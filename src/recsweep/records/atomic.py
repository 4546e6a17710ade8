"""Files appear whole or not at all."""

import io
import os
from pathlib import Path

import polars as pl


def write_bytes(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write under a temporary name, then rename.

    Durable: on the disk when it returns, so that no later file can outlive this one in a power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
        if durable:
            _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, content: str) -> None:
    """`write_bytes`, in UTF-8."""
    write_bytes(path, content.encode())


def write_parquet(path: Path, frame: pl.DataFrame) -> None:
    """`write_bytes` of a table."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    write_bytes(path, buffer.getvalue())


def _sync_folder(folder: Path) -> None:
    """A new name is on the disk when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
