"""What a plan tells of the sealed test."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from studies import scores, study_with, trial_row
from worlds import experiment_of

from recsweep.evaluation.power import Power, smallest_shown
from recsweep.records.openings import Opened
from recsweep.records.user_values import write_user_values
from recsweep.stages.confirm import power


def manifest_of(windows: Sequence[int], sealed: int) -> Any:
    """Of so many learners with an event."""
    folds = [SimpleNamespace(validation=SimpleNamespace(users=users)) for users in windows]
    return SimpleNamespace(folds=folds, sealed_test=SimpleNamespace(users=sealed))


GRU, POPULARITY = ((0.1, 0.5, 0.3), (0.4, 0.2)), ((0.2, 0.1, 0.1), (0.3, 0.3))
"""Of the learners in two folds."""


def of_study(
    folder: Path,
    patch: pytest.MonkeyPatch,
    values: Mapping[str, Any],
    sealed: int = 40,
    **confirm: object,
) -> Power | None:
    def manifest(path: Path) -> Any:
        assert path == folder / "data" / "test-0123"
        return manifest_of((4, 6), sealed)

    patch.setattr(power, "read_manifest", manifest)
    experiment = experiment_of(families={name: f"{name}.yaml" for name in values}, confirm=confirm)
    for name, of in values.items():
        write_user_values(folder, f"{name}-0001", scores(*of))
    selected = {
        name: Opened(kind=name, trial=f"{name}-0001", config={}, epochs=1)
        for name in (*values, "ensemble")
    }
    trials = [trial_row(1, (0.1,), family=name) for name in values]
    return power.power_of_study(
        study_with(*trials, experiment=experiment), selected, folder, folder
    )


def test_a_study_tells_what_the_test_may_show_by_all_its_folds_and_not_of_an_ensemble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"gru": GRU, "popularity": POPULARITY}
    found = of_study(tmp_path, monkeypatch, values, smallest_effect=0.02)
    assert found is not None
    assert found.learners == 20  # five of ten who had an event in a window had a target
    assert list(found.differences) == [("gru", "popularity")]
    # Differences -0.1, 0.4, 0.2 and 0.1, -0.1, each less its fold's mean; 2 + 1 degrees.
    away = np.array([-0.1 - 1 / 6, 0.4 - 1 / 6, 0.2 - 1 / 6, 0.1, -0.1])
    spread = (away @ away / 3) ** 0.5
    assert found.differences["gru", "popularity"] == pytest.approx(smallest_shown(spread, 20, 1))
    assert (found.metric, found.unit, found.smallest_effect) == ("ndcg@10", "learners", 0.02)


def test_no_fewer_than_two_learners_are_counted_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"gru": GRU, "popularity": POPULARITY}
    for sealed, learners in ((1, 2), (4, 2), (6, 3)):
        found = of_study(tmp_path, monkeypatch, values, sealed)
        assert found is not None
        assert found.learners == learners


def test_more_pairs_ask_for_larger_differences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"gru": GRU, "popularity": POPULARITY, "lstm": POPULARITY}
    contrasts = [["gru", "popularity"], ["gru", "lstm"], ["popularity", "lstm"]]
    found = of_study(tmp_path, monkeypatch, values, contrasts=contrasts)
    alone = of_study(tmp_path, monkeypatch, values, contrasts=contrasts[:1])
    assert found is not None
    assert alone is not None
    assert found.differences["gru", "popularity"] == found.differences["gru", "lstm"]
    ratio = smallest_shown(1.0, 20, 3) / smallest_shown(1.0, 20, 1)
    pair = ("gru", "popularity")
    assert found.differences[pair] / alone.differences[pair] == pytest.approx(ratio)
    assert found.differences["popularity", "lstm"] == 0.0


def test_one_family_alone_is_compared_with_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert of_study(tmp_path, monkeypatch, {"gru": GRU}) is None


def test_a_plan_tells_what_the_test_may_show_by_the_fold_that_it_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(power, "read_manifest", lambda _: manifest_of((10, 20), 40))
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


def test_a_plan_without_declared_pairs_asks_by_the_scores_that_it_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(power, "read_manifest", lambda _: manifest_of((10, 20), 40))
    names = ("gru", "lstm", "popularity")

    def asked(*families: str) -> Power | None:
        inputs: Any = SimpleNamespace(
            experiment=experiment_of(families={name: f"{name}.yaml" for name in families}),
            spaces={name: SimpleNamespace(family=name) for name in families},
            dataset=SimpleNamespace(folder=None),
        )
        values = dict(zip(names, np.array([[0.1, 0.3], [0.5, 0.2], [0.1, 0.1]]), strict=True))
        measured = [SimpleNamespace(family=name, learners=values[name]) for name in families]
        plan: Any = SimpleNamespace(families=measured, measured_fold=0)
        return power.power_of_plan(inputs, plan)

    found = asked(*names)
    assert found is not None
    assert list(found.differences) == [("lstm", "popularity")]  # the better network by its mean
    assert found.learners == 8  # two of ten
    assert asked("gru") is None
