"""What a plan tells of the sealed test."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from worlds import experiment_of

from recsweep.evaluation.power import smallest_shown
from recsweep.stages.confirm import power


def test_a_plan_tells_what_the_test_may_show_by_the_fold_that_it_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folds = [SimpleNamespace(validation=SimpleNamespace(users=users)) for users in (10, 20)]
    manifest = SimpleNamespace(folds=folds, sealed_test=SimpleNamespace(users=40))
    monkeypatch.setattr(power, "read_manifest", lambda _: manifest)
    names = ("gru", "popularity")
    families = {name: f"search_spaces/{name}.yaml" for name in names}
    inputs: Any = SimpleNamespace(
        experiment=experiment_of(families=families, confirm={"contrasts": [names]}),
        spaces={name: SimpleNamespace(family=name) for name in names},
        dataset=SimpleNamespace(folder=None),
    )
    values = np.random.default_rng(0).random((2, 16))  # four of the window can't be asked about
    measured = [SimpleNamespace(family=n, learners=v) for n, v in zip(names, values, strict=True)]
    plan: Any = SimpleNamespace(families=measured, measured_fold=1)
    found = power.power_of_plan(inputs, plan)
    assert found is not None
    assert found.learners == 32
    spread = (values[0] - values[1]).std(ddof=1)
    assert found.differences[names] == pytest.approx(smallest_shown(spread, 32, 1))
    measured[0].learners = None
    assert power.power_of_plan(inputs, plan) is None
