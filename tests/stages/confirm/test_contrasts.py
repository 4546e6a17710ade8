from dataclasses import replace

import pytest
from studies import study_with, trial_row
from sweeps import lower
from worlds import experiment_of

from recsweep.config.schema import Experiment
from recsweep.models.family import Role
from recsweep.records.openings import Opened
from recsweep.stages.confirm.contrasts import Entrant, contrasts, default_contrasts, entrants_of

SCORES = {"gru": 0.1, "lstm": 0.2, "popularity": 0.3}


def entrant(role: Role, score: float, space: str = "") -> Entrant:
    return Entrant(role, space or f"{role} {score}", score)


def test_by_default_the_best_network_meets_each_baseline_and_the_best_floor() -> None:
    entrants = {
        "popularity": entrant("floor", 0.04),
        "gru": entrant("network", 0.08),
        "wide_deep": entrant("baseline", 0.05),
        "lstm": entrant("network", 0.09),
        "matrix_factorization": entrant("baseline", 0.07),
        "item_knn": entrant("floor", 0.10),
    }
    assert set(default_contrasts(entrants)) == {
        ("lstm", "wide_deep"),
        ("lstm", "matrix_factorization"),
        ("lstm", "item_knn"),
    }


def test_each_network_meets_its_twin_that_cannot_see_order() -> None:
    kinds = {name: name for name in ("gru", "gru_unordered", "matrix_factorization")}
    experiment = experiment_of(families={name: f"{name}.yaml" for name in kinds})
    found = default_contrasts(entrants_of(experiment, kinds, dict.fromkeys(kinds, 0.1)))
    assert found == (("gru", "matrix_factorization"), ("gru", "gru_unordered"))


@pytest.mark.parametrize("key", ["losses", "features"])
def test_a_network_meets_its_twin_of_the_same_arm_alone(key: str) -> None:
    sets = {"losses": (["bpr"], ["gbce"]), "features": ([], ["title"])}[key]
    families = {
        f"{kind}+{n}": {"space": f"{kind}.yaml", key: values}
        for kind in ("gru", "gru_unordered")
        for n, values in enumerate(sets)
    }
    kinds = {name: name.partition("+")[0] for name in families}
    entrants = entrants_of(experiment_of(families=families), kinds, dict.fromkeys(kinds, 0.1))
    assert {name: entrant.twins for name, entrant in entrants.items() if entrant.twins} == {
        "gru+0": ("gru_unordered+0",),
        "gru+1": ("gru_unordered+1",),
    }


def test_arms_of_a_family_meet_each_other() -> None:
    entrants = {
        "gru+ids": entrant("network", 0.08, "gru.yaml"),
        "gru+text": entrant("network", 0.09, "gru.yaml"),
        "popularity": entrant("floor", 0.04),
    }
    assert default_contrasts(entrants) == (("gru+text", "popularity"), ("gru+ids", "gru+text"))


def test_without_a_network_or_a_rival_every_pair_is_asked_for() -> None:
    floors = {name: entrant("floor", n) for n, name in enumerate("abc")}
    assert default_contrasts(floors) == (("a", "b"), ("a", "c"), ("b", "c"))
    networks = {name: entrant("network", n) for n, name in enumerate("ab")}
    assert default_contrasts(networks) == (("a", "b"),)


def asked(experiment: Experiment, *, fused: bool = False) -> tuple[tuple[str, str], ...]:
    """Of a study with these families, each by one trial, and an ensemble of them."""
    trials = [
        trial_row(1, (score, score), family=name, lower_is_better=experiment.metric.lower_is_better)
        for name, score in SCORES.items()
    ]
    selected = {
        name: Opened(kind=name, trial=f"{name}-0001", config={}, epochs=1)
        for name in (*SCORES, *(["ensemble"] if fused else []))
    }
    return contrasts(study_with(*trials, experiment=experiment), selected)


def test_a_study_is_asked_what_it_declares_or_else_what_follows_from_its_folds() -> None:
    families = {name: f"{name}.yaml" for name in SCORES}
    assert asked(experiment_of(families=families)) == (("lstm", "popularity"),)
    declared = experiment_of(families=families, confirm={"contrasts": [["popularity", "gru"]]})
    assert asked(declared) == (("popularity", "gru"),)


def test_where_less_is_better_the_best_network_is_the_one_with_the_least() -> None:
    experiment = lower(experiment_of(families={name: f"{name}.yaml" for name in SCORES}))
    assert asked(experiment) == (("gru", "popularity"),)
    found = entrants_of(experiment, {name: name for name in SCORES}, SCORES)
    assert {name: entrant.score for name, entrant in found.items()} == {
        "gru": -0.1,
        "lstm": -0.2,
        "popularity": -0.3,
    }


def test_an_ensemble_meets_the_best_family_by_the_folds_whatever_its_role() -> None:
    experiment = experiment_of(families={name: f"{name}.yaml" for name in SCORES})
    assert asked(experiment, fused=True) == (("lstm", "popularity"), ("ensemble", "popularity"))
    less = (("gru", "popularity"), ("ensemble", "gru"))
    assert asked(lower(experiment), fused=True) == less


def test_a_family_that_is_called_ensemble_is_no_ensemble_of_the_study() -> None:
    families = {name: f"{name}.yaml" for name in SCORES}
    experiment = experiment_of(families=families)
    named = experiment.model_copy(update={"families": {**families, "ensemble": "gru.yaml"}})
    trials = [trial_row(1, (0.1,), family=name) for name in (*SCORES, "ensemble")]
    selected = {
        name: Opened(kind=name if name in SCORES else "gru", trial=f"{name}-0001",
                     config={}, epochs=1)
        for name in named.families
    }  # fmt: skip
    study = replace(study_with(*trials, experiment=experiment), experiment=named)
    found = contrasts(study, selected)
    assert ("ensemble", "gru") not in found


def test_the_ends_of_a_front_are_asked_for_within_their_family() -> None:
    experiment = experiment_of(confirm={"front": "parameters", "contrasts": [["gru", "lstm"]]},
                               families=["gru", "lstm"])  # fmt: skip
    trials = [trial_row(1, (0.1,), family=name) for name in ("gru", "lstm")]
    selected = {
        name: Opened(kind="gru", trial=f"{name.partition('+')[0]}-0001", config={}, epochs=1)
        for name in ("gru", "lstm", "gru+best")
    }
    found = contrasts(study_with(*trials, experiment=experiment), selected)
    assert found == (("gru", "lstm"), ("gru", "gru+best"))
