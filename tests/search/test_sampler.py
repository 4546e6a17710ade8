import hashlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from ranges import parameter, space
from simulated import rows, sweep
from sweeps import FAMILIES, ledger_of, spaces_of, study_of
from worlds import experiment_of

from recsweep.errors import BadInput
from recsweep.models.registry import families_of
from recsweep.search.designs import Grid, Sobol, cells, check_grid
from recsweep.search.evolution import CmaEs
from recsweep.search.replay import replay
from recsweep.search.sampler import session_sampler, trial_sampler
from recsweep.spaces.files import load_space
from recsweep.spaces.space import Space

SAMPLERS = ("gp", "cma_es", "random", "sobol", "grid")
ITEM_KNN = load_space(Path("search_spaces/item_knn.yaml"), families_of("next_item"))
GRU = load_space(Path("search_spaces/gru.yaml"), families_of("next_item"))


def seed_of(words: str) -> int:
    """The first four bytes of the words' SHA-256."""
    return int(hashlib.sha256(words.encode()).hexdigest()[:8], 16)


TWO = space(parameter("x", float=(0, 1)), parameter("y", float=(0, 1)))


def drawn(sampler: BaseSampler) -> list[dict[str, Any]]:
    """Fifteen configurations, by scores that lead the sampler somewhere."""
    study, found = optuna.create_study(sampler=sampler), []
    for _ in range(15):
        trial = study.ask()
        found.append(TWO.suggest(trial))
        study.tell(trial, (trial.params["x"] - trial.params["y"]) ** 2)
    return found


@pytest.mark.parametrize(
    ("budget", "at_random"),
    [
        *[({"trials": n}, first) for n, first in ((1, 3), (7, 3), (8, 4), (20, 10), (99, 10))],
        ({"seconds": 50}, 6),  # as of twelve trials, the default
    ],
)
def test_the_default_sampler_is_optunas_tpe_with_half_a_budget_at_random_three_to_ten(
    budget: dict[str, int], at_random: int
) -> None:
    experiment = experiment_of(families={"a": "a.yaml"}, budget=budget, seed=5)
    wanted = TPESampler(multivariate=True, n_startup_trials=at_random, seed=seed_of("5 a 2"))
    assert drawn(session_sampler(experiment, "a", TWO, 2)) == drawn(wanted)
    of_number = TPESampler(
        multivariate=True, n_startup_trials=at_random, seed=seed_of("5 a trial 2")
    )
    assert drawn(trial_sampler(experiment, "a", TWO, 2)) == drawn(of_number)


def test_a_sampler_draws_by_the_seed_the_family_and_what_there_is() -> None:
    def sampler(name: str, trials: int = 2) -> Any:
        experiment = study_of("a", trials=16, seed=5, search={"sampler": name, "levels": 4})
        return session_sampler(experiment, "a", TWO, trials)

    random = RandomSampler(seed=seed_of("5 a 2"))
    assert drawn(sampler("random")) == drawn(random)
    # A design is the same in every session: a trial's place is all that it goes by.
    for name, wanted in (
        ("sobol", Sobol(TWO, seed_of("5 a"))),
        ("grid", Grid(TWO, 4, seed_of("5 a"))),
    ):
        for trials in (2, 9):
            found = sampler(name, trials)
            assert [found.point(n) for n in range(4)] == [wanted.point(n) for n in range(4)]
    cma_es, gp = sampler("cma_es"), sampler("gp")
    assert isinstance(cma_es, CmaEs)
    assert cma_es._seed == seed_of("5 a 2")
    assert isinstance(gp, GPSampler)
    assert gp._n_startup_trials == 8
    assert not gp._warn_independent_sampling  # of parameters that exist beside some choices only


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_repeatable_search_is_the_same_whatever_happens_and_follows_from_its_journal(
    tmp_path: Path, sampler: str
) -> None:
    search = {"sampler": sampler, "levels": 9}
    study = study_of("a", trials=7, epochs=2, repeatable=True, search=search)
    sweep(tmp_path / "quiet", study, 1, Random(1))
    sessions = sweep(tmp_path / "busy", study, 4, Random(2), deaths=2)
    assert rows(tmp_path / "busy", study) == rows(tmp_path / "quiet", study)
    found = replay(tmp_path / "busy", FAMILIES)
    assert (found.difference, found.ends, found.sessions) == (None, 7, sessions)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_each_proposes_what_the_space_holds_and_not_the_same_twice(
    tmp_path: Path, sampler: str
) -> None:
    """By turns, two trials at a time; conditional parameters and choices among them."""
    study = study_of("a", trials=8, search={"sampler": sampler})
    ledger = ledger_of(tmp_path, study, {"a": ITEM_KNN})
    running, seen = [ledger.ask("a")], []
    for number in range(8):
        running.append(ledger.ask("a"))
        proposal = running.pop(0)
        assert ITEM_KNN.problems(proposal.config) == []
        seen.append(tuple(sorted(proposal.config.items())))
        ledger._end(ledger._running[proposal.id], optuna.trial.TrialState.COMPLETE, number / 9)
    assert len(set(seen)) == 8


def test_sobol_points_fill_a_space_more_evenly_than_chance() -> None:
    sobol = Sobol(GRU, seed=1)
    rates = [GRU.parameters["learning_rate"].position(v) for v in _drawn(sobol, "learning_rate")]
    counts, _ = np.histogram(rates, bins=8, range=(0, 1))
    assert counts.tolist() == [4] * 8
    losses = [str(value) for value in _drawn(sobol, "loss")]
    assert sorted(losses.count(loss) for loss in set(losses)) in ([10, 11, 11], [10, 10, 12])


def _drawn(sobol: Sobol, name: str) -> list[float]:
    return [sobol.point(place)[name] for place in range(32)]  # type: ignore[misc]


def test_a_grid_has_each_configuration_once_and_in_another_order_for_another_seed() -> None:
    found = cells(ITEM_KNN, 3)
    # Neighbours, times weightings without and with k1 and b, times fadings without a number, two
    # with a weight, and one with a half-life.
    assert len(found) == 3 * (2 + 9) * (1 + 2 * 3 + 3)
    assert len({tuple(sorted(cell.items())) for cell in found}) == len(found)
    neighbours = ITEM_KNN.parameters["neighbours"]
    ends = {neighbours.low, neighbours.at(0.5), neighbours.high}
    assert {cell["neighbours"] for cell in found} == ends
    grids = [Grid(ITEM_KNN, 3, seed) for seed in (0, 1)]
    orders = [[grid.point(place) for place in range(len(found))] for grid in grids]
    assert orders[0] != orders[1]
    assert all(sorted(map(str, order)) == sorted(map(str, found)) for order in orders)


def test_a_grid_that_is_too_small_or_too_large_is_refused(tmp_path: Path) -> None:
    space = spaces_of(tmp_path, "a")["a"]
    check_grid(space, 12, (), 12)
    with pytest.raises(BadInput, match="with 11 levels has 11 configurations, and 0 are tried"):
        check_grid(space, 11, (), 12)
    with pytest.raises(BadInput, match="with 6 levels has more than 20000 configurations"):
        cells(GRU, 6)


def test_cma_es_comes_nearer_to_the_best_of_a_smooth_surface_than_chance() -> None:
    ranges = {n: p for n, p in GRU.parameters.items() if not p.choices and not p.when}

    def least(sampler: Callable[[int], BaseSampler]) -> float:
        study = optuna.create_study()
        study.enqueue_trial(dict(GRU.defaults))
        for number in range(100):
            study.sampler = sampler(number)
            trial = study.ask()
            config = GRU.suggest(trial)
            study.tell(trial, sum((p.position(config[n]) - 0.3) ** 2 for n, p in ranges.items()))
        return study.best_value

    assert least(lambda n: CmaEs(GRU, n)) < 0.5 * least(lambda n: RandomSampler(seed=n))


def test_the_sampler_of_a_study_that_has_begun_stays(tmp_path: Path) -> None:
    spaces: dict[str, Space] = spaces_of(tmp_path, "a")
    ledger_of(tmp_path, study_of("a"), spaces)
    with pytest.raises(BadInput, match=r"began with search absent, now it is \{'sampler': 'gp'\}"):
        ledger_of(tmp_path, study_of("a", search={"sampler": "gp"}), spaces)
