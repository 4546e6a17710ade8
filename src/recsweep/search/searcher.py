"""Ray Tune asks here for the next trial; the ledger answers."""

from typing import Any

from ray.tune.search import Searcher

from recsweep.search.ledger import Ledger


class LedgerSearcher(Searcher):  # type: ignore[misc]
    """Families take turns. How trials end is booked by the scheduler, which knows why."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    def suggest(self, trial_id: str) -> dict[str, Any] | str:
        """Ask for the next trial of the family whose turn it is."""
        family = self._ledger.next_family()
        if family is None:
            return str(Searcher.FINISHED)
        return {"proposal": self._ledger.ask(family)}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Nothing: see the class."""
