"""Every family of this repository keeps the contract that other packages can hold theirs to."""

from dataclasses import replace

import pytest

from recsweep.config.schema import UPLIFT
from recsweep.models.registry import families
from recsweep.testing import Case, cases_of, check_family

SEARCHED = [f for f in families().values() if f.role != "ensemble"]
EVERY = [c for f in SEARCHED for task in f.tasks for c in cases_of(f, task)]
# Parts of a model of uplift are models of purchases, whose other choices are tried there.
CASES = [
    c
    for c in EVERY
    if c.task != UPLIFT
    or c.name == "defaults"
    or ("meta_learner" in c.name and not c.traits.needs_history)
]
BOTH_WAYS = [
    replace(case, config={**case.config, "bidirectional": True}, name="both ways")
    for case in CASES
    if case.config.get("bidirectional") is False and case.name == "defaults" and case.task != UPLIFT
]


def ensemble(task: str, *kinds: str) -> Case:
    """Of these families by their defaults, the first of which weighs most."""
    cases = [next(cases_of(families()[kind], task)) for kind in kinds]
    members = tuple(
        {
            "trial": f"{case.family.name}-0000",
            "kind": case.family.name,
            "config": case.config,
            "epochs": 2 - n,
            "weight": 2 - n,
            "seed_offset": 1009 * n,
        }
        for n, case in enumerate(cases)
    )
    return Case(families()["ensemble"], task, {"members": members}, "+".join(kinds))


ENSEMBLES = [
    ensemble("next_item", "gru", "item_knn"),
    ensemble("purchase", "logistic_regression", "gru"),
]


@pytest.mark.parametrize("case", [*CASES, *BOTH_WAYS, *ENSEMBLES], ids=str)
def test_every_family_keeps_the_contract(case: Case) -> None:
    check_family(case.family, [case])


def test_networks_are_tried_both_ways() -> None:
    assert [case.family.name for case in BOTH_WAYS] == ["gru", "lstm"]
