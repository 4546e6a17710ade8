import sys

import pytest
from worlds import experiment_of

from recsweep.cli.commands.sweep import longer_training, more_of
from recsweep.cli.resuming import without, without_trials

TYPED = "sweep a.yaml --widen gru.window=20:400 --trials +2 --widen=lstm.window=1:9 --trials=+1"


@pytest.fixture(autouse=True)
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["recsweep", *TYPED.split()])


def test_an_option_is_left_out_with_its_value_however_it_was_written() -> None:
    assert without("--trials", "--widen") == ["sweep", "a.yaml"]
    assert without("--widen") == ["sweep", "a.yaml", "--trials", "+2", "--trials=+1"]
    assert without_trials() == [
        "sweep",
        "a.yaml",
        "--widen",
        "gru.window=20:400",
        "--widen=lstm.window=1:9",
    ]


def test_a_study_that_is_to_train_longer_is_new_and_has_no_range_to_widen() -> None:
    command, why = longer_training(experiment_of(study="a", budget={"epochs": 4}), ["gru"])
    assert command.endswith("sweep a.yaml --set study=a_longer --set budget.epochs=8")
    assert why == "not converged: gru"
    assert "--widen gru.window=20:400" in more_of(experiment_of(study="a"))[0]
