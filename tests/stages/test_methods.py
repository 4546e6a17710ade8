"""The tables and sentences of a methods section, from small studies."""

from dataclasses import replace
from typing import Any

import pytest
from ranges import parameter
from studies import study_with, trial_row
from worlds import experiment_of

from recsweep.spaces.declared import DeclaredSpace
from recsweep.stages.methods import _budget, _counts, _machine, _most_trials, _range, _spaces

RATE: dict[str, Any] = {"float": [0.001, 0.1], "log": True, "role": "scientific", "why": "x"}


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"float": [0.0, 0.5]}, "[0, 0.5]"),
        (RATE, "[0.001, 0.1], log scale"),
        ({"int": [1, 4]}, "[1, 4], whole numbers"),
        ({"int": [16, 128], "pow2": True}, "[16, 128], powers of two, log scale"),
        ({"int": [10, 50], "step": 10}, "[10, 50], whole numbers, in steps of 10"),
        ({"choice": ["bpr", "gbce"]}, "{bpr, gbce}"),
    ],
)
def test_a_range_is_told_as_it_was_searched(keys: dict[str, Any], text: str) -> None:
    assert _range(parameter(**keys)) == text


def test_a_parameter_that_depends_on_another_says_so() -> None:
    asked = parameter(int=[1, 9], when={"loss": ["bpr"]})
    assert _range(asked) == f"[1, 9], whole numbers, if {asked.condition}"
    assert "bpr" in asked.condition


def test_a_space_has_a_row_for_each_parameter_and_one_that_says_that_nothing_is_tuned() -> None:
    tuned = DeclaredSpace.model_validate(
        {"family": "gru", "defaults": {"rate": 0.01}, "parameters": {"rate": RATE}}
    )
    spaces = {
        "gru": tuned,
        "lstm": DeclaredSpace(family="lstm"),
        "floor": DeclaredSpace(family="popularity"),
    }
    shown = {name: name.upper() for name in spaces}
    columns, rows = _spaces(replace(study_with(), spaces=spaces), shown)
    assert columns == ("family", "hyperparameter", "range")
    assert [*rows] == [
        ("GRU", "`rate`", "[0.001, 0.1], log scale"),
        ("LSTM", "none is tuned", ""),
        ("FLOOR", "none is tuned", "1 epoch"),
    ]


def test_trials_that_were_stopped_or_failed_are_counted_beside_all() -> None:
    study = study_with(
        trial_row(0, (0.1,)),
        trial_row(1, (0.1,), state="pruned"),
        trial_row(2, (0.1,), state="pruned"),
        trial_row(3, (), state="failed"),
        trial_row(0, (0.1,), family="lstm"),
    )
    assert _counts(study, "gru") == "4 (2 stopped early, 1 failed)"
    assert _counts(study, "lstm") == "1"
    assert _counts(study, "sasrec") == "0"
    assert _most_trials(study) == 4
    assert _most_trials(study_with()) == experiment_of().budget.trials


def test_a_budget_is_told_in_trials_or_in_the_seconds_that_were_used() -> None:
    trials = experiment_of(budget={"trials": 7, "epochs": 3})
    assert _budget(trials, None) == "7 trials of up to 3 epochs"
    two = study_with(trial_row(0, (0.1,)), trial_row(1, (0.1,)))
    assert _budget(trials, two) == "2 trials of up to 3 epochs"
    assert _budget(trials, study_with(trial_row(0, (0.1,)))) == "1 trial of up to 3 epochs"
    seconds = experiment_of(budget={"seconds": 90, "epochs": 3})
    text = "trials of up to 3 epochs until 90 s of fitting and evaluating were used"
    assert _budget(seconds, None) == text


def test_the_machine_is_told_with_its_gpus_or_that_it_has_none() -> None:
    environment = {
        "recsweep": "1.0", "python": "3.11", "cpu": "CPU", "cores": 8, "threads": 1,
        "packages": {"torch": "2.5", "unheard": "1"}, "code": {"commit": "abc", "changes": "diff"},
    }  # fmt: skip
    told = _machine(environment)
    assert "recsweep 1.0 (commit abc with uncommitted changes), Python 3.11, torch 2.5, on" in told
    assert told.endswith("on CPU (8 cores, 1 threads a process; no GPU).")
    assert "; H200, H200)." in _machine({**environment, "gpus": ["H200", "H200"]})
    clean = {**environment, "code": {"commit": "abc", "changes": None}, "packages": None}
    assert "(commit abc), Python" in _machine(clean)
    assert "(commit unknown), Python" in _machine({**environment, "code": None, "gpus": []})
