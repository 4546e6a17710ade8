"""The space of a search at a step begins with what is known to be good."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

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
