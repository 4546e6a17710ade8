"""Files appear whole or not at all."""

import io
import os
from collections.abc import Mapping
from pathlib import Path

import polars as pl


def write_bytes(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write under a temporary name, then rename.

    Durable: on the disk when it returns, so that no later file can outlive this one in a power cut.
    """
    write_together({path: content}, durable=durable)


def write_together(contents: Mapping[Path, bytes], *, durable: bool = True) -> None:
    """`write_bytes` of files that speak of each other, in their order: where one can't be written,
    all stay as they were.
    """
    made: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            made[path] = temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            with temporary.open("wb") as file:
                file.write(content)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
        for path, temporary in made.items():
            temporary.replace(path)
            if durable:
                _sync_folder(path.parent)
    finally:
        for temporary in made.values():
            temporary.unlink(missing_ok=True)


def write_text(path: Path, content: str) -> None:
    """`write_bytes`, in UTF-8."""
    write_bytes(path, content.encode())


def write_parquet(path: Path, frame: pl.DataFrame) -> None:
    """`write_bytes` of a table."""
    write_bytes(path, parquet_of(frame))


def parquet_of(frame: pl.DataFrame) -> bytes:
    """A table as a file's content."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def _sync_folder(folder: Path) -> None:
    """A new name is on the disk when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
