from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from worlds import experiment_of

from recsweep.config.schema import Budget
from recsweep.errors import BadInput
from recsweep.stages.sweep import stage


def test_what_cannot_be_told_of_the_machine_stops_before_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other way round a whole search would be lost to a missing package's metadata."""

    def fails(*_: object) -> None:
        raise OSError("no processor")

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the search was begun")

    monkeypatch.setattr(stage, "environment", fails)
    monkeypatch.setattr(stage, "run_search", never)
    experiment = experiment_of(tracking={"wandb": "off"})
    inputs = cast(Any, SimpleNamespace(experiment=experiment, folder=tmp_path / "study"))
    with pytest.raises(OSError, match="no processor"):
        stage.sweep(inputs)


def test_more_trials_of_a_budget_of_seconds_are_refused_with_what_to_type_instead(
    tmp_path: Path,
) -> None:
    experiment = experiment_of().model_copy(update={"budget": Budget(seconds=60)})
    folder = tmp_path / "study"
    inputs = cast(Any, SimpleNamespace(experiment=experiment, folder=folder))
    with pytest.raises(BadInput, match=r"--trials \+3: .* type --set budget.seconds=120$"):
        stage.sweep(inputs, extra_trials=3)
    assert not folder.exists()
