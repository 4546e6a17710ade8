import pytest
from worlds import experiment_of

from recsweep.models.family import Role
from recsweep.stages.confirm.contrasts import Entrant, default_contrasts, entrants_of


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
