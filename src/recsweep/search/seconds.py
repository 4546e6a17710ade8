"""A budget of seconds: what each family's trials have used of it, as the journal books it."""

import logging
from collections.abc import Iterable, Mapping

from optuna.trial import FrozenTrial

from recsweep.search.trials import INTERRUPTED, epochs_of

log = logging.getLogger(__name__)

FAILURES = 10
"""Trials of a family that may fail in a row, in one session, while none of them reports an epoch:
they use no seconds, so nothing else would end them.
"""


class Seconds:
    """Of fitting and evaluating, of all sessions; `left` says whether a family gets another trial.

    Args:
        budget: of each tuned family.
        trials: by family, the earlier sessions'. They are summed in the journal's order, so that a
            replay comes to the same last bit.
    """

    def __init__(self, budget: float, trials: Mapping[str, Iterable[FrozenTrial]]) -> None:
        self._budget = budget
        self._used = {family: _booked(earlier) for family, earlier in trials.items()}
        self._failures = dict.fromkeys(trials, 0)

    def left(self, family: str) -> bool:
        """Whatever its open trials will yet use."""
        return self._used[family] < self._budget and self._failures[family] < FAILURES

    def use(self, family: str, seconds: float) -> None:
        """An epoch was booked."""
        self._used[family] += seconds
        self._failures[family] = 0

    def failed(self, family: str) -> None:
        """A trial failed."""
        self._failures[family] += 1
        if self._failures[family] == FAILURES:
            log.warning(
                "%s: %d trials in a row failed without an epoch; it gets no more in this session",
                *(family, FAILURES),
            )


def _booked(trials: Iterable[FrozenTrial]) -> float:
    counted = (trial for trial in trials if trial.user_attrs.get("reason") != INTERRUPTED)
    return sum(report.seconds for trial in counted for report in epochs_of(trial))
