"""Each learner's score in a trial's best epoch: what paired comparisons of trials are made of.

Learners are the codes of the prepared data, pseudonyms with no raw id behind them in these files.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsweep.data.types import Float64, Int32
from recsweep.errors import BadInput
from recsweep.records.atomic import write_bytes


@dataclass(frozen=True, slots=True)
class FoldValues:
    """The study's metric of every learner with a target in one fold."""

    fold: str
    user: Int32  # (n,) user codes
    value: Float64  # (n,)


def path_of(study: Path, trial: str) -> Path:
    """`results/<study>/user_values/<trial id>.npz`."""
    return study / "user_values" / f"{trial}.npz"


def write_user_values(study: Path, trial: str, folds: Sequence[FoldValues]) -> None:
    """Write one trial's values: arrays `users <fold>` and `values <fold>`."""
    arrays: dict[str, Int32 | Float64] = {}
    for fold in folds:
        arrays[f"users {fold.fold}"] = fold.user
        arrays[f"values {fold.fold}"] = fold.value
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_bytes(path_of(study, trial), buffer.getvalue())


def read_user_values(study: Path, trial: str) -> tuple[FoldValues, ...]:
    """Read one trial's values, folds in their order.

    Raises:
        BadInput: the file is missing or is not what `write_user_values` writes.
    """
    path = path_of(study, trial)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = [key.removeprefix("users ") for key in arrays if key.startswith("users ")]
            return tuple(
                FoldValues(name, arrays[f"users {name}"], arrays[f"values {name}"])
                for name in names
            )
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror or error})") from None
    except Exception as error:  # damage shows as one of many errors of zipfile, zlib and NumPy
        raise BadInput(f"{path}: is not a file of learners' scores ({error})") from None
