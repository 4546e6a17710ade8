"""Bytes packed in every way that is unpacked on the way."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Mapping

import pyarrow as pa


def zipped(members: Mapping[str, str]) -> bytes:
    """A zip archive of files by their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def arrow(compression: str) -> Callable[[bytes], bytes]:
    """What Arrow packs."""

    def packed(content: bytes) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, compression) as stream:
            stream.write(content)
        return bytes(sink.getvalue())

    return packed


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": arrow("zstd"),
    "lz4": arrow("lz4"),
    "zip": lambda content: zipped({"__MACOSX/._log.csv": "x", "log.csv": content.decode()}),
}
