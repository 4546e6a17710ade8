"""The files that a table's path stands for."""

import glob
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from recsweep.data.formats.packing import open_unpacked
from recsweep.errors import BadInput

BLOCK = 1 << 20  # bytes


def parts(path: Path) -> tuple[Path, ...]:
    """The file itself, those of a folder, or those that a pattern such as `day-*.csv` matches.

    They come in the order of their names. What starts with `_` or `.` is left out, as Spark and
    Hive do.

    Raises:
        BadInput: there is none.
    """
    if path.is_dir():
        if (path / "_delta_log").is_dir():
            raise BadInput(
                f"{path}: is a Delta table, whose folder holds deleted rows too; "
                "export it to Parquet or CSV"
            )
        found = [file for file in path.rglob("*") if _is_data(file, path)]
        if not found:
            raise BadInput(f"{path}: is a folder without a file to read")
        return tuple(sorted(found))
    if path.exists() or not glob.has_magic(str(path)):
        return (path,)
    root = Path(path.anchor)
    found = [file for file in root.glob(str(path.relative_to(root))) if file.is_file()]
    if not found:
        raise BadInput(f"{path}: no file matches this pattern")
    return tuple(sorted(found))


def check_order(files: Sequence[Path]) -> None:
    """Nothing, where the order of names is that of the numbers in them.

    Raises:
        BadInput: `day-10.csv` comes before `day-2.csv`.
    """
    for one, next_one in pairwise(files):
        if _numbered(next_one) < _numbered(one):
            raise BadInput(
                f"{next_one}: is read after {one}, by their names, and order: row takes that for "
                "the order of events; give numbers leading zeros"
            )


def refuse_copies(files: Sequence[Path], rows: Sequence[int]) -> None:
    """Nothing, where no two of the files that hold rows have the same bytes, once unpacked.

    Raises:
        BadInput: such as `log.csv` beside `log (1).csv`, or beside `log.csv.gz`.
    """
    first: dict[bytes, Path] = {}
    alike = Counter(rows)
    for file, count in zip(files, rows, strict=True):
        if count and alike[count] > 1 and (other := first.setdefault(_digest(file), file)) != file:
            raise BadInput(f"{file}: is a copy of {other}; leave one of them out")


def _digest(file: Path) -> bytes:
    digest = hashlib.sha256()
    with open_unpacked(file) as content:
        while block := content.read(BLOCK):
            digest.update(block)
    return digest.digest()


def _numbered(file: Path) -> list[tuple[str, int]]:
    """A path as texts and the numbers after them."""
    found = re.findall(r"([^0-9]*)([0-9]*)", str(file))
    return [(text, int(number or -1)) for text, number in found]


def _is_data(file: Path, folder: Path) -> bool:
    names = file.relative_to(folder).parts
    return file.is_file() and not any(name.startswith(("_", ".")) for name in names)
