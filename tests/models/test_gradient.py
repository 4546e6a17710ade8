"""What a step does to which parameters."""

from dataclasses import replace
from typing import Any

import pytest

from recsweep.models.registry import families
from recsweep.testing import cases_of

DECAY, RATE, WIDE = 0.25, 0.01, 0.02


def groups_of(name: str, task: str) -> dict[str, tuple[float, float]]:
    """Parameter -> its decay and its rate."""
    case = next(cases_of(families()[name], task))
    rates = {"learning_rate": RATE, "weight_decay": DECAY, "wide_learning_rate": WIDE}
    values = {key: rates.get(key, value) for key, value in case.config.items()}
    model: Any = replace(case, config=values).built()
    found = {id(p): g for g in model.optimizer.param_groups for p in g["params"]}
    return {
        path: (found[id(p)]["weight_decay"], found[id(p)]["lr"])
        for path, p in model.network.named_parameters()
    }


@pytest.mark.parametrize("task", ["next_item", "purchase"])
@pytest.mark.parametrize(
    ("name", "one"), [("gru", ".bias_hh"), ("lstm", ".bias_hh"), ("sasrec", ".norms.0.weight")]
)
def test_weights_are_decayed_and_biases_and_norms_are_not(name: str, task: str, one: str) -> None:
    found = groups_of(name, task)
    biases = {path for path in found if ".norms." in path or ".bias" in path or path == "bias"}
    assert {path for path, (decay, _) in found.items() if not decay} == biases
    assert any(one in path for path in biases)
    assert {rate for _, rate in found.values()} == {RATE}


@pytest.mark.parametrize("task", ["next_item", "purchase"])
def test_a_wide_part_is_decayed_like_the_rest_at_a_rate_of_its_own(task: str) -> None:
    found = groups_of("wide_deep", task)
    wide = {path for path in found if "wide" in path}
    assert wide
    assert {path for path, (_, rate) in found.items() if rate == WIDE} == wide
    assert {found[path][0] for path in wide} == {DECAY}
