import math
from pathlib import Path

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsweep.config.values import Value
from recsweep.models.families.recurrent import RankingStackConfig
from recsweep.models.protocol import FamilyConfig
from recsweep.models.registry import families_of
from recsweep.spaces.files import load_space
from recsweep.spaces.parameter import Parameter
from recsweep.spaces.space import Space

GRU = load_space(Path("search_spaces/gru.yaml"), families_of("next_item"))
WIDE_DEEP = load_space(Path("search_spaces/wide_deep.yaml"), families_of("next_item"))
MF = load_space(Path("search_spaces/matrix_factorization.yaml"), families_of("next_item"))


def number(
    name: str = "p", low: float = 0, high: float = 1, *, log: bool = False, whole: bool = False
) -> Parameter:
    return Parameter(
        name=name,
        int=(int(low), int(high)) if whole else None,
        float=None if whole else (low, high),
        log=log,
        role="nuisance",
        why="a reason",
    )


def choice(
    name: str, *values: Value, when: dict[str, tuple[Value, ...]] | None = None
) -> Parameter:
    return Parameter(name=name, choice=values, when=when or {}, role="nuisance", why="a reason")


def space(*parameters: Parameter, config: type[FamilyConfig] = RankingStackConfig) -> Space:
    return Space(family="gru", parameters={p.name: p for p in parameters}, config=config)


def test_a_parameter_is_proposed_only_beside_the_values_that_it_needs() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    seen = set()
    for _ in range(60):
        config = MF.suggest(study.ask())
        seen.add(config["loss"])
        assert ("alpha" in config) == (config["loss"] == "als")
        assert ("negatives" in config) == (config["loss"] in ("sampled_softmax", "bpr"))
    assert seen == {"als", "cross_entropy", "sampled_softmax", "bpr"}


def test_the_same_draws_give_the_same_configuration_back() -> None:
    fixed = optuna.trial.FixedTrial(dict(MF.defaults))
    assert MF.suggest(fixed) == MF.defaults  # type: ignore[arg-type]


def test_a_fixed_value_is_there_only_beside_the_values_that_it_needs() -> None:
    assert MF.fixed == {"batch_unit": "events", "weight_ema_epochs": 1.0}
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(60):
        config = MF.suggest(study.ask())
        assert MF.problems(config) == []
        assert MF.fixed.keys() & config.keys() == (
            set() if config["loss"] == "als" else MF.fixed.keys()
        )


def test_where_a_fixed_value_is_not_in_use_an_old_record_may_hold_it_all_the_same() -> None:
    als, others = dict(MF.defaults), dict(MF.first()["first_trials.0"])
    assert MF.problems(als) == MF.problems({**MF.fixed, **als}) == []
    assert MF.problems({**als, "batch_unit": "windows"}) == [
        "batch_unit is fixed to 'events', found 'windows'"
    ]
    assert MF.problems({**others, "batch_unit": "events"}) == [
        "weight_ema_epochs is fixed to 1.0, found None"
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"depth": 9}, "depth = 9 is outside [1, 2]"),
        ({"depth": 1.0}, "depth = 1.0 is not a whole number"),
        ({"tied_embeddings": 1}, "tied_embeddings = 1 is not among [False, True]"),
        (
            {"negatives": 64},
            "negatives is set, but exists only when loss is sampled_softmax or bpr",
        ),
        ({"loss": "bpr"}, "negatives is missing"),
        ({"width": 3}, "width is not in this space"),
    ],
)
def test_a_configuration_from_elsewhere_is_told_why(change: dict[str, Value], problem: str) -> None:
    assert GRU.problems({**GRU.fixed, **GRU.defaults, **change}) == [problem]


def test_defaults_have_no_problem_and_fixed_values_must_hold() -> None:
    assert GRU.problems({**GRU.fixed, **GRU.defaults}) == []
    fixed = Space(family="gru", fixed={"depth": 1}, config=FamilyConfig)
    assert fixed.problems({"depth": 2})[0] == "depth is fixed to 1, found 2"


@pytest.mark.parametrize(
    ("value", "warned"), [(0.01, True), (0.049, True), (0.06, False), (0.94, False), (0.96, True)]
)
def test_a_value_in_the_outer_twentieth_is_near_the_edge(value: float, warned: bool) -> None:
    assert bool(space(number("learning_rate")).near_edge({"learning_rate": value})) == warned


def test_nearness_is_measured_on_the_ranges_own_scale() -> None:
    log = space(number("learning_rate", 1e-4, 1, log=True))
    assert log.near_edge({"learning_rate": 1.3e-4}) == [
        "learning_rate = 0.00013 is at the lower end of [0.0001, 1]: a wider range may hold a "
        "better one"
    ]
    assert not log.near_edge({"learning_rate": 2e-3})


def test_an_end_that_the_family_cannot_pass_is_no_edge() -> None:
    limited = space(number("dropout", 0, 0.5), number("depth", 1, 3, whole=True))
    assert limited.near_edge({"dropout": 0.0, "depth": 1}) == []
    assert len(limited.near_edge({"dropout": 0.5, "depth": 3})) == 2


def test_a_place_is_on_the_ranges_own_scale_or_among_the_choices() -> None:
    assert number("rate", 0.001, 0.1, log=True).position(0.01) == pytest.approx(0.5)
    assert number("n", 1, 5, whole=True).position(2) == 0.25
    assert choice("loss", "a", "b", "c").position("b") == 0.5


def test_optuna_knows_a_parameter_as_it_is_asked_for() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(20):
        trial = study.ask()
        config = MF.suggest(trial)
        for name, distribution in trial.distributions.items():
            assert MF.parameters[name].distribution() == distribution, (name, config)


def test_powers_of_two_are_equally_likely_and_are_their_own_values() -> None:
    batch = Parameter(name="batch", int=(16, 256), pow2=True, role="nuisance", why="x")
    assert batch.values() == (16, 32, 64, 128, 256)
    assert [batch.to_grid(value) for value in batch.values()] == [16, 32, 64, 128, 256]
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(sampler=sampler)
    drawn = [batch.suggest(study.ask()) for _ in range(500)]
    counts = [drawn.count(value) for value in batch.values()]
    assert sum(counts) == 500
    assert min(counts) > 70
    assert batch.problem(48) == "48 is no power of two"
    assert (batch.problem(128), batch.log, batch.size) == (None, True, 5)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(2, 16))
def test_powers_of_two_stay_what_they_are_in_any_range(low: int, more: int, n: int) -> None:
    p = Parameter(int=(2**low, 2 ** (low + more)), pow2=True, role="nuisance", why="x")
    assert [p.to_grid(v) for v in p.values()] == list(p.values())


def test_a_log_range_with_a_step_is_rounded_to_it() -> None:
    width = Parameter(name="w", int=(16, 496), log=True, step=16, role="nuisance", why="x")
    assert [width.to_grid(v) for v in (16, 23, 25, 40, 495, 496)] == [16, 16, 32, 48, 496, 496]
    rate = Parameter(name="r", float=(0.1, 0.5), log=True, step=0.1, role="nuisance", why="x")
    assert rate.to_grid(0.27) == pytest.approx(0.3)
    assert (rate.to_grid(0.5), rate.problem(0.25), width.size) == (
        0.5,
        "0.25 is not a multiple of step 0.1 above 0.1",
        31,
    )


def test_a_list_among_choices_is_one_value_for_optuna_and_layers_for_the_family() -> None:
    sizes = Parameter(name="hidden_sizes", choice=([64, 32], [128]), role="nuisance", why="x")
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    drawn = sizes.suggest(trial)
    assert sizes.choices == ("[64, 32]", "[128]")
    assert trial.params == {"hidden_sizes": drawn}
    config = {**WIDE_DEEP.fixed, **WIDE_DEEP.defaults, "hidden_sizes": "[64, 32]"}
    del config["hidden_size"], config["depth"]
    assert WIDE_DEEP.config.model_validate(config).layers == (64, 32)  # type: ignore[attr-defined]


def test_a_choice_and_a_parameter_out_of_use_have_no_edge() -> None:
    assert GRU.near_edge({"loss": "cross_entropy", "tied_embeddings": True}) == []


def test_size_counts_each_configuration_once() -> None:
    a = choice("a", "x", "y")
    b = choice("b", 1, 2, 3, when={"a": ("x",)})
    c = choice("c", True, False, when={"b": (3,)})
    assert space(a, b, c).size == 1 + (2 + 2)  # a = y; a = x with b in {1, 2}, or b = 3 and c
    assert space().size == 1
    assert space(number(low=1, high=4, whole=True)).size == 4
    assert math.isinf(space(number()).size)


def test_true_is_not_one() -> None:
    assert choice("a", False, True).problem(1)
    b = choice("b", 1, 2, when={"a": (True,)})
    assert b.active({"a": True})
    assert not b.active({"a": 1})


@given(st.floats(1e-3, 1e3), st.floats(1.01, 1e3), st.floats(0, 1), st.booleans())
def test_position_is_monotone_from_end_to_end(
    low: float, factor: float, share: float, log: bool
) -> None:
    parameter = number(low=low, high=low * factor, log=log)
    assert parameter.position(low) == 0
    assert parameter.position(low * factor) == pytest.approx(1)
    between = low + share * (parameter.high - low)
    assert -1e-9 <= parameter.position(between) <= 1 + 1e-9
