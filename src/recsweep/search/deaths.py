"""Workers that died under a trial: is it run again?"""

from collections import Counter, deque

from recsweep.search.proposal import Proposal

WORKERS = 1
"""Workers that may die under one trial: more speak against its configuration."""
MACHINES = 5
"""Machines that may die under one trial: more, and it would take the cluster along."""
BEGINNINGS = 5
"""Workers for one trial that may fail to begin: more, and none of the cluster's can."""
# Ray tells it in words only.
_OF_MACHINE = ("its node has died", "is unavailable: ")
_OF_BEGINNING = ("never ran", "in its creation task")


class Deaths:
    """Trials that are handed out again. For the ledger they are still open, so nothing is booked;
    each goes on from its checkpoint.

    A worker that never began says nothing of its trial, however often: that is the cluster's.
    """

    def __init__(self) -> None:
        self._again: deque[Proposal] = deque()
        self._dead: Counter[tuple[str, int]] = Counter()  # (trial, how many may)
        self._unbegun: Counter[str] = Counter()
        self.hopeless: str | None = None
        """Ray's words, once one trial's workers failed to begin more often than `BEGINNINGS`."""

    def forgive(self, proposal: Proposal, error: str) -> bool:
        """Take note of a death, by Ray's words for it; False: it was one too many."""
        if any(words in error for words in _OF_BEGINNING):
            self._unbegun[proposal.id] += 1
            if self._unbegun[proposal.id] > BEGINNINGS:
                self.hopeless = error
        else:
            may = MACHINES if any(words in error for words in _OF_MACHINE) else WORKERS
            self._dead[proposal.id, may] += 1
            if self._dead[proposal.id, may] > may:
                return False
        self._again.append(proposal)
        return True

    def next(self) -> Proposal | None:
        """A trial that is to be run again."""
        return self._again.popleft() if self._again else None
