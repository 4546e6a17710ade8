from typing import Any

import pytest
import torch
from worlds import training_of

from recsweep.models.protocol import Context
from recsweep.models.registry import families_of

WIDE_DEEP = families_of("next_item")["wide_deep"]
OTHERS = {
    "embedding_size": 4,
    "dropout": 0.0,
    "wide_learning_rate": 0.1,
    "learning_rate": 0.01,
    "weight_decay": 0.0,
    "batch_size": 4,
    "window": 5,
    "loss": "cross_entropy",
    "fading": "none",
}


def weights(**sizes: object) -> dict[str, torch.Tensor]:
    training = training_of([[0, 1, 2, 3], [1, 2, 0]], 4)
    config: dict[str, Any] = {**OTHERS, **sizes}
    model = WIDE_DEEP.model(config, Context(training, 0, torch.device("cpu"), "fp32"))
    return dict(model.state())


def shapes(state: dict[str, torch.Tensor]) -> list[tuple[int, ...]]:
    return [tuple(value.shape) for name, value in state.items() if "deep" in name]


def test_layers_of_one_size_each_are_those_of_one_size_and_a_depth() -> None:
    listed, counted = weights(hidden_sizes="[8, 8]"), weights(hidden_size=8, depth=2)
    assert listed.keys() == counted.keys()
    assert all(torch.equal(listed[name], counted[name]) for name in listed)


def test_a_list_gives_each_layer_its_own_size() -> None:
    assert shapes(weights(hidden_sizes="[12, 6, 3]")) == [
        (12, 8),
        (12,),
        (6, 12),
        (6,),
        (3, 6),
        (3,),
    ]


@pytest.mark.parametrize(
    "sizes", [{}, {"hidden_size": 8}, {"depth": 1, "hidden_sizes": "[8]"}, {"hidden_sizes": "[]"}]
)
def test_layers_are_told_in_one_way(sizes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"give hidden_size and depth|at least 1 item"):
        weights(**sizes)
