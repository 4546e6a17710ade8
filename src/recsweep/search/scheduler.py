"""Ray Tune brings reports here; the policy answers."""

import logging
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from recsweep.search.policy import Policy
from recsweep.search.proposal import Proposal
from recsweep.search.watch import Watch

log = logging.getLogger(__name__)


class PolicyScheduler(FIFOScheduler):  # type: ignore[misc]
    """Passes on what workers report.

    A journal that can't be written to ends the sweep, not the trial: nothing is booked any more.
    """

    def __init__(self, policy: Policy, watch: Watch) -> None:
        super().__init__()
        self._policy, self._watch = policy, watch

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Book a report and decide."""
        proposal: Proposal = trial.config["proposal"]
        goes_on = False
        for word in result.get("words", ()):
            log.warning("%s: %s", proposal.id, word)
        if self._watch.broken is None:
            with self._watch.writing():
                if "failure" in result:
                    self._policy.failed(proposal, result["failure"])
                else:
                    goes_on = self._take(proposal, result)
        return str(TrialScheduler.CONTINUE if goes_on else TrialScheduler.STOP)

    def _take(self, proposal: Proposal, result: dict[str, Any]) -> bool:
        """What it takes, then its epoch; each may be missing."""
        found = dict(result.get("measured", ()))
        if found and not self._policy.measured(proposal, found):
            return False
        report = result.get("report")
        return report is None or self._policy.reported(proposal, report, result["best"])
