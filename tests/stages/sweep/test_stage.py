from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from worlds import experiment_of

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
