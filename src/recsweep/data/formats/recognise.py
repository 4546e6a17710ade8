"""Files that are something else than the experiment says, told by how they begin."""

from pathlib import Path

from recsweep.config.schema import Table
from recsweep.data.formats.content import BOM
from recsweep.data.formats.packing import DAMAGED, open_unpacked, packing
from recsweep.errors import BadInput

SNIFFED = 1 << 16  # bytes
PARQUET = b"PAR1"
OTHERS = (
    (b"PK\x03\x04", "a zip archive in a packed file; unpack it"),
    (b"\xd0\xcf\x11\xe0", "a workbook of a spreadsheet; save its sheet as CSV (UTF-8)"),
    (b"ARROW1", "an Arrow or Feather file; write it as Parquet"),
    (b"Obj\x01", "an Avro file; write it as Parquet"),
    (b"SQLite format 3", "an SQLite database; export its table as CSV"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"version https://git-lfs", "a pointer of Git LFS; fetch the file with git lfs pull"),
    (b"<!DOCTYPE", "a page of HTML, perhaps of a download that failed"),
    (b"<html", "a page of HTML, perhaps of a download that failed"),
    (b"{", "JSON; write it as CSV or Parquet"),
    (b"[{", "JSON; write it as CSV or Parquet"),
    (b"<?xml", "XML; write it as CSV or Parquet"),
)
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
UTF_32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")


def check_kind(table: Table, path: Path) -> None:
    """Tell early, in plain words, that a file is none that can be read as declared.

    Raises:
        BadInput: it is missing, empty, damaged, or of another kind.
    """
    try:
        if not path.exists():
            raise BadInput(f"{path}: no such file")
        if path.stat().st_size == 0:
            raise BadInput(f"{path}: is an empty file")
        packed = packing(path)
        if table.format == "parquet":
            _check_parquet(path, packed)
            return
        with open_unpacked(path) as file:
            start = file.read(SNIFFED)
    except DAMAGED as error:
        raise BadInput(f"{path}: {damaged(path, error)}") from None
    if start.startswith(PARQUET):
        raise BadInput(f"{path}: is a Parquet file; set format: parquet")
    # 类 in UTF-16 is written as { and |; a text with zeros is none of the kinds that are text.
    zeros = b"\0" in start
    bare = start.removeprefix(BOM).lstrip()
    if bare.startswith(b"["):
        bare = b"[" + bare[1:].lstrip()
    kinds = (kind for magic, kind in OTHERS if bare.startswith(magic))
    found = next((kind for kind in kinds if not (zeros and start[:1] in b"{[<")), None)
    if found is None and start[257:262] == b"ustar":
        found = "a tar archive; unpack it and name the file or its folder"
    if found is None and table.encoding == "utf-8":
        found = _not_utf8(start)
    if found is not None:
        raise BadInput(f"{path}: is {found}")


def damaged(path: Path, error: Exception) -> str:
    """What to say of a file that can't be read or unpacked."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    try:
        packed = packing(path)
    except OSError:
        return f"cannot be read ({reason})"
    return f"is a damaged {packed} file ({reason})" if packed else f"cannot be read ({reason})"


def _check_parquet(path: Path, packed: str | None) -> None:
    if packed is not None:
        raise BadInput(f"{path}: is packed with {packed}; unpack it, or set format: csv if it is")
    with path.open("rb") as file:
        if file.read(4) != PARQUET:
            raise BadInput(f"{path}: is not a Parquet file; set format: csv if it is text")


def _not_utf8(start: bytes) -> str | None:
    if start.startswith(UTF_32):
        return "text in UTF-32; set encoding: utf-32"
    if start.startswith(UTF_16):
        return "text in UTF-16; set encoding: utf-16"
    return "a binary file or UTF-16, expected text in UTF-8" if b"\0" in start else None
