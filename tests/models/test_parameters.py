"""No setting may silently reach nothing: every parameter of every space changes what comes out."""

from pathlib import Path

import numpy as np
import pytest
import torch
from families import FAMILIES
from torch import Tensor
from worlds import training_of

from recsweep.config.values import Configuration, Value
from recsweep.models.protocol import Context, Histories, Recommender
from recsweep.spaces.files import load_space

FOLDER = Path(__file__).parents[2] / "search_spaces"
SPACES = {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}
SMALL: dict[str, Value] = {
    "hidden_size": 8,
    "embedding_size": 6,
    "factors": 6,
    "batch_size": 8,
    "window": 12,
    "negatives": 5,
    "dropout": 0.2,
    "neighbours": 3,
    "memory": 3,
    "k1": 1.2,
    "b": 0.5,
    "fading_weight": 0.8,
    "half_life_days": 1e-3,
    "history_exponent": 0.5,
}
OTHER: dict[str, Value] = {
    "batch_size": 3,
    "window": 4,
    "negatives": 9,
    "neighbours": 8,
    "dropout": 0.5,
    "depth": 2,
    "fading_weight": 0.4,
    "half_life_days": 1e-5,
}


def cases() -> list[tuple[str, str, dict[str, Value]]]:
    """(family, parameter, a configuration in which it is in use)."""
    found = []
    for name, path in SPACES.items():
        space = load_space(path, FAMILIES)
        for parameter in space.parameters.values():
            config: dict[str, Value] = {}
            for each in space.parameters.values():
                wanted = parameter.when.get(each.name, each.choices)
                if each.active(config):
                    start = space.defaults.get(each.name, each.low)
                    value = wanted[0] if wanted else SMALL.get(each.name, start)
                    config[each.name] = value
            found.append((name, parameter.name, config))
    return found


def changed(family: str, parameter: str, config: Configuration) -> dict[str, Value]:
    """The same configuration with one value moved, and with what that value needs."""
    space = load_space(SPACES[family], FAMILIES)
    moved = space.parameters[parameter]
    before = config[parameter]
    if moved.choices:
        after: Value = next(value for value in moved.choices if value != before)
    elif parameter in OTHER:
        after = OTHER[parameter]
    else:
        after = int(before) + 3 if isinstance(before, int) else float(before) * 0.5 + 0.01
    result: dict[str, Value] = {}
    for p in space.parameters.values():
        value = after if p is moved else config.get(p.name)
        if p.active(result):
            start = space.defaults.get(p.name, p.low)
            result[p.name] = value if value is not None else SMALL.get(p.name, start)
    return result


def outcome(family: str, config: Configuration) -> Tensor:
    """Scores of a few histories after two epochs."""
    rng = np.random.default_rng(0)
    training = training_of([rng.integers(0, 12, rng.integers(9, 20)).tolist() for _ in range(30)])
    entry = FAMILIES[family]
    context = Context(training, 0, torch.device("cpu"), "fp32")
    model: Recommender = entry.model(config, context)
    for _ in range(entry.epochs or 2):
        model.fit_epoch()
    items = torch.tensor([[0, 3, 3, 5], [7, 1, 2, 9]])
    lengths = torch.tensor([4, 3])
    time = torch.tensor([[0, 0, 1, 2], [0, 1, 2, 3]]) * 10_000_000  # microseconds
    return model.score(Histories(items, torch.zeros(2, 0), torch.arange(2), lengths, time=time))


@pytest.mark.parametrize(("family", "parameter", "config"), cases())
def test_every_parameter_of_a_space_changes_the_outcome(
    family: str, parameter: str, config: dict[str, Value]
) -> None:
    other = changed(family, parameter, config)
    assert other != config
    assert torch.equal(outcome(family, config), outcome(family, dict(config)))
    assert not torch.equal(outcome(family, config), outcome(family, other))
