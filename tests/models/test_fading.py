"""Fading against its plain definition."""

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recsweep.data.clock import DAY
from recsweep.models.fading import (
    FadingConfig,
    RecencyConfig,
    faded_counts,
    faded_means,
    faded_sums,
    instants_of,
    on_faded_means,
)

TIME = torch.tensor([[0, 0, DAY, 3 * DAY], [5, 6, 6, 7]])


def test_by_step_every_younger_event_lets_an_event_fade_once_more() -> None:
    ages = FadingConfig(fading="step", fading_weight=0.5).ages(TIME, TIME)
    assert (ages / math.log(2)).tolist() == [[0, 1, 2, 3], [0, 1, 2, 3]]


def test_by_instant_events_of_one_microsecond_weigh_the_same() -> None:
    ages = FadingConfig(fading="instant", fading_weight=0.5).ages(TIME, TIME)
    assert (ages / math.log(2)).tolist() == [[0, 0, 1, 2], [0, 1, 1, 2]]


def test_by_time_an_event_weighs_half_after_a_half_life() -> None:
    ages = FadingConfig(fading="time", half_life_days=2).ages(TIME, TIME + 1000 * DAY)
    assert (-ages[0]).exp().tolist() == pytest.approx([1, 1, 0.5**0.5, 0.5**1.5])


def test_an_instant_is_numbered_within_its_row_and_without_times_every_event_is_one() -> None:
    assert instants_of(TIME, TIME).tolist() == [[0, 0, 1, 2], [0, 1, 1, 2]]
    assert instants_of(TIME, None).tolist() == [[0, 1, 2, 3]] * 2
    ages = FadingConfig(fading="instant", fading_weight=0.5).ages(TIME, None)
    assert (ages / math.log(2)).tolist() == [[0, 1, 2, 3]] * 2


def test_without_fading_every_event_weighs_one_whatever_else_is_said() -> None:
    config = FadingConfig(fading_weight=0.5, half_life_days=1)
    assert config.ages(TIME, None).tolist() == [[0.0] * 4] * 2
    assert config.ages(TIME, None).dtype == torch.float64
    assert not config.fades


def test_without_fading_sums_are_running_sums() -> None:
    vectors = torch.randn(2, 4, 3)
    torch.testing.assert_close(
        faded_sums(vectors, FadingConfig().ages(TIME, TIME)), vectors.cumsum(1)
    )


@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_a_weight_of_one_fades_nothing(weight: float) -> None:
    assert FadingConfig(fading="step", fading_weight=weight).fades == (weight < 1)
    assert FadingConfig(fading="instant", fading_weight=weight).fades == (weight < 1)
    assert FadingConfig(fading="time", half_life_days=1, fading_weight=weight).fades


def rows_of(time: torch.Tensor) -> Any:
    return SimpleNamespace(items=torch.zeros_like(time), time=time)


@pytest.mark.parametrize("exponent", [0, 0.5, 1])
@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_a_mean_is_the_sum_over_a_power_of_the_weights(weight: float, exponent: float) -> None:
    fading = FadingConfig(fading="step", fading_weight=weight)
    vectors = torch.randn(2, 4, 3, dtype=torch.float64)
    found = faded_means(vectors, rows_of(TIME), fading, exponent)
    for place in range(4):
        weights = weight ** torch.arange(place, -1, -1.0, dtype=torch.float64)
        plain = (weights[:, None] * vectors[:, : place + 1]).sum(1) / weights.sum() ** exponent
        torch.testing.assert_close(found[:, place], plain)
    if exponent == 1:
        assert torch.equal(faded_means(vectors, rows_of(TIME), fading), found)


def test_layers_read_each_mean_as_a_sequence_of_one() -> None:
    fading, vectors = FadingConfig(fading="time", half_life_days=2), torch.randn(2, 4, 3)
    seen = []

    def layers(inputs: torch.Tensor) -> torch.Tensor:
        seen.append(inputs.shape)
        return torch.cat((inputs, -inputs), 2)

    found = on_faded_means(layers, vectors, rows_of(TIME), fading)
    means = faded_means(vectors, rows_of(TIME), fading)
    assert seen == [(8, 1, 3)]
    assert torch.equal(found, torch.cat((means, -means), 2))


@pytest.mark.parametrize("chunk", [2, 128])
def test_past_a_rows_end_where_ages_fall_sums_stay_finite(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsweep.models.fading.CHUNK", chunk)
    ages = torch.tensor([[0.0, 1.0, -1e6, 5.0, -1e6]], dtype=torch.float64)
    assert faded_sums(torch.ones(1, 5, 1), ages).isfinite().all()


def test_sums_over_no_place_are_empty() -> None:
    assert faded_sums(torch.ones(2, 0, 3), torch.ones(2, 0)).shape == (2, 0, 3)


@given(
    longest=st.sampled_from([1, 2, 127, 128, 129, 300]),
    steps=st.floats(0.0, 3.0),
    seed=st.integers(0, 100),
)
def test_sums_in_chunks_equal_the_plain_definition(longest: int, steps: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(2, longest, 3, generator=generator, dtype=torch.float64)
    ages = (torch.rand(2, longest, generator=generator, dtype=torch.float64) * steps).cumsum(1)
    found, counts = faded_sums(vectors, ages), faded_counts(ages, torch.float64)
    for row in range(2):
        for place in {0, longest // 2, longest - 1}:
            weights = [math.exp(float(ages[row, i] - ages[row, place])) for i in range(place + 1)]
            plain = sum(w * vectors[row, i] for i, w in enumerate(weights))
            torch.testing.assert_close(found[row, place], plain)
            assert float(counts[row, place]) == pytest.approx(sum(weights))


def test_a_graph_for_export_sums_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, ages = torch.randn(2, 300, 3), torch.rand(2, 300).cumsum(1)
    plain = faded_sums(vectors, ages)
    monkeypatch.setattr("torch.onnx.is_in_onnx_export", lambda: True)
    torch.testing.assert_close(faded_sums(vectors, ages), plain)


@pytest.mark.parametrize(
    "keys", [{"fading": "step"}, {"fading": "instant"}, {"fading": "time", "fading_weight": 0.5}]
)
def test_a_choice_without_its_parameter_is_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="needs"):
        FadingConfig.model_validate(keys)


@given(
    gaps=st.lists(st.integers(0, 40 * DAY), min_size=1, max_size=8),
    fading=st.sampled_from(
        [
            {"fading": "none"},
            {"fading": "step", "fading_weight": 0.5},
            {"fading": "instant", "fading_weight": 0.6},
            {"fading": "time", "half_life_days": 0.1},
            {"fading": "time", "half_life_days": 10.0},
        ]
    ),
)
def test_where_order_must_stay_hidden_every_event_weighs_half_of_the_next_or_more(
    gaps: list[int], fading: dict[str, object]
) -> None:
    time = torch.tensor([[0, *gaps]]).cumsum(1)
    plain = FadingConfig.model_validate(fading).ages(time, time)[0]
    ages = RecencyConfig.model_validate(fading).ages(time, time)[0]
    ratios = (-ages.diff()).exp()
    torch.testing.assert_close(ratios, (-plain.diff()).exp().clamp(min=0.5))


def test_where_order_must_stay_hidden_all_else_is_as_in_other_fading() -> None:
    config = RecencyConfig(fading="step", fading_weight=0.5)
    assert (config.ages(TIME, TIME) / math.log(2)).tolist() == [[0, 1, 2, 3]] * 2
    with pytest.raises(ValidationError, match="less than or equal to"):
        RecencyConfig(fading="step", fading_weight=1.01)


def test_a_weight_that_would_tell_the_order_is_refused() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to"):
        RecencyConfig(fading="step", fading_weight=0.49)


@pytest.mark.filterwarnings("ignore:.torch.jit.trace. is deprecated")
def test_instants_are_counted_by_adding_numbers_up() -> None:
    """Of truths an exported graph can't make a sum."""
    example = torch.zeros(2, 3, dtype=torch.int64), torch.tensor([[0, 0, 1], [0, 1, 2]])
    graph = torch.jit.trace(instants_of, example).graph  # type: ignore[no-untyped-call]
    (summed,) = (node for node in graph.nodes() if node.kind() == "aten::cumsum")
    assert next(summed.inputs()).type().dtype() == torch.int64
