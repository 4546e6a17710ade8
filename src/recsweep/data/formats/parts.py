"""The files that a table's path stands for."""

import glob
from pathlib import Path

from recsweep.errors import BadInput


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


def _is_data(file: Path, folder: Path) -> bool:
    names = file.relative_to(folder).parts
    return file.is_file() and not any(name.startswith(("_", ".")) for name in names)
