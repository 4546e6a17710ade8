"""Packed files, told by their first bytes and not by their names, and unpacked on the way."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from recsweep.errors import BadInput

DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError)
"""What unpacking raises; RuntimeError: a zip archive with a password or an unknown method."""


def packing(path: Path) -> str | None:
    """How a file is packed, in words; None: it is not."""
    with path.open("rb") as file:
        start = file.read(8)
    return next((name for name, (magic, _) in PACKINGS.items() if start.startswith(magic)), None)


def open_unpacked(path: Path) -> IO[bytes]:
    """A file's bytes as they were before packing.

    Raises:
        BadInput: a zip archive that does not hold exactly one file.
    """
    name = packing(path)
    return path.open("rb") if name is None else cast(IO[bytes], PACKINGS[name][1](path))


def _arrow(path: Path, compression: str) -> IO[bytes]:
    return cast(IO[bytes], pa.input_stream(str(path), compression=compression))


def _zip(path: Path) -> IO[bytes]:
    with zipfile.ZipFile(path) as archive:
        inside = [name for name in archive.namelist() if not name.endswith("/")]
    if "[Content_Types].xml" in inside or "mimetype" in inside:
        raise BadInput(f"{path}: is a workbook of a spreadsheet; save its sheet as CSV (UTF-8)")
    files = [name for name in inside if not name.startswith("__MACOSX/")]
    if len(files) != 1:
        some = ", ".join(files[:5]) or "nothing"
        raise BadInput(
            f"{path}: is a zip archive of {len(files)} files ({some}); "
            "unpack it and name the file or its folder"
        )
    archive = zipfile.ZipFile(path)
    return _Member(archive, archive.open(files[0]))


class _Member(io.BufferedReader):
    """A file in an archive that closes the archive with itself."""

    def __init__(self, archive: zipfile.ZipFile, member: IO[bytes]) -> None:
        super().__init__(cast(Any, member))
        self._archive = archive

    def close(self) -> None:
        super().close()
        self._archive.close()


PACKINGS: dict[str, tuple[bytes, Callable[[Path], Any]]] = {
    "gzip": (b"\x1f\x8b", gzip.GzipFile),
    "bzip2": (b"BZh", bz2.BZ2File),
    "xz": (b"\xfd7zXZ\x00", lzma.LZMAFile),
    "zstd": (b"\x28\xb5\x2f\xfd", partial(_arrow, compression="zstd")),
    "lz4": (b"\x04\x22\x4d\x18", partial(_arrow, compression="lz4")),
    "zip": (b"PK\x03\x04", _zip),
}
