import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsweep.config.schema import Folds
from recsweep.data.cuts import resolve_cuts
from recsweep.errors import BadInput

RULE = Folds(count=2, validation=0.2, test=0.2)


def test_windows_are_consecutive_and_end_where_the_test_starts() -> None:
    cuts = resolve_cuts(np.arange(100), RULE)
    assert cuts.validation == ((40, 60), (60, 80))
    assert cuts.test == (80, 100)


def test_the_order_of_the_times_does_not_matter() -> None:
    times = np.random.default_rng(0).permutation(100)
    assert resolve_cuts(times, RULE) == resolve_cuts(np.arange(100), RULE)


def test_a_share_that_floats_cannot_hold_still_cuts_where_it_says() -> None:
    cuts = resolve_cuts(np.arange(1000), Folds(count=3, validation=0.1, test=0.2))
    assert cuts.validation == ((500, 600), (600, 700), (700, 800))


def test_events_of_one_microsecond_fall_together_into_the_later_period() -> None:
    times = np.array([1, 2, 3, 4, 5, 5, 5, 5, 9, 10])
    cuts = resolve_cuts(times, Folds(count=1, validation=0.3, test=0.2))
    assert cuts.validation == ((5, 9),)
    assert (times < 5).sum() == 4


def test_a_test_has_an_event_however_small_its_share_is() -> None:
    cuts = resolve_cuts(np.arange(10), Folds(count=1, validation=0.5, test=0.01))
    assert cuts.validation == ((5, 9),)
    assert cuts.test == (9, 10)


def test_a_cut_is_rounded_to_the_nearest_event() -> None:
    cuts = resolve_cuts(np.arange(9) * 10, Folds(count=1, validation=0.3, test=0.3))
    assert cuts.validation == ((40, 60),)  # 3.6 and 6.3 events lie before
    assert cuts.test == (60, 81)


def test_an_empty_window_names_its_fold_and_what_to_change() -> None:
    times = np.array([1, 2, 3, 4, 6, 6, 6, 6, 6, 6])
    with pytest.raises(BadInput, match=r"fold0 of 2 .* empty .* raise folds\.validation or lower"):
        resolve_cuts(times, RULE)
    with pytest.raises(BadInput, match=r"fold1 of 2 .* share the time 1970-01-01T00:00:00\.000006"):
        resolve_cuts(np.array([1, 2, 3, 4, 5, 5, 6, 6, 6, 6]), RULE)


@pytest.mark.parametrize("times", [[7], [7, 7, 7], [7, 7, 7, 7, 8, 9]])
def test_a_log_with_nothing_before_the_first_cut_is_refused(times: list[int]) -> None:
    with pytest.raises(BadInput, match="fold0 of 2 has nothing to train on"):
        resolve_cuts(np.array(times), RULE)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=80))
def test_every_event_lies_in_one_period_and_no_period_is_empty(values: list[int]) -> None:
    times = np.array(values)
    try:
        cuts = resolve_cuts(times, RULE)
    except BadInput:
        return
    bounds = [cuts.validation[0], cuts.validation[1], cuts.test]
    inside = [int(((times >= start) & (times < end)).sum()) for start, end in bounds]
    before = int((times < cuts.validation[0][0]).sum())
    assert min(*inside, before) > 0
    assert sum(inside) + before == len(times)
