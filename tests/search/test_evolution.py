from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial
from ranges import parameter, space

from recsweep.search import evolution
from recsweep.search.evolution import CmaEs
from recsweep.spaces.space import Space

RATE = parameter("rate", float=(0.01, 1), log=True)
DROPOUT = parameter("dropout", float=(0, 0.5))
LOSS = parameter("loss", choice=["a", "b"])
NEGATIVES = parameter("negatives", int=(1, 9), when={"loss": ["b"]})
TWO = space(RATE, DROPOUT, LOSS, NEGATIVES)
SIZE = 6
"""Of a population in two dimensions: Hansen's 4 + ⌊3 ln n⌋."""


@dataclass
class Recorder:
    """In place of the package's: what it is made with and told."""

    mean: Any
    sigma: float
    bounds: Any
    seed: int
    population_size: int
    told: list[list[tuple[list[float], float]]] = field(default_factory=list)

    def tell(self, solutions: Any) -> None:
        assert len(solutions) == self.population_size
        self.told.append([(x.tolist(), value) for x, value in solutions])

    def ask(self) -> Any:
        return np.array([0.5, 0.2])


def sampled(
    monkeypatch: pytest.MonkeyPatch,
    *values: float | None,
    direction: Literal["minimize", "maximize"] = "minimize",
) -> tuple[dict[str, Any], Recorder | None]:
    """After trials with these values; None: one that failed. Their dropouts count them."""
    made: list[Recorder] = []

    def make(*args: Any, **keys: Any) -> Recorder:
        made.append(Recorder(*args, **keys))
        return made[-1]

    monkeypatch.setattr(evolution, "CMA", make)
    study = optuna.create_study(direction=direction)
    for number, value in enumerate(values):
        study.add_trial(
            create_trial(
                state=TrialState.FAIL if value is None else TrialState.COMPLETE,
                value=value,
                params={"rate": 0.1, "dropout": number / 100, "loss": "a"},
                distributions={p.name: p.distribution() for p in (RATE, DROPOUT, LOSS)},
            )
        )
    trial: Any = None
    sampler = CmaEs(TWO, 7)
    found = sampler.sample_relative(study, trial, sampler.infer_relative_search_space(study, trial))
    return found, made[0] if made else None


def joint(of: Space) -> set[str]:
    nothing: Any = None
    return {*CmaEs(of, 0).infer_relative_search_space(nothing, nothing)}


def test_ranges_that_always_exist_are_drawn_jointly() -> None:
    assert joint(TWO) == {"rate", "dropout"}


def test_one_range_alone_is_drawn_at_random() -> None:
    assert joint(space(RATE, LOSS, NEGATIVES)) == set()
    study = optuna.create_study(sampler=CmaEs(space(RATE), 0))
    for _ in range(3):
        study.tell(study.ask({"rate": RATE.distribution()}), 0.5)


def test_before_a_trial_is_complete_there_is_nothing_to_begin_around(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert sampled(monkeypatch) == ({}, None)
    assert sampled(monkeypatch, None, None) == ({}, None)


def test_what_is_drawn_is_a_place_on_each_ranges_own_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    found, made = sampled(monkeypatch, 0.3)
    assert found == {"rate": pytest.approx(0.1), "dropout": pytest.approx(0.1)}
    assert made is not None
    assert (made.seed, made.population_size, made.sigma) == (7, SIZE, 0.25)
    assert made.bounds.tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize(("direction", "best"), [("minimize", 2), ("maximize", 4)])
def test_it_begins_around_the_best_of_the_first_population(
    monkeypatch: pytest.MonkeyPatch, direction: Literal["minimize", "maximize"], best: int
) -> None:
    """The seventh trial, the best or the worst of all, comes too late."""
    late = 0.0 if direction == "minimize" else 1.0
    values = (0.5, 0.4, 0.2, 0.3, 0.9, 0.6, late)
    _, made = sampled(monkeypatch, *values, direction=direction)
    assert made is not None
    assert made.mean.tolist() == pytest.approx([0.5, best / 50])


@pytest.mark.parametrize(("trials", "steps"), [(5, 0), (6, 1), (11, 1), (12, 2), (13, 2)])
def test_it_takes_a_step_for_each_whole_population_of_complete_trials(
    monkeypatch: pytest.MonkeyPatch, trials: int, steps: int
) -> None:
    values = [None, *(n / 100 for n in range(1, trials + 1))]
    _, made = sampled(monkeypatch, *values)
    assert made is not None
    assert len(made.told) == steps
    told = [value for population in made.told for _, value in population]
    assert told == [n / 100 for n in range(1, SIZE * steps + 1)]


def test_more_is_better_where_the_study_maximises(monkeypatch: pytest.MonkeyPatch) -> None:
    """CMA-ES itself minimises."""
    _, made = sampled(monkeypatch, *(n / 10 for n in range(6)), direction="maximize")
    assert made is not None
    assert [value for _, value in made.told[0]] == [-n / 10 for n in range(6)]
