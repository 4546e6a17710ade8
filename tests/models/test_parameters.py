"""No setting may silently reach nothing: every parameter of every space changes what comes out."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from families import FAMILIES
from torch import Tensor
from worlds import training_of

from recsweep.config.values import Configuration, Value
from recsweep.models.protocol import Context, FamilyConfig, Histories, Recommender
from recsweep.models.registry import families
from recsweep.spaces.bundled import own_space
from recsweep.spaces.files import load_space
from recsweep.spaces.losses import LOSSES, with_losses
from recsweep.spaces.parameter import Parameter
from recsweep.spaces.space import Space
from recsweep.testing import Case

FOLDER = Path(__file__).parents[2] / "search_spaces"
SPACES = {path.stem: load_space(path, FAMILIES) for path in sorted(FOLDER.glob("*.yaml"))}
# A sequence of one has no places; the twin keeps its network's choices, so that neither has more.
WITHOUT_EFFECT = {("sasrec_unordered", "positions")}
SMALL: dict[str, Value] = {
    "depth": 1,
    "hidden_size": 8,
    "embedding_size": 6,
    "factors": 6,
    "batch_size": 8,
    "window": 12,
    "negatives": 5,
    "dropout": 0.2,
    "neighbours": 3,
    "memory": 3,
    "sample_size": 20,
    "neighbour_events": 4,
    "neighbour_half_life_days": 1e-10,  # training's events are microseconds apart
    "fading": "none",
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
    "memory": 1,
    "sample_size": 5,
    "neighbour_events": 9,
    "neighbour_half_life_days": 5e-11,
    "dropout": 0.5,
    "depth": 2,
    "fading_weight": 0.6,
    "half_life_days": 1e-5,
}


def cases() -> list[tuple[str, str, dict[str, Value]]]:
    """(family, parameter, a configuration in which it is in use)."""
    found = []
    for name, space in SPACES.items():
        for parameter in space.parameters.values():
            if (name, parameter.name) in WITHOUT_EFFECT:
                continue
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
    space = SPACES[family]
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


def switches(space: Space) -> set[str]:
    """The parameters that decide which other values exist."""
    conditions = (*(p.when for p in space.parameters.values()), *space.fixed_when.values())
    return {name for when in conditions for name in when}


def of_every_switch(
    space: Space, parameters: Sequence[Parameter], chosen: dict[str, Value]
) -> Iterator[dict[str, Value]]:
    """A small configuration with every combination of the switches' values."""
    if not parameters:
        yield space.whole(chosen)
        return
    parameter, *others = parameters
    if not parameter.active(chosen):
        yield from of_every_switch(space, others, chosen)
        return
    small = space.defaults.get(parameter.name, parameter.low) if parameter.float else parameter.low
    values = parameter.choices or (small,)
    for value in values if parameter.name in switches(space) else values[:1]:
        yield from of_every_switch(space, others, {**chosen, parameter.name: value})


def whole_cases() -> Iterator[tuple[Case, set[str]]]:
    """Each with what decides which others exist."""
    for family in families().values():
        for task, build in family.tasks.items() if family.role != "ensemble" else ():
            path, known = own_space(family, task), {family.name: build}
            assert path is not None
            space = load_space(path, known)
            for config in of_every_switch(space, [*space.parameters.values()], {}):
                yield Case(family, task, config, "own losses"), switches(space)
            if "loss" not in space.parameters:
                continue
            space = with_losses(space, LOSSES, known)
            for config in of_every_switch(space, [*space.parameters.values()], {}):
                if config.get("fading", "none") == "none":
                    yield Case(family, task, config, "all losses"), switches(space)


WHOLE = [*whole_cases()]


@pytest.mark.parametrize(("case", "decide"), WHOLE, ids=[str(case) for case, _ in WHOLE])
def test_every_value_of_a_configuration_is_read_or_decides_what_else_is_there(
    case: Case, decide: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a model that is built, trained and asked; what checks a configuration doesn't count."""
    read, checking = set(), False
    plain, check = FamilyConfig.__getattribute__, FamilyConfig.model_validate.__func__  # type: ignore[attr-defined]

    def get(config: FamilyConfig, name: str) -> Any:
        if not checking:
            read.add(name)
        return plain(config, name)

    def checked(kind: type[FamilyConfig], raw: object) -> FamilyConfig:
        nonlocal checking
        checking = True
        try:
            found: FamilyConfig = check(kind, raw)
        finally:
            checking = False
        return found

    monkeypatch.setattr(FamilyConfig, "__getattribute__", get)
    monkeypatch.setattr(FamilyConfig, "model_validate", classmethod(checked))
    assert np.isfinite(case.found).all()
    assert case.config.keys() - read <= decide


ITEMS = torch.tensor([[0, 3, 3, 5], [7, 1, 2, 9]])


def built(family: str, config: Configuration) -> Recommender:
    rng = np.random.default_rng(0)
    training = training_of([rng.integers(0, 12, rng.integers(9, 20)).tolist() for _ in range(30)])
    context = Context(training, 0, torch.device("cpu"), "fp32")
    model: Recommender = FAMILIES[family].model(config, context)
    return model


def fitted(family: str, config: Configuration) -> Recommender:
    model = built(family, config)
    for _ in range(FAMILIES[family].epochs or 2):
        model.fit_epoch()
    return model


def scores(model: Recommender, items: Tensor = ITEMS, lengths: tuple[int, ...] = (4, 3)) -> Tensor:
    rows = torch.arange(len(items))
    time = torch.tensor([[0, 0, 1, 2], [0, 1, 2, 3]])[:, : items.shape[1]] * 10_000_000
    asked = Histories(items, torch.zeros(2, 0), rows, torch.tensor(lengths), time=time)
    return model.score(asked)


def outcome(family: str, config: Configuration) -> Tensor:
    """Scores of a few histories after two epochs."""
    return scores(fitted(family, config))


@cache
def repeated(family: str, config: tuple[tuple[str, Value], ...]) -> Tensor:
    """What comes out of a configuration every time; most parameters begin with the same one."""
    once, again = outcome(family, dict(config)), outcome(family, dict(config))
    assert torch.equal(once, again)
    return once


@pytest.mark.parametrize(("family", "parameter", "config"), cases())
def test_every_parameter_of_a_space_changes_the_outcome(
    family: str, parameter: str, config: dict[str, Value]
) -> None:
    other = changed(family, parameter, config)
    assert other != config
    assert not torch.equal(repeated(family, tuple(config.items())), outcome(family, other))


def way(family: str, config: Configuration) -> float:
    """How far two epochs take the weights."""
    before, after = built(family, config).state(), fitted(family, config).state()
    return sum(float((after[n] - before[n]).abs().sum()) for n in before)


def places(family: str, config: Configuration) -> float:
    return sum(tensor.numel() for tensor in fitted(family, config).state().values())


def size(family: str, config: Configuration) -> float:
    return float(outcome(family, config).square().sum())


def size_untrained(family: str, config: Configuration) -> float:
    return float(scores(built(family, config)).square().sum())


def last_loss(family: str, config: Configuration) -> float:
    model = built(family, config)
    losses = [model.fit_epoch() for _ in range(2)]
    assert losses[-1] is not None
    return losses[-1]


def scored(family: str, config: Configuration) -> float:
    return int(outcome(family, config).count_nonzero())


def of_the_history(family: str, config: Configuration) -> float:
    """Scores of the first learner's own courses."""
    return float(outcome(family, config)[0, ITEMS[0]].mean())


def weights(family: str, config: Configuration) -> float:
    return sum(float(t.square().sum()) for t in fitted(family, config).state().values())


def far_from_the_latest_alone(family: str, config: Configuration) -> float:
    model = fitted(family, config)
    latest = scores(model, torch.tensor([[5], [2]]), (1, 1))
    found = torch.nn.functional.cosine_similarity(scores(model), latest).mean()
    return 1 - float(found)


MORE = {
    "depth": (places, 1, 2),
    "hidden_size": (places, 8, 16),
    "embedding_size": (places, 6, 12),
    "factors": (places, 6, 12),
    "learning_rate": (way, 1e-4, 1e-2),
    "wide_learning_rate": (way, 1e-4, 1e-1),
    "dropout": (last_loss, 0.0, 0.8),
    "neighbours": (scored, 2, 8),
    "alpha": (of_the_history, 1.0, 20.0),
    "fading_weight": (far_from_the_latest_alone, 0.5, 1.0),
    "half_life_days": (far_from_the_latest_alone, 1e-6, 1.0),
}
"""With more of it there is more of that."""
LESS = {
    "batch_size": (way, 3, 30),
    "weight_decay": (weights, 0.0, 1.0),
    "regularization": (size, 0.01, 1.0),
    "history_exponent": (size_untrained, 0.0, 1.0),
}


@pytest.mark.parametrize(
    ("family", "parameter", "config"), [c for c in cases() if c[1] in {**MORE, **LESS}]
)
def test_a_parameter_moves_the_outcome_the_way_it_says(
    family: str, parameter: str, config: dict[str, Value]
) -> None:
    measure, low, high = {**MORE, **LESS}[parameter]
    if parameter == "weight_decay":
        config = {**config, "learning_rate": 0.05}  # it is of the step's size
    below, above = (measure(family, {**config, parameter: value}) for value in (low, high))
    assert below < above if parameter in MORE else below > above
