from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError
from studies import scores, study_with, trial_row
from sweeps import lower
from worlds import experiment_of

from recsweep.errors import WorkFailed
from recsweep.records.front_ends import end_names, front_ends, front_pairs, with_ends
from recsweep.records.openings import Opened
from recsweep.records.study import Study
from recsweep.reporting.view import View
from recsweep.stages.confirm.contrasts import contrasts
from recsweep.stages.select.rules import select

TRIALS = ((0.5, 100), (0.1, 10), (0.6, 10_000), (0.55, 1000), (0.05, 20))


def study(**changes: object) -> Study:
    trials = [trial_row(n, (0.0, value), parameters=at) for n, (value, at) in enumerate(TRIALS)]
    experiment = experiment_of(
        families=["gru", "popularity"], confirm={"front": "parameters"}, **changes
    )
    floor = trial_row(0, (0.2,), family="popularity", parameters=5)
    return study_with(*trials, floor, experiment=experiment)


def opened(study: Study) -> dict[str, Opened]:
    selection = select(study, lambda trial: scores((0.1, 0.2)))
    return selection.opened | front_ends(study, selection)


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        ({}, {"gru": 2, "gru+cheapest": 1}),
        (
            {"rule": "knee", "against": "parameters"},
            {"gru": 0, "gru+cheapest": 1, "gru+best": 2},
        ),
        ({"rule": "limit", "limits": {"parameters": 15}}, {"gru": 1, "gru+best": 2}),
    ],
)
def test_the_ends_of_a_front_go_to_the_test_beside_what_is_selected_and_meet_it(
    selection: Mapping[str, object], found: Mapping[str, int]
) -> None:
    asked = study(selection=selection)
    going = opened(asked)
    trials = {name: each.trial for name, each in going.items() if name != "popularity"}
    assert trials == {name: f"gru-{number:04d}" for name, number in found.items()}
    assert {each.epochs for name, each in going.items() if name != "popularity"} == {2}
    names = list(found)
    pairs = {(a, b) for n, a in enumerate(names) for b in names[n + 1 :]}
    assert set(contrasts(asked, going)) == {("gru", "popularity"), *pairs}


def test_a_front_of_one_brings_nobody_and_what_was_not_asked_for_neither() -> None:
    plain = study_with(trial_row(0, (0.1,)))
    assert list(opened(plain)) == ["gru"]
    experiment = experiment_of(confirm={"front": "parameters"})
    one = study_with(trial_row(0, (0.1,), parameters=3), experiment=experiment)
    assert list(opened(one)) == ["gru"]


def test_a_cost_that_nobody_recorded_is_named() -> None:
    experiment = experiment_of(confirm={"front": "p99_ms"})
    with pytest.raises(WorkFailed, match=r"gru-0000: nobody recorded its p99_ms; leave out"):
        opened(study_with(trial_row(0, (0.1,)), experiment=experiment))


def test_an_end_uses_the_features_of_its_family_and_is_called_after_it() -> None:
    families = {"gru+text": {"space": "gru.yaml", "features": ["title"]}}
    experiment = experiment_of(families=families, confirm={"front": "parameters"})
    assert with_ends(experiment).features_of("gru+text+best") == ("title",)
    view = View(study(), select(study(), lambda trial: scores((0.1, 0.2))), "zh")
    assert view.titles["gru+cheapest"] == "GRU+cheapest"
    assert len({mark.index for mark in view.marks.values()}) == 2 + 1 + 2 * 2


def test_a_family_can_not_have_an_end_s_name() -> None:
    families = dict.fromkeys(("gru", "gru+best"), "gru.yaml")
    with pytest.raises(ValidationError, match=r"gru\+best is the name of a family"):
        experiment_of(families=families, confirm={"front": "parameters"})


def test_a_trial_that_was_stopped_is_no_end_however_cheap_or_good() -> None:
    experiment = experiment_of(confirm={"front": "parameters"})
    trials = [trial_row(n, (value,), parameters=at) for n, (value, at) in enumerate(TRIALS[:3])]
    stopped = trial_row(7, (0.9,), state="pruned", parameters=1)
    asked = study_with(*trials, stopped, experiment=experiment)
    selection = select(asked, lambda trial: scores((0.1, 0.2)))
    found = front_ends(asked, selection)
    assert {name: (end.kind, end.trial, end.epochs) for name, end in found.items()} == {
        "gru+cheapest": ("gru", "gru-0001", 1)
    }
    assert found["gru+cheapest"].config == trials[1].config


def test_one_trial_that_is_both_the_cheapest_and_the_best_goes_once() -> None:
    experiment = experiment_of(confirm={"front": "parameters"})
    trials = [trial_row(n, (value,), parameters=at) for n, value, at in ((0, 0.5, 9), (1, 0.6, 3))]
    selection: Any = SimpleNamespace(families={"gru": SimpleNamespace(trial="gru-0000")})
    found = front_ends(study_with(*trials, experiment=experiment), selection)
    assert {name: end.trial for name, end in found.items()} == {"gru+cheapest": "gru-0001"}


def test_where_less_is_better_the_best_end_is_the_least() -> None:
    experiment = lower(experiment_of(confirm={"front": "parameters"}))
    values = ((0.5, 10), (0.3, 100), (0.2, 1000))
    trials = [
        trial_row(n, (value,), parameters=at, lower_is_better=True)
        for n, (value, at) in enumerate(values)
    ]
    asked = study_with(*trials, experiment=experiment)
    selection = select(asked, lambda trial: scores((0.1, 0.2)))
    assert selection.families["gru"].trial == "gru-0002"
    found = front_ends(asked, selection)
    assert {name: end.trial for name, end in found.items()} == {"gru+cheapest": "gru-0000"}


def test_without_a_front_nothing_has_ends() -> None:
    assert list(end_names(experiment_of())) == []
    assert with_ends(experiment_of()) == experiment_of()
    with_front = experiment_of(families=["gru", "lstm"], confirm={"front": "parameters"})
    names = ["gru+cheapest", "gru+best", "lstm+cheapest", "lstm+best"]
    assert [name for name, _ in end_names(with_front)] == names
    assert list(with_ends(with_front).families) == ["gru", "lstm", *names]
    going = {name: Opened(kind="gru", trial="t", config={}, epochs=1)
             for name in ("gru", "lstm", "gru+best", "lstm+cheapest", "lstm+best")}  # fmt: skip
    assert list(front_pairs(with_front, going)) == [
        ("gru", "gru+best"), ("lstm", "lstm+cheapest"), ("lstm", "lstm+best"),
        ("lstm+cheapest", "lstm+best"),
    ]  # fmt: skip
    assert list(front_pairs(experiment_of(), going)) == []
