"""The default search: no worker waits. Asynchronous successive halving (Li et al. 2020, ASHA), or
those go on that don't lag behind (`lag.py`), or that may well end as the best (`forecast.py`).
"""

from collections.abc import Mapping
from types import SimpleNamespace

from optuna.trial import TrialState
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from recsweep.config.schema import Experiment
from recsweep.search.forecast import Forecast
from recsweep.search.lag import Lag
from recsweep.search.ledger import Ledger
from recsweep.search.proposal import Proposal
from recsweep.search.trials import epochs_of, finished, trial_id
from recsweep.training.epoch import EpochReport


class Asynchronous:
    """A `Policy`. Families take turns; learning curves never cross families.

    A rung of the halving compares the current cross-validated means, not the best so far: a curve
    that has turned down has no claim on more epochs. A trial that is over is complete,
    whatever the rule says of it.
    """

    def __init__(self, ledger: Ledger, experiment: Experiment) -> None:
        self._ledger = ledger
        self._known: set[str] = set()  # to their family's rule
        self._rule = {family: _rule(experiment) for family in ledger.families}
        for family in ledger.families:
            self._stand_on_rungs(family)

    def _stand_on_rungs(self, family: str) -> None:
        """Earlier sessions' trials stand on the rungs as if this session had seen them."""
        for past in (*finished(self._ledger.trials(family)), *self._ledger.cut_off(family)):
            id_ = trial_id(family, past.user_attrs["number"])
            for report in epochs_of(past):
                self._climb(family, id_, report)
            self._leave(family, id_, past.state)

    def _leave(self, family: str, id_: str, state: TrialState) -> None:
        """Tell the forecast how a trial ended; the other rules judge by reports alone."""
        rule = self._rule[family]
        if isinstance(rule, Forecast) and state.is_finished():
            rule.ended(id_, complete=state == TrialState.COMPLETE)

    def _climb(self, family: str, id_: str, report: EpochReport) -> bool:
        """Tell the rule of a report; it answers whether the trial may go on."""
        rule, trial = self._rule[family], SimpleNamespace(trial_id=id_)
        epoch, value = report.epoch, report.value
        if isinstance(rule, Forecast):
            return rule.hear(id_, epoch, value, report.fit_seconds + report.evaluate_seconds)
        if id_ not in self._known:
            self._known.add(id_)
            rule.on_trial_add(None, trial)
        decision = rule.on_trial_result(None, trial, {"epoch": epoch, "value": value})
        return bool(decision != TrialScheduler.STOP)

    def next(self) -> Proposal | None:
        """The next trial of the family whose turn it is."""
        family = self._ledger.turns.next_family()
        return None if family is None else self._ledger.ask(family)

    def finished(self) -> bool:
        """Does no family lack a trial, and is none open? Its worker may die."""
        return self._ledger.turns.next_family() is None and not self._ledger.running

    def reported(
        self, proposal: Proposal, report: EpochReport, best: EpochReport | None = None
    ) -> bool:
        """Book an epoch, and decide on it at once."""
        id_ = proposal.id
        new = self._ledger.report(id_, report)
        if best is not None:
            if new and isinstance(self._rule[proposal.family], Forecast):
                self._climb(proposal.family, id_, report)
            self._ledger.complete(id_, best)
            self._leave(proposal.family, id_, TrialState.COMPLETE)
            return False
        if not new or self._climb(proposal.family, id_, report):
            return True
        if self._ledger.is_protected(proposal):
            return True
        self._ledger.prune(id_)
        self._leave(proposal.family, id_, TrialState.PRUNED)
        return False

    def measured(self, proposal: Proposal, found: Mapping[str, float]) -> bool:
        """Book it."""
        return self._ledger.measured(proposal.id, found)

    def failed(self, proposal: Proposal, reason: str) -> None:
        """Book a failure."""
        self._ledger.fail(proposal.id, reason)
        self._leave(proposal.family, proposal.id, TrialState.FAIL)


def _rule(experiment: Experiment) -> AsyncHyperBandScheduler | Lag | Forecast:
    stopping, lower_is_better = experiment.stopping, experiment.metric.lower_is_better
    if stopping.rule == "lag":
        return Lag(stopping, -1.0 if lower_is_better else 1.0)
    if stopping.rule == "forecast":
        return Forecast(stopping, experiment.budget.epochs, lower_is_better)
    return AsyncHyperBandScheduler(
        time_attr="epoch",
        metric="value",
        mode="min" if lower_is_better else "max",
        max_t=experiment.budget.epochs,
        grace_period=stopping.grace_epochs,
        reduction_factor=stopping.reduction,
    )
