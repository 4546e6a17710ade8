import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsweep.evaluation.front import front, knee

POINTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1)


@given(POINTS)
def test_exactly_what_is_on_the_front_is_beaten_by_nothing(points: list[tuple[int, int]]) -> None:
    costs, goodness = [a for a, _ in points], [b for _, b in points]
    at = front(costs, goodness)
    for n, point in enumerate(points):
        beaten = any(
            other != point and other[0] <= point[0] and other[1] >= point[1] for other in points
        )
        first = points.index(point) == n
        assert (n in at) == (first and not beaten)
    assert [costs[n] for n in at] == sorted({costs[n] for n in at})
    assert knee(costs, goodness) in at


def test_the_knee_is_where_a_tenfold_cost_stops_paying() -> None:
    costs = [1, 10, 100, 1000, 20]
    assert knee(costs, [0.1, 0.5, 0.55, 0.6, 0.0]) == 1
    assert knee(costs, [0.1, 0.15, 0.5, 0.6, 0.0]) == 2


@pytest.mark.parametrize(
    ("costs", "goodness", "place"),
    [
        ([1], [0.1], 0),
        ([1, 2], [0.1, 0.2], 1),
        ([1, 2], [0.2, 0.1], 0),
        ([1, 10, 100], [0.1, 0.2, 0.3], 2),  # nothing is above the line
    ],
)
def test_without_a_knee_it_is_the_best(
    costs: list[float], goodness: list[float], place: int
) -> None:
    assert knee(costs, goodness) == place
