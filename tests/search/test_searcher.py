import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from recsweep.search.searcher import PolicySearcher
from recsweep.search.watch import Watch


def searcher(proposal: Any, *, again: Any = None, finished: bool = False) -> PolicySearcher:
    """Of a policy that proposes this, and a worker's death that has another trial begun again."""

    def propose() -> Any:
        if isinstance(proposal, OSError):
            raise proposal
        return proposal

    policy: Any = SimpleNamespace(next=propose, finished=lambda: finished)
    watch = Watch(policy, Path("study"), 60, threading.Event())
    watch.deaths.next = lambda: again  # type: ignore[method-assign]
    return PolicySearcher(policy, watch)


def test_a_free_worker_gets_what_the_policy_proposes() -> None:
    assert searcher("gru-0001").suggest("t") == {"proposal": "gru-0001"}


def test_a_trial_whose_worker_died_comes_first() -> None:
    assert searcher("gru-0001", again="gru-0000").suggest("t") == {"proposal": "gru-0000"}


def test_where_the_policy_has_nothing_yet_the_worker_waits() -> None:
    assert searcher(None).suggest("t") is None


def test_a_finished_search_hands_out_nothing() -> None:
    assert searcher("gru-0001", again="gru-0000", finished=True).suggest("t") == "FINISHED"


def test_a_journal_that_cannot_be_written_to_ends_the_search() -> None:
    full = searcher(OSError(28, "No space left on device"))
    assert full.suggest("t") == "FINISHED"
    assert full._watch.broken is not None
    broken = searcher("gru-0001")
    broken._watch.broken = OSError(28, "No space left on device")
    assert broken.suggest("t") == "FINISHED"
