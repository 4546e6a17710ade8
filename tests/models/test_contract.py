"""Every family of this repository keeps the contract that other packages can hold theirs to."""

from dataclasses import replace

import pytest

from recsweep.config.schema import UPLIFT
from recsweep.models.registry import families
from recsweep.testing import Case, cases_of, check_family

EVERY = [c for f in families().values() for task in f.tasks for c in cases_of(f, task)]
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


@pytest.mark.parametrize("case", [*CASES, *BOTH_WAYS], ids=str)
def test_every_family_keeps_the_contract(case: Case) -> None:
    check_family(case.family, [case])


def test_networks_are_tried_both_ways() -> None:
    assert [case.family.name for case in BOTH_WAYS] == ["gru", "lstm"]
