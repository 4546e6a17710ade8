import pytest

from recsweep.records.confirmation import Estimate
from recsweep.reporting.view import estimated, signed


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-1e-17, "+0.0000"), (-0.0, "+0.0000"), (-0.00002, "−0.0000"), (-0.01234, "−0.0123")],
)
def test_a_difference_of_sums_that_cancel_has_no_minus(value: float, shown: str) -> None:
    assert signed(value) == shown


def test_a_score_of_nothing_is_no_negative_one() -> None:
    assert estimated(Estimate(-1e-17, -0.0, -0.00006)) == "0.0000 [0.0000, -0.0001]"
