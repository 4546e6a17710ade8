from types import SimpleNamespace
from typing import Any

import pytest
from optuna.trial import FrozenTrial, create_trial
from ranges import parameter, space

from recsweep.errors import BadInput
from recsweep.search import designs
from recsweep.search.designs import Grid, Sobol, cells, check_grid

RATE = parameter("rate", float=(0.01, 1), log=True)
DEPTH = parameter("depth", int=(1, 2))
LOSS = parameter("loss", choice=["a", "b"])
NEGATIVES = parameter("negatives", int=(1, 9), when={"loss": ["b"]})


def told(number: int) -> FrozenTrial:
    """One that did not ask the sampler."""
    return create_trial(value=0.0, user_attrs={"number": number}, system_attrs={"fixed_params": {}})


def test_a_grids_levels_run_from_end_to_end_on_the_ranges_own_scale() -> None:
    assert [cell["rate"] for cell in cells(space(RATE), 3)] == pytest.approx([0.01, 0.1, 1])
    assert [cell["rate"] for cell in cells(space(RATE), 2)] == pytest.approx([0.01, 1])


def test_a_range_with_fewer_values_than_levels_has_each_once() -> None:
    assert cells(space(DEPTH), 5) == [{"depth": 1}, {"depth": 2}]


def test_a_choice_has_all_its_values_and_what_it_switches_off_has_none() -> None:
    assert cells(space(LOSS, NEGATIVES), 3) == [
        {"loss": "a"},
        {"loss": "b", "negatives": 1},
        {"loss": "b", "negatives": 5},
        {"loss": "b", "negatives": 9},
    ]
    assert cells(space(), 3) == [{}]


def test_a_grid_may_have_as_many_cells_as_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(designs, "MOST_CELLS", 4)
    assert len(cells(space(LOSS, DEPTH), 2)) == 4
    with pytest.raises(BadInput, match="a grid of a with 5 levels has more than 4 conf"):
        cells(space(RATE), 5)


def test_each_seed_has_an_order_of_its_own_and_keeps_it() -> None:
    def order(seed: int) -> list[Any]:
        grid = Grid(space(RATE, LOSS), 6, seed)
        return [grid.point(place) for place in range(12)]

    assert order(0) == order(0)
    assert order(0) != order(1)
    assert order(0) != cells(space(RATE, LOSS), 6)


def test_a_grid_is_large_enough_with_those_that_are_tried_before_it() -> None:
    first = [told(0), told(1), create_trial(value=0.0, user_attrs={"number": 2})]
    check_grid(space(RATE), 3, first, 5)
    with pytest.raises(
        BadInput, match="has 3 configurations, and 2 are tried before it, too few for 6 trials"
    ):
        check_grid(space(RATE), 3, first, 6)


def test_a_family_without_parameters_needs_no_grid() -> None:
    check_grid(space(), 3, (), 9)


def test_a_sobol_point_is_the_same_whether_or_not_those_before_it_were_asked_for() -> None:
    """The first 2 ** k points have one in each of as many equal parts."""
    points = [Sobol(space(RATE, LOSS), seed=3).point(place) for place in range(8)]
    positions = sorted(RATE.position(point["rate"]) for point in points)
    assert [int(8 * position) for position in positions] == list(range(8))
    assert points == [Sobol(space(RATE, LOSS), seed=3).point(place) for place in range(8)]
    assert points[0] != Sobol(space(RATE, LOSS), seed=4).point(0)


def test_a_design_answers_for_all_parameters() -> None:
    nothing: Any = None
    known = Grid(space(LOSS, NEGATIVES), 3, 0).infer_relative_search_space(nothing, nothing)
    assert known == {"loss": LOSS.distribution(), "negatives": NEGATIVES.distribution()}
    with pytest.raises(AssertionError, match="loss is in every point"):
        Grid(space(LOSS), 3, 0).sample_independent(nothing, nothing, "loss", LOSS.distribution())


@pytest.mark.parametrize(
    ("first", "drawn", "place"),
    [
        ([], [], 0),
        ([0, 1], [], 0),  # they were told what to try
        ([0, 1], [2, 3, 4], 3),
        ([], [0, 1], 2),
        ([0, 1], [2, 2], 1),  # a trial that was asked for again after a death
        ([0, 1, 2], [], 0),
    ],
)
def test_a_design_goes_by_a_trials_place_after_those_that_were_told_what_to_try(
    first: list[int], drawn: list[int], place: int
) -> None:
    trials = [told(number) for number in first]
    trials += [create_trial(value=0.0, user_attrs={"number": number}) for number in drawn]
    trials += [create_trial(value=0.0)]  # its driver died before it had a number
    study: Any = SimpleNamespace(_get_trials=lambda deepcopy: trials)
    sobol = Sobol(space(RATE, LOSS), seed=1)
    assert sobol.sample_relative(study, trials[0], {}) == sobol.point(place)


def test_the_first_point_of_all_is_the_sequences_first() -> None:
    study: Any = SimpleNamespace(_get_trials=lambda deepcopy: [])
    trial: Any = None
    grid = Grid(space(LOSS, DEPTH), 2, seed=1)
    assert grid.sample_relative(study, trial, {}) == grid.point(0)


def test_in_a_journal_from_before_first_trials_had_numbers_the_first_point_is_the_first() -> None:
    first = create_trial(value=0.0, system_attrs={"fixed_params": {}})
    study: Any = SimpleNamespace(_get_trials=lambda deepcopy: [first])
    grid = Grid(space(LOSS, DEPTH), 2, seed=1)
    assert grid.sample_relative(study, first, {}) == grid.point(0)
