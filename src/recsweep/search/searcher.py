"""Ray Tune asks here for the next trial; the policy answers."""

from typing import Any

from ray.tune.search import Searcher

from recsweep.search.policy import Policy
from recsweep.search.watch import Watch


class PolicySearcher(Searcher):  # type: ignore[misc]
    """How trials end is booked by the scheduler, which knows why."""

    def __init__(self, policy: Policy, watch: Watch) -> None:
        super().__init__()
        self._policy, self._watch = policy, watch

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Ask for the next trial; None: none until another has reported."""
        if self._watch.broken is None:
            with self._watch.writing():
                if not self._policy.finished():
                    proposal = self._watch.deaths.next() or self._policy.next()
                    return None if proposal is None else {"proposal": proposal}
        return str(Searcher.FINISHED)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Nothing: see the class."""
