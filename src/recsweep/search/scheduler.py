"""Which trials go on: asynchronous successive halving within each family (Li et al. 2020, ASHA), or
those that don't lag behind (`lag.py`).
"""

from types import SimpleNamespace
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, TrialScheduler

from recsweep.config.schema import Experiment
from recsweep.search.lag import Lag
from recsweep.search.ledger import Ledger, Proposal
from recsweep.search.trials import finished, trial_id
from recsweep.training.trial import EpochReport


class FamilyScheduler(FIFOScheduler):  # type: ignore[misc]
    """Books every report and every end in the ledger; learning curves never cross families.

    A rung of the halving compares the current cross-validated means, not the best so far: a curve
    that has turned down has no claim on more epochs. A trial that reaches its full length is
    complete, whatever the rule says of it.
    """

    def __init__(self, ledger: Ledger, experiment: Experiment) -> None:
        super().__init__()
        self._ledger, self._stopping = ledger, experiment.stopping
        self._rule = {family: _rule(experiment) for family in experiment.families}
        for family in experiment.families:
            self._replay(family)

    def _replay(self, family: str) -> None:
        """Earlier sessions' trials stand on the rungs as if this session had seen them."""
        for past in finished(self._ledger.trials(family)):
            stand_in = SimpleNamespace(trial_id=trial_id(family, past.user_attrs["number"]))
            self._rule[family].on_trial_add(None, stand_in)
            for epoch, value in sorted(past.intermediate_values.items()):
                self._climb(family, stand_in, epoch, value)

    def _climb(self, family: str, trial: Any, epoch: int, value: float) -> bool:
        """Tell the rule of a report; it answers whether the trial may go on."""
        result = {"epoch": epoch, "value": value}
        decision = self._rule[family].on_trial_result(None, trial, result)
        return bool(decision != TrialScheduler.STOP)

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Enter a trial in its family's rule."""
        self._rule[trial.config["proposal"].family].on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Book a report and decide."""
        proposal: Proposal = trial.config["proposal"]
        if "failure" in result:
            self._ledger.fail(proposal.id, result["failure"])
            return str(TrialScheduler.STOP)
        report: EpochReport = result["report"]
        self._ledger.report(proposal.id, report)
        if report.epoch >= result["epochs"]:
            self._ledger.complete(proposal.id)
            return str(TrialScheduler.STOP)
        goes_on = self._climb(proposal.family, trial, report.epoch, report.value)
        if goes_on or proposal.number < self._stopping.full_trials:
            return str(TrialScheduler.CONTINUE)
        self._ledger.prune(proposal.id)
        return str(TrialScheduler.STOP)


def _rule(experiment: Experiment) -> AsyncHyperBandScheduler | Lag:
    stopping, lower_is_better = experiment.stopping, experiment.metric.lower_is_better
    if stopping.rule == "lag":
        return Lag(stopping, -1.0 if lower_is_better else 1.0)
    return AsyncHyperBandScheduler(
        time_attr="epoch",
        metric="value",
        mode="min" if lower_is_better else "max",
        max_t=experiment.budget.epochs,
        grace_period=stopping.grace_epochs,
        reduction_factor=stopping.reduction,
    )
