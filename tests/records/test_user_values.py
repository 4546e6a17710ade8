from pathlib import Path

import numpy as np
import pytest

from recsweep.errors import BadInput
from recsweep.records.user_values import FoldValues, path_of, read_user_values, write_user_values


def test_scores_read_back_fold_by_fold(tmp_path: Path) -> None:
    folds = [
        FoldValues(name, np.array(users, np.int32), np.array(values))
        for name, users, values in (("b/1", [4, 2], [0.1, 1 / 3]), ("a 2", [7], [0.5]))
    ]
    write_user_values(tmp_path, "gru-0001", folds)
    again = read_user_values(tmp_path, "gru-0001")
    assert [f.fold for f in again] == ["b/1", "a 2"]
    for before, after in zip(folds, again, strict=True):
        assert np.array_equal(before.user, after.user)
        assert np.array_equal(before.value, after.value)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 torn", b"\x93NUMPY"])
def test_a_missing_or_broken_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = path_of(tmp_path, "gru-0001")
    if content is not None:
        path.parent.mkdir()
        path.write_bytes(content)
    with pytest.raises(BadInput, match=r"gru-0001\.npz"):
        read_user_values(tmp_path, "gru-0001")
