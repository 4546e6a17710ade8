"""A raw table given as a frame: its content as a Parquet file, and the path that stands for it."""

import hashlib
import io
import sys
from pathlib import Path

from recsweep.errors import one_line

PREFIX = "frame:"


def parquet_of(frame: object) -> bytes:
    """A polars or pandas frame as the bytes of a Parquet file; a pandas index is left out.

    Raises:
        ValueError: it is no frame, or holds what no file can.
    """
    import polars as pl

    pandas, content = sys.modules.get("pandas"), io.BytesIO()
    try:
        if pandas is not None and isinstance(frame, pandas.DataFrame):
            frame = pl.from_pandas(frame)
        if isinstance(frame, pl.DataFrame):
            frame.write_parquet(content)
            return content.getvalue()
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        reason = one_line(error)
        raise ValueError(f"a frame with a column that no file can hold ({reason})") from None
    kind = f"{type(frame).__module__.partition('.')[0]}.{type(frame).__qualname__}"
    raise ValueError(f"expected a path, or a DataFrame of polars or pandas, found {kind}")


def path_of(content: bytes) -> str:
    """The path that stands for a frame, wherever it lies: `frame:<sha256>`."""
    return PREFIX + hashlib.sha256(content).hexdigest()


def frame_file(path: str, raw_folder: Path) -> Path:
    """Where the frame `path` is kept."""
    return raw_folder / f"frame-{path.removeprefix(PREFIX)[:16]}.parquet"
