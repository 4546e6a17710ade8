"""What every test may ask for."""

from collections.abc import Callable, Sequence

import pytest
import torch
from worlds import Row, dataset_of, events_of, experiment_of

from recsweep.data.folds import make_fold
from recsweep.data.types import Fold


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """As in a worker."""
    torch.set_num_threads(1)


@pytest.fixture
def fold_of() -> Callable[..., Fold]:
    """Make a fold from (user, item, time) rows and a window."""

    def make(rows: Sequence[Row], window: tuple[int, int], **changes: object) -> Fold:
        events = events_of(rows)
        return make_fold("fold0", events, window, dataset_of(events), experiment_of(**changes))

    return make
