"""What was searched before may not have seen what is sealed now."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from recsweep.data.manifest import Moment
from recsweep.data.overlap import overlap


def manifest(fingerprint: str, sealed: int, rule: str = "time", *, timed: bool = True) -> Any:
    return cast(
        Any,
        SimpleNamespace(
            fingerprint=fingerprint,
            fold_rule=SimpleNamespace(rule=rule),
            data=SimpleNamespace(timed=timed),
            sealed_test=SimpleNamespace(start=Moment.at(sealed)),
        ),
    )


NOW = manifest("now", 100)


@pytest.mark.parametrize(
    ("earlier", "said"),
    [
        (manifest("now", 100), None),
        (manifest("now", 999), None),  # the same events under the same cuts
        (manifest("before", 99), None),
        (manifest("before", 100), None),  # it was scored on what lies before
        (manifest("before", 101), "its trials were scored on data up to "),
        (manifest("before", 50, rule="sessions"), None),
        (manifest("before", 50, rule="learners"), "without a cut of the clock in both nobody can"),
        (manifest("before", 50, timed=False), "without a cut of the clock in both nobody can tell"),
    ],
)
def test_trials_of_data_that_reach_into_the_sealed_test_are_told(
    earlier: Any, said: str | None
) -> None:
    found = overlap(earlier, NOW)
    assert (found is None) == (said is None)
    assert (said or "") in (found or "")


def test_a_sealed_test_that_no_clock_cuts_may_have_been_seen_by_any_other_data() -> None:
    assert overlap(manifest("before", 50), manifest("now", 100, rule="learners")) is not None
