from functools import cache
from pathlib import Path
from typing import Any

from sweeps import build

from recsweep.config.schema import Loss
from recsweep.models.family import Build, Builds
from recsweep.models.protocol import FamilyConfig
from recsweep.spaces.files import parse_space
from recsweep.spaces.losses import with_losses
from recsweep.spaces.space import Space


class AnyLoss(FamilyConfig):
    """Takes all that a space may propose."""

    loss: str = "als"
    alpha: float = 0
    negatives: int = 1
    calibration: float = 0
    score_penalty: float = 0
    smoothing: float = 0
    rate: float = 0
    depth: int = 1
    skip: float = 0
    unit: str = "events"
    ema: float = 0
    solver: str = "exact"


FAMILIES: Builds = {"made_up": Build(AnyLoss, build)}
SAYS = {"role": "nuisance", "why": "x"}
KEYS: dict[str, Any] = {
    "family": "made_up",
    "fixed": {"unit": "events", "ema": 1.0, "solver": "exact"},
    "fixed_when": {"ema": {"loss": ["cross_entropy"]}, "solver": {"loss": ["als"]}},
    "defaults": {"loss": "als", "alpha": 2.0, "rate": 0.5, "depth": 1},
    "first_trials": [
        {"loss": "cross_entropy", "smoothing": 0.1},
        {"loss": "cross_entropy", "smoothing": 0.2, "rate": 0.75},
        {"loss": "bpr", "negatives": 128},
    ],
    "parameters": {
        "loss": {"choice": ["als", "cross_entropy", "bpr"], **SAYS},
        "alpha": {"float": [1, 4], "when": {"loss": ["als"]}, **SAYS},
        "negatives": {"int": [100, 200], "when": {"loss": ["bpr"]}, **SAYS},
        "smoothing": {"float": [0, 1], "when": {"loss": ["cross_entropy"]}, **SAYS},
        "rate": {"float": [0, 1], **SAYS},
        "depth": {"int": [1, 2], **SAYS},
        "skip": {"float": [0, 1], "when": {"depth": [2], "loss": ["als"]}, **SAYS},
    },
}


@cache
def space() -> Space:
    return parse_space(KEYS, Path("a.yaml"), FAMILIES)


@cache
def having(*losses: Loss, own: bool = True) -> Space:
    return with_losses(space(), losses, FAMILIES, own=own)


def whens(of: Space) -> dict[str, dict[str, Any]]:
    return {name: dict(p.when) for name, p in of.parameters.items()}


def test_a_family_without_a_choice_of_losses_stays_as_it_is() -> None:
    keys = {"family": "made_up", "parameters": {"rate": {"float": [0, 1], **SAYS}}}
    plain = parse_space({**keys, "defaults": {"rate": 0.5}}, Path("a.yaml"), FAMILIES)
    assert with_losses(plain, ["bpr"], FAMILIES) is plain


def test_a_familys_own_loss_stays_a_choice_before_those_that_are_asked_for() -> None:
    assert having("gbce", "bpr").parameters["loss"].choices == ("als", "gbce", "bpr")
    assert having("gbce", "bpr", own=False).parameters["loss"].choices == ("gbce", "bpr")


def test_each_parameter_exists_beside_those_of_its_losses_that_are_left() -> None:
    """What exists with the full softmax does with all that is trained by gradient."""
    assert whens(having("gbce", "bpr")) == {
        "loss": {},
        "alpha": {"loss": ("als",)},
        "negatives": {"loss": ("gbce", "bpr")},
        "calibration": {"loss": ("gbce",)},
        "smoothing": {"loss": ("gbce", "bpr")},
        "rate": {},
        "depth": {},
        "skip": {"loss": ("als",), "depth": (2,)},
    }


def test_what_losses_share_has_the_same_range_in_every_family() -> None:
    negatives = having("gbce", "bpr").parameters["negatives"]
    assert (negatives.int, negatives.log) == ((64, 512), True)


def test_one_loss_alone_is_fixed_and_what_it_needs_is_always_there() -> None:
    one = having("cross_entropy", own=False)
    assert whens(one) == {"smoothing": {}, "rate": {}, "depth": {}}
    assert one.fixed == {"unit": "events", "ema": 1.0, "loss": "cross_entropy"}
    assert one.fixed_when == {}


def test_other_conditions_stay_where_the_loss_is_fixed() -> None:
    keys = {**KEYS, "parameters": {**KEYS["parameters"]}}
    keys["parameters"]["skip"] = {
        "float": [0, 1], "when": {"depth": [2], "loss": ["bpr"]}, **SAYS
    }  # fmt: skip
    both = parse_space(keys, Path("a.yaml"), FAMILIES)
    found = with_losses(both, ["bpr"], FAMILIES, own=False)
    assert whens(found)["skip"] == {"depth": (2,)}


def test_a_fixed_value_goes_with_its_losses() -> None:
    several = having("gbce", "bpr")
    assert several.fixed == {"unit": "events", "ema": 1.0, "solver": "exact"}
    assert several.fixed_when == {
        "ema": {"loss": ("gbce", "bpr")},
        "solver": {"loss": ("als",)},
    }
    assert having("gbce", "bpr", own=False).fixed == {"unit": "events", "ema": 1.0}


def test_defaults_keep_their_loss_if_it_is_allowed() -> None:
    assert having("gbce", "bpr").defaults == {"loss": "als", "alpha": 2.0, "rate": 0.5, "depth": 1}


def test_otherwise_they_take_the_first_loss_and_the_defaults_of_what_it_brings() -> None:
    assert having("gbce", "bpr", own=False).defaults == {
        "loss": "gbce",
        "negatives": 128,  # of the space's own first trials, before what losses share
        "calibration": 0.75,
        "smoothing": 0.1,  # of the first of them that has one
        "rate": 0.5,
        "depth": 1,
    }
    assert having("cross_entropy", own=False).defaults == {
        "smoothing": 0.1,
        "rate": 0.5,
        "depth": 1,
    }


def test_first_trials_stay_where_their_loss_is_allowed() -> None:
    assert having("gbce", "bpr").first_trials == (
        {"loss": "bpr", "negatives": 128, "smoothing": 0.1, "rate": 0.5, "depth": 1},
    )
    assert having("cross_entropy", own=False).first_trials == (
        {"smoothing": 0.1, "rate": 0.5, "depth": 1},
        {"smoothing": 0.2, "rate": 0.75, "depth": 1},
    )
    assert having("gbce", own=False).first_trials == ()
