"""A disk that a sweep can't write to."""

from pathlib import Path

import pytest

from recsweep.errors import WorkFailed
from recsweep.search.run import _disk


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left", "x/optuna.log"), "^x/optuna.log: No space left; nothing"),
        (OSError("torn"), "^study: torn; nothing that was booked is lost: see to the disk and run"),
    ],
)
def test_what_the_disk_refuses_is_one_line_with_its_file_and_what_to_do(
    error: OSError, said: str
) -> None:
    with pytest.raises(WorkFailed, match=said), _disk(Path("study")):
        raise error
