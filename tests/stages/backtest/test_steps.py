"""The windows that a period falls into."""

import pytest
from worlds import dataset_of, events_of, experiment_of

from recsweep.data.clock import DAY
from recsweep.data.types import Cuts
from recsweep.errors import BadInput
from recsweep.stages.backtest.steps import known_at, length_of, steps_of

HOUR = DAY // 24


@pytest.mark.parametrize(
    ("every", "length"), [("1h", HOUR), ("12h", DAY // 2), ("7d", 7 * DAY), ("2w", 14 * DAY)]
)
def test_a_step_is_as_long_as_its_hours_days_or_weeks(every: str, length: int) -> None:
    assert length_of(every) == length


@pytest.mark.parametrize("every", ["0d", "-1d", "07d", "7", "d", "7m", "1.5d", "7d ", "123456h"])
def test_what_is_no_length_is_refused(every: str) -> None:
    with pytest.raises(BadInput, match=r"expected a number and h, d or w, e\.g\. 12h, 7d or 2w"):
        length_of(every)


def test_steps_meet_and_the_last_may_be_shorter() -> None:
    start = 5 * HOUR
    assert steps_of((start, start + 5 * DAY), "2d") == (
        (start, start + 2 * DAY),
        (start + 2 * DAY, start + 4 * DAY),
        (start + 4 * DAY, start + 5 * DAY),
    )
    assert steps_of((0, 4 * DAY), "2d") == ((0, 2 * DAY), (2 * DAY, 4 * DAY))


@pytest.mark.parametrize(
    ("end", "n", "fits"),
    [
        (HOUR, 1, False),
        (HOUR + 1, 2, True),
        (100 * HOUR, 100, True),
        (100 * HOUR + 1, 101, False),
    ],
)
def test_there_are_two_to_a_hundred_steps(end: int, n: int, fits: bool) -> None:
    period = (50 * HOUR, 50 * HOUR + end)
    if fits:
        assert len(steps_of(period, "1h")) == n
        return
    with pytest.raises(BadInput, match=f"makes {n} step{'s' if n > 1 else ''} of it"):
        steps_of(period, "1h")


def test_what_is_known_at_a_moment_is_all_before_it_and_the_folds_end_there() -> None:
    events = events_of([(n % 3, n % 5, n) for n in range(100)])
    experiment = experiment_of(folds={"count": 2, "validation": 0.1, "test": 0.3})
    known = known_at(80, dataset_of(events), experiment)
    assert sorted(known.development.time.tolist()) == list(range(80))
    # The last two tenths of 80 events, and no test; its end is the moment.
    assert known.cuts == Cuts(validation=((64, 72), (72, 80)), test=(80, 80))
    between = known_at(79, dataset_of(events_of([(0, 0, 2 * n) for n in range(50)])), experiment)
    assert between.cuts.validation[-1][1] == 79
    assert int(between.development.time.max()) == 78
