"""The figures' parts: scales, labels, marks, importance, turned verdicts."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from recsweep.evaluation.comparison import compare
from recsweep.records.selection import Selection
from recsweep.records.study import Study, TrialRow
from recsweep.reporting.charts.intervals import verdict_scale
from recsweep.reporting.charts.marks import Mark
from recsweep.reporting.charts.parallel import parallel
from recsweep.reporting.charts.scatter import place_names
from recsweep.reporting.charts.svg import Scale, path, spread, tag
from recsweep.reporting.sections.importance import importances
from recsweep.reporting.view import View, interval

POSITIVE = st.floats(1e-6, 1e6)


@given(POSITIVE, POSITIVE, st.booleans())
def test_ticks_lie_within_the_range_and_rise(a: float, b: float, log: bool) -> None:
    low, high = min(a, b), max(a, b) * 1.01
    ticks = Scale(low, high, 0, 100, log).ticks()
    assert ticks == sorted(set(ticks))
    near = 2e-3 * high if log else 1e-6 * (high - low)
    assert all(low - near <= tick <= high + near for tick in ticks)
    assert 3 <= len(ticks) <= 6


def test_a_log_scale_puts_equal_ratios_apart_equally() -> None:
    x = Scale(1, 100, 0, 10, log=True)
    assert [x(1), x(10), x(100)] == pytest.approx([0, 5, 10])


def test_a_range_without_width_puts_its_value_in_the_middle() -> None:
    assert Scale(0.5, 0.5, 0, 10)(0.5) == 5


@given(st.lists(st.floats(0, 200), min_size=1, max_size=8))
def test_labels_keep_their_distance_and_their_order(wanted: list[float]) -> None:
    placed = spread(wanted, 12, 0, 200)
    ordered = sorted(placed)
    assert all(b - a >= 12 - 1e-6 for a, b in pairwise(ordered))
    assert [i for _, i in sorted(zip(placed, range(len(placed)), strict=True))] == sorted(
        range(len(wanted)), key=lambda n: wanted[n]
    )
    assert max(placed) <= 200 + 1e-6


def test_labels_with_room_stay_where_they_are() -> None:
    assert spread([50, 10, 90], 12, 0, 100) == [50, 10, 90]


def test_names_hide_no_mark_if_they_can_help_it() -> None:
    marks = [(100.0, 100.0), (112.0, 100.0), (100.0, 112.0)]
    for (x, y), width in zip(place_names(marks, [60.0] * 3), [60.0] * 3, strict=True):
        box = (x, y - 6, x + width, y + 6)
        for a, b in marks:
            inside = box[0] < a + 5 and a - 5 < box[2] and box[1] < b + 5 and b - 5 < box[3]
            assert not inside


def test_text_and_attributes_are_escaped() -> None:
    assert tag("text", "<b>", label='"') == Markup('<text label="&#34;">&lt;b&gt;</text>')


def test_small_negative_numbers_lose_their_sign_with_their_digits() -> None:
    assert path([(-0.01, 1.25), None, (3.0, 4.0)]) == "M0 1.2M3 4"


def test_no_two_of_twenty_families_look_alike() -> None:
    looks = set()
    for n in range(20):
        mark = Mark(n)
        shape = mark.at(0, 0).replace(mark.colour, "")
        looks.add((mark.colour, mark.dash, shape))
    assert len(looks) == 20


def test_importance_finds_the_parameter_that_decides(make_study: Callable[..., Study]) -> None:
    study = make_study(40, {"gru": "gru"})
    found = importances(study.spaces["gru"], list(study.trials), float)
    assert found is not None
    assert next(iter(found.shares)) == "learning_rate"
    assert sum(found.shares.values()) == pytest.approx(1)
    assert "negatives" not in found.shares  # only some trials have it
    assert found.stopped == 0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_importance_takes_stopped_trials_where_few_are_complete(
    make_study: Callable[..., Study], sign: float
) -> None:
    study = make_study(40, {"gru": "gru"})
    complete = [t for t in study.trials if t.state == "complete"]
    few = [t for t in study.trials if t.state == "pruned" or t in complete[:5]]
    turned = [_times(t, sign) for t in few]  # of a metric where less is better
    found = importances(study.spaces["gru"], turned, lambda value: sign * value)
    assert found is not None
    assert (found.complete, found.stopped) == (5, len(few) - 5)
    assert next(iter(found.shares)) == "learning_rate"


def _times(trial: TrialRow, sign: float) -> TrialRow:
    epochs = tuple(replace(epoch, value=sign * epoch.value) for epoch in trial.epochs)
    return replace(trial, epochs=epochs, lower_is_better=sign < 0)


def test_importance_keeps_silent_below_ten_trials(make_study: Callable[..., Study]) -> None:
    study = make_study(9, {"gru": "gru"})
    assert importances(study.spaces["gru"], list(study.trials), float) is None


def test_importance_keeps_silent_where_every_trial_scored_the_same(
    make_study: Callable[..., Study],
) -> None:
    study = make_study(30, {"gru": "gru"})
    complete = [t for t in study.trials if t.state == "complete"]
    same = [replace(t, epochs=complete[0].epochs) for t in complete]
    assert importances(study.spaces["gru"], same, float) is None


def test_a_parameter_that_a_trial_lacks_breaks_its_line(
    make_study: Callable[..., Study], selection_of: Callable[[Study], Selection]
) -> None:
    study = make_study(12, {"gru": "gru"})
    view = View(study, selection_of(study), "en")
    drawn = parallel(view, "gru")
    assert drawn is not None
    with_all = next(t for t in study.trials if "negatives" in t.config and t.best)
    without = next(t for t in study.trials if "negatives" not in t.config and t.best)
    for trial, strokes in ((with_all, 1), (without, 2)):
        group = drawn.split(f'data-trial="{trial.id}">')[1].split("</g>")[0]
        d = group.split('class="trial')[0].rsplit('d="', 1)[1]
        assert d.count("M") == strokes


def test_a_verdict_turned_twice_is_the_same_and_once_the_opposite() -> None:
    random = np.random.default_rng(0)
    values = {"a": random.normal(1, 0.1, (3, 50)), "b": random.normal(0, 0.1, (3, 50))}
    (verdict,) = compare(values, 0.01, 1000, seed=0)
    turned = verdict.turned()
    assert turned.turned() == verdict
    assert (verdict.outcome, turned.outcome) == ("better", "worse")
    assert turned.lower <= turned.difference <= turned.upper < 0
    assert math.isclose(verdict_scale([verdict])(0), 110)
    assert interval(turned).startswith("−1.")
