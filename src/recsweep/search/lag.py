"""Stopping what lags behind: a trial against the best score that its family had at that epoch."""

from typing import Any

from ray.tune.schedulers import TrialScheduler

from recsweep.config.schema import Stopping


class Lag:
    """Hears a family's reports as one of Ray's schedulers does, and answers as one.

    From `grace_epochs` on a trial goes on while its best score so far is at most `lag` (a share;
    one entry an epoch, the last one for all later epochs) behind the best score that any trial of
    the family, this one included, reported at the same epoch or before.
    """

    def __init__(self, stopping: Stopping, sign: float) -> None:
        self._grace, self._lag = stopping.grace_epochs, stopping.lag
        self._sign = sign  # -1 where a lower value is better
        self._best_at: dict[int, float] = {}
        self._best_of: dict[str, float] = {}

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """A trial that starts again, after its worker died, starts from nothing."""
        self._best_of.pop(trial.trial_id, None)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Stop or go on."""
        epoch, value = result["epoch"], self._sign * result["value"]
        mine = max(value, self._best_of.get(trial.trial_id, value))
        self._best_of[trial.trial_id] = mine
        self._best_at[epoch] = max(value, self._best_at.get(epoch, value))
        best = max(best for at, best in self._best_at.items() if at <= epoch)
        if epoch < self._grace:
            return str(TrialScheduler.CONTINUE)
        allowed = self._lag[min(epoch - self._grace, len(self._lag) - 1)]
        behind = mine < best - allowed * abs(best)
        return str(TrialScheduler.STOP if behind else TrialScheduler.CONTINUE)
