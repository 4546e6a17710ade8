from ray.exceptions import ActorDiedError, ActorUnavailableError

from recsweep.search.deaths import BEGINNINGS, Deaths
from recsweep.search.proposal import Proposal

TRIAL = Proposal("gru-0003", "gru", 3, {}, 3, 8)
OTHER = Proposal("gru-0004", "gru", 4, {}, 4, 8)
OF_WORKER = str(ActorDiedError())
OF_MACHINE = "The actor died because its node has died. Node Id: 00ff"
NEVER_RAN = "The actor never ran - it was cancelled before it started running."
NO_SETUP = "The actor died because of an error raised in its creation task, ray::Worker()"
OF_NETWORK = str(ActorUnavailableError("no route", b"\0" * 16))


def test_a_trial_whose_worker_died_is_handed_out_once_more() -> None:
    deaths = Deaths()
    assert deaths.next() is None
    assert deaths.forgive(TRIAL, OF_WORKER)
    assert deaths.forgive(OTHER, "")  # what a worker died of may not be told
    assert (deaths.next(), deaths.next(), deaths.next()) == (TRIAL, OTHER, None)
    assert deaths.forgive(TRIAL, OF_WORKER) is False
    assert deaths.next() is None


def test_machines_that_die_do_not_count_against_a_trial_until_the_sixth() -> None:
    deaths = Deaths()
    lost = [OF_MACHINE, OF_NETWORK]
    assert all(deaths.forgive(TRIAL, lost[n % 2]) for n in range(5))
    assert deaths.forgive(TRIAL, OF_WORKER)  # the first that is its own
    assert not deaths.forgive(TRIAL, OF_MACHINE)


def test_a_worker_that_never_began_is_never_its_trials_fault_but_many_are_the_clusters() -> None:
    deaths = Deaths()
    for n in range(BEGINNINGS):
        assert deaths.forgive(TRIAL, [NEVER_RAN, NO_SETUP][n % 2])
        assert deaths.forgive(OTHER, NO_SETUP)
    assert deaths.hopeless is None
    assert deaths.forgive(TRIAL, NEVER_RAN)
    assert deaths.hopeless == NEVER_RAN
    assert deaths.forgive(TRIAL, OF_WORKER)  # its own still counts from none
