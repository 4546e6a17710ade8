"""The space of a search at a step begins with what is known to be good."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from studies import study_with, trial_row
from worlds import dataset_of, events_of, experiment_of

from recsweep.config.digest import json_sha256
from recsweep.data.clock import DAY, iso
from recsweep.errors import BadInput
from recsweep.spaces.declared import DeclaredSpace
from recsweep.stages.backtest import searches

DEFAULTS = {"regularization": 500.0}
PARAMETERS = {
    "regularization": {"float": [1.0, 1e4], "log": True, "role": "scientific", "why": "x"},
}


def space_with(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, **keys: Any) -> Any:
    declared = {
        "family": "ease",
        "fixed": {"fading": "none"},
        "defaults": DEFAULTS,
        "parameters": PARAMETERS,
        **keys,
    }
    spaces = {"mine": DeclaredSpace.model_validate(declared)}
    monkeypatch.setattr(searches, "read_study", lambda _: SimpleNamespace(spaces=spaces))
    experiment = SimpleNamespace(task="next_item")
    best: Any = SimpleNamespace(family="mine", config=config, experiment=experiment)
    return searches.space_with(best, Path("study"))


def test_the_best_configuration_is_tried_before_other_named_trials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = [{"regularization": 20.0}]
    found = space_with(
        {"regularization": 50.0, "fading": "none"},
        monkeypatch,
        first_trials=named,
    )
    assert [dict(trial) for trial in found.first_trials] == [
        {"regularization": 50.0},  # of its settings, those that are searched
        *named,
    ]


def test_one_that_is_tried_first_anyway_is_not_tried_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert space_with(DEFAULTS, monkeypatch).first_trials == ()


def test_what_has_nothing_to_search_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="mine has no parameters to search"):
        space_with({}, monkeypatch, parameters={}, defaults={})
    unknown: Any = SimpleNamespace(family="ensemble")  # the study has no space of it
    with pytest.raises(BadInput, match="ensemble has no parameters to search"):
        searches.space_with(unknown, Path("study"))


def test_a_setting_that_is_a_list_is_an_ensembles_and_not_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = space_with({"regularization": ("a", "b")}, monkeypatch)
    assert [dict(trial) for trial in found.first_trials] == [{}]


def test_a_search_at_a_step_asks_the_question_with_other_seeds_on_what_was_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    experiment = experiment_of(
        study="s" * 60, families=["gru", "lstm"], seed=7, storage={"mirror": "s3://bucket/place"},
        tracking={"wandb": "online", "mlflow": True}, budget={"seconds": 60},
    )  # fmt: skip
    best: Any = SimpleNamespace(family="gru", experiment=experiment)
    opened = dataset_of(events_of([(0, 0, 1), (1, 0, 2)]))
    given: dict[str, Any] = {}

    def known_at(moment: int, dataset: Any, asked: Any) -> Any:
        given["moment"], given["of"] = moment, dataset
        return opened

    def sweep(inputs: Any, listeners: Any) -> Any:
        given["inputs"], given["listeners"] = inputs, listeners
        trials = [trial_row(n, (0.1,), fit_seconds=float(n)) for n in range(4)]
        return study_with(*trials), None

    monkeypatch.setattr(searches, "known_at", known_at)
    monkeypatch.setattr(searches, "development_folds", lambda data, asked: ("folds of", data))
    monkeypatch.setattr(searches, "sweep", sweep)
    choice = SimpleNamespace(families={"gru": "chosen", "lstm": "other"})
    monkeypatch.setattr(searches, "choose", lambda study, folder: choice)
    space: Any = "space"
    found: Any = searches.search_at(DAY, 2, 5, best, space, opened, tmp_path, ("listener",))  # type: ignore[arg-type]
    assert found.choice == "chosen"
    assert found.seconds == pytest.approx(0 + 1 + 2 + 3 + 4 / 3)
    assert (given["moment"], given["of"], given["listeners"]) == (DAY, opened, ("listener",))
    inputs = given["inputs"]
    assert (inputs.folder, inputs.spaces) == (tmp_path, {"gru": "space"})
    assert inputs.folds == ("folds of", inputs.dataset)
    assert inputs.dataset.fingerprint == json_sha256(["none", iso(DAY)])
    asked = inputs.experiment
    assert list(asked.families) == ["gru"]
    assert asked.study == "s" * 40 + "-backtest-3"
    assert asked.seed == 7 + 3 * 10_000
    assert (asked.budget.trials, asked.budget.seconds) == (5, None)
    assert asked.storage.mirror is None
    assert (asked.tracking.wandb, asked.tracking.mlflow) == ("off", False)
