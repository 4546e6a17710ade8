import math
import time
from pathlib import Path

import numpy as np
import pytest
from families import FAMILIES
from sweeps import folds_of
from worlds import experiment_of

from recsweep.search.plan import Plan, plan
from recsweep.search.stopping import rungs
from recsweep.spaces.files import load_space

NAMES = ("item_knn", "popularity", "gru")


def made(limit: float = 60.0) -> Plan:
    files = {name: f"search_spaces/{name}.yaml" for name in NAMES}
    experiment = experiment_of(families=files, resources={"workers": 1})
    spaces = {name: load_space(Path(path), FAMILIES) for name, path in files.items()}
    return plan(experiment, spaces, folds_of(), limit=limit)


def test_a_plan_measures_each_family_and_counts_what_a_sweep_would_do() -> None:
    found = made()
    knn, popularity, gru = found.families
    assert [f.trials for f in found.families] == [12, 12, 12]
    assert (knn.rungs, popularity.rungs, gru.rungs) == ((), (), (2, 6))
    assert (knn.epochs, popularity.epochs, gru.epochs) == (1, 1, 8)
    assert (knn.expected_epochs, popularity.expected_epochs) == (12, 12)
    # 4 trials of 8 epochs, 8 trials of 2 + 4/3 + 2/9 on average.
    assert gru.expected_epochs == pytest.approx(4 * 8 + 8 * (2 + 4 / 3 + 2 / 9))
    assert gru.parameters == 11
    assert math.isinf(gru.size)
    assert all(f.problem is None and f.epoch_seconds for f in found.families)
    assert found.workers == 1
    assert found.seconds is not None
    assert found.worker_bytes is not None
    assert 1e7 < found.worker_bytes < 1e11


def test_a_measurement_that_takes_too_long_is_given_up() -> None:
    began = time.monotonic()
    found = made(limit=0.01)
    assert time.monotonic() - began < 5
    assert found.seconds is None
    assert [f.epoch_seconds for f in found.families] == [None] * 3


def test_the_bytes_of_the_data_are_those_of_its_arrays() -> None:
    folds = folds_of()
    known = sum(fold.items.nbytes + fold.validation.item.nbytes for fold in folds)
    assert known < made(limit=0.01).data_bytes < 100 * known
    assert isinstance(folds[0].items, np.ndarray)


@pytest.mark.parametrize(
    ("grace", "reduction", "epochs", "expected"),
    [(2, 3, 8, (2, 6)), (1, 2, 8, (1, 2, 4)), (2, 2, 2, ()), (1, 4, 1, ())],
)
def test_rungs_lie_below_the_full_length(
    grace: int, reduction: int, epochs: int, expected: tuple[int, ...]
) -> None:
    stopping = {"grace_epochs": grace, "reduction": reduction}
    assert rungs(experiment_of(stopping=stopping, budget={"epochs": epochs})) == expected
