"""The repeatable search: what is tried and who is stopped doesn't depend on what finishes first.

A family's trials come in batches. A batch is asked for when all earlier trials of the family have
ended, each of its suggestions with a seed of its own. Its trials wait for each other at every rung
(successive halving, Jamieson & Talwalkar 2016): when all have got there or failed, those below the
cut among all of the family's values at this rung, earlier batches' included, are stopped. Families
don't wait for each other, unless `stopping.study` judges them together before each batch. A waiting
trial is a checkpoint and holds no worker.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

from recsweep.config.schema import Experiment
from recsweep.search.ledger import Ledger
from recsweep.search.proposal import Proposal
from recsweep.search.stopping import rungs
from recsweep.training.epoch import EpochReport

BATCH = 4
"""Trials that are asked for together. A larger batch waits less and learns less."""


class Repeatable:
    """A `Policy`."""

    def __init__(self, ledger: Ledger, experiment: Experiment) -> None:
        self._ledger, self._turns = ledger, ledger.turns
        self._reduction = experiment.stopping.reduction
        self._rungs, self._goodness = rungs(experiment), experiment.metric.goodness
        self._ready: deque[Proposal] = deque()
        self._batch: dict[str, dict[str, Proposal]] = {}  # family -> its open trials
        self._until: dict[str, int] = {}  # trial -> the epoch that it is on its way to
        self._waiting: dict[str, int] = {}  # trial -> the rung that it waits at
        for family in ledger.families:
            self._take_up(family)

    def _take_up(self, family: str) -> None:
        """Go on with a batch that was cut off, wherever each of its trials was."""
        ledger, open_ = self._ledger, self._batch.setdefault(family, {})
        if left := ledger.cut_off(family):
            marks = [t.user_attrs["batch"] for t in left if "batch" in t.user_attrs]
            first, end = marks[0] if marks else self._next_batch(family)
            for _ in left:
                proposal = ledger.ask(family, (first, end))
                open_[proposal.id] = proposal
            self._fill(family, first, end)
        for proposal in open_.values():
            last = max(ledger.values(proposal.id), default=0)
            if last in self._rungs and not ledger.is_over(proposal, ledger.values(proposal.id)):
                self._waiting[proposal.id] = last
            else:
                self._hand_out(proposal)
        self._settle(family)

    def open(self, family: str) -> None:
        """Ask for a family's next batch."""
        self._fill(family, *self._next_batch(family))
        for proposal in self._batch[family].values():
            self._hand_out(proposal)

    def _next_batch(self, family: str) -> tuple[int, int]:
        first = self._turns.started(family)
        return first, first + min(BATCH, self._turns.lacking(family))

    def _fill(self, family: str, first: int, end: int) -> None:
        while self._turns.started(family) < end:
            proposal = self._ledger.ask(family, (first, end))
            self._batch[family][proposal.id] = proposal

    def _hand_out(self, proposal: Proposal) -> None:
        """Up to the next rung, or to the end."""
        last = max(self._ledger.values(proposal.id), default=0)
        length = self._ledger.length(proposal.family)
        stop = next((rung for rung in self._rungs if last < rung < length), length)
        self._until[proposal.id] = stop
        measured = proposal.measured or last > 0
        self._ready.append(replace(proposal, until=stop, measured=measured))

    def next(self) -> Proposal | None:
        """The trial that has waited longest for a worker."""
        for family, open_ in self._batch.items():
            if not open_ and self._turns.lacking(family) and not self._turns.waits(family):
                self.open(family)
        return self._ready.popleft() if self._ready else None

    def finished(self) -> bool:
        """Is every family done, to its last trial?"""
        return self._turns.remaining() == 0 and not any(self._batch.values())

    def reported(
        self, proposal: Proposal, report: EpochReport, best: EpochReport | None = None
    ) -> bool:
        """Book an epoch; at a rung, wait."""
        ledger, family, id_ = self._ledger, proposal.family, proposal.id
        ledger.report(id_, report)
        if best is not None:
            ledger.complete(id_, best)
            del self._batch[family][id_]
        elif report.epoch < self._until[id_]:
            return True
        else:
            self._waiting[id_] = report.epoch
        self._settle(family)
        return False

    def measured(self, proposal: Proposal, found: Mapping[str, float]) -> bool:
        """Book it; the others need not wait for one that is refused."""
        inside = self._ledger.measured(proposal.id, found)
        if not inside:
            self._leave(proposal)
        return inside

    def failed(self, proposal: Proposal, reason: str) -> None:
        """Book a failure; the others need not wait for it."""
        self._ledger.fail(proposal.id, reason)
        self._leave(proposal)

    def _leave(self, proposal: Proposal) -> None:
        del self._batch[proposal.family][proposal.id]
        self._settle(proposal.family)

    def _settle(self, family: str) -> None:
        """Decide at a rung that all open trials of the batch have reached."""
        open_ = self._batch[family]
        waiting = {id_: self._waiting[id_] for id_ in open_ if id_ in self._waiting}
        if not waiting:
            return
        rung = min(waiting.values())
        if any(rung not in self._ledger.values(id_) for id_ in open_):
            return
        at_rung = [
            self._goodness(trial.intermediate_values[rung])
            for trial in self._ledger.trials(family)
            if rung in trial.intermediate_values
        ]
        cut = cut_of(at_rung, self._reduction)
        for id_, reached in waiting.items():
            if reached != rung:
                continue
            del self._waiting[id_]
            proposal = open_[id_]
            protected = self._ledger.is_protected(proposal)
            if protected or self._goodness(self._ledger.values(id_)[rung]) >= cut:
                self._hand_out(proposal)
            else:
                self._ledger.prune(id_)
                del open_[id_]


def cut_of(goodness: Sequence[float], reduction: int) -> float:
    """Who is at least this good goes on: the best, and of the others one in `reduction`.

    It cuts where the quantile 1 - 1/`reduction` does, which is interpolated: by rounding, that may
    lie just above one that it should equal.
    """
    return sorted(goodness, reverse=True)[(len(goodness) - 1) // reduction]
