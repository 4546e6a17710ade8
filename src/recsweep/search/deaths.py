"""Workers that died under a trial: is it run again?"""

from collections import Counter, deque

from recsweep.search.ledger import Proposal

WORKERS = 1
"""Workers that may die under one trial: more speak against its configuration."""
MACHINES = 5
"""Machines that may die under one trial: more, and it would take the cluster along."""
_OF_MACHINE = ("its node has died", "is unavailable: ", "never ran")  # Ray tells it in words only


class Deaths:
    """Trials that are handed out again. For the ledger they are still open, so nothing is booked;
    each goes on from its checkpoint.
    """

    def __init__(self) -> None:
        self._again: deque[Proposal] = deque()
        self._dead: Counter[tuple[str, bool]] = Counter()  # (trial, whether its machine died)

    def forgive(self, proposal: Proposal, error: str) -> bool:
        """Take note of a death, by Ray's words for it; False: it was one too many."""
        machine = any(words in error for words in _OF_MACHINE)
        self._dead[proposal.id, machine] += 1
        if self._dead[proposal.id, machine] > (MACHINES if machine else WORKERS):
            return False
        self._again.append(proposal)
        return True

    def next(self) -> Proposal | None:
        """A trial that is to be run again."""
        return self._again.popleft() if self._again else None
