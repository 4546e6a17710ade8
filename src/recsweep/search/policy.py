"""The policy of a search: which trial is next, and who goes on. Ray and a replay both ask here."""

from collections.abc import Mapping
from typing import Protocol

from recsweep.config.schema import Experiment
from recsweep.search.asynchronous import Asynchronous
from recsweep.search.ledger import Ledger
from recsweep.search.proposal import Proposal
from recsweep.search.repeatable import Repeatable
from recsweep.training.epoch import EpochReport


class Policy(Protocol):
    """Books in the ledger what it is told, and what follows from it."""

    def next(self) -> Proposal | None:
        """What a free worker is to do; None: nothing until something is reported."""
        ...

    def finished(self) -> bool:
        """Is there nothing left to hand out, now or later, even if an open trial's worker dies?"""
        ...

    def reported(
        self, proposal: Proposal, report: EpochReport, best: EpochReport | None = None
    ) -> bool:
        """Take an epoch; False: the worker is done with this proposal.

        Args:
            proposal: as `next` gave it.
            report: of the epoch.
            best: the trial's best epoch, with its learners' scores, if this is the last one: see
                `is_over`.
        """
        ...

    def measured(self, proposal: Proposal, found: Mapping[str, float]) -> bool:
        """Take what a configuration takes, before its first epoch; False: it is refused, and the
        worker is done with it.
        """
        ...

    def failed(self, proposal: Proposal, reason: str) -> None:
        """Take note that a trial can't go on."""
        ...


def policy_of(ledger: Ledger, experiment: Experiment) -> Policy:
    """As the experiment asks for it, with everything that the ledger already holds."""
    return (Repeatable if experiment.repeatable else Asynchronous)(ledger, experiment)
