"""A budget of seconds; made-up trials take .015 s an epoch, .06 s in all."""

from pathlib import Path
from random import Random

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial
from simulated import rows, sweep
from sweeps import FAMILIES, folds_of, ledger_of, report_of, spaces_of, within

from recsweep.config.schema import Experiment
from recsweep.search.asynchronous import Asynchronous
from recsweep.search.ledger import Ledger
from recsweep.search.replay import replay
from recsweep.search.seconds import FAILURES, Seconds

FULL = (0.1, 0.2, 0.3, 0.4)


def opened(folder: Path, experiment: Experiment) -> Ledger:
    return ledger_of(folder, experiment, spaces_of(folder, *experiment.families))


def run(ledger: Ledger, family: str, values: tuple[float, ...] = FULL) -> None:
    id_ = ledger.ask(family).id
    for epoch, value in enumerate(values, 1):
        ledger.report(id_, report_of(epoch, value))
    ledger.complete(id_, report_of(4, 0.4, folds_of()))


def used(folder: Path, experiment: Experiment, family: str) -> float:
    return sum(row.seconds for row in rows(folder, experiment) if row.family == family)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("deaths", [0, 4])
def test_families_go_on_until_their_seconds_are_used_and_finish_what_they_began(
    tmp_path: Path, workers: int, deaths: int
) -> None:
    experiment = within(0.3, "a", "b", "floor")
    sessions = sweep(tmp_path, experiment, workers, Random(deaths), deaths)
    for family in ("a", "b"):
        assert 0.3 <= used(tmp_path, experiment, family) < 0.3 + workers * 0.06
    assert sum(row.family == "floor" for row in rows(tmp_path, experiment)) == 1
    found = replay(tmp_path, FAMILIES)
    assert (found.difference, found.sessions) == (None, sessions)
    assert found.ends == len(rows(tmp_path, experiment))


def test_seconds_that_earlier_sessions_used_count(tmp_path: Path) -> None:
    experiment = within(0.1, "a")
    for _ in range(2):
        ledger = opened(tmp_path, experiment)
        assert ledger.turns.next_family() == "a"
        run(ledger, "a")
    assert opened(tmp_path, experiment).turns.remaining() == 0


def test_a_trial_that_was_cut_off_is_finished_though_its_family_has_no_seconds_left(
    tmp_path: Path,
) -> None:
    experiment = within(0.02, "a")
    dead = opened(tmp_path, experiment)
    lost = dead.ask("a")
    for epoch in (1, 2):
        dead.report(lost.id, report_of(epoch, 0.1))
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a"), begin=False)
    assert ledger.turns.remaining() == 1  # asked before the session has begun
    ledger.begin()
    assert ledger.turns.next_family() == "a"
    assert ledger.ask("a").id == lost.id
    assert ledger.turns.next_family() is None


def test_more_seconds_are_no_other_study(tmp_path: Path) -> None:
    run(opened(tmp_path, within(0.05, "a")), "a")
    assert opened(tmp_path, within(0.05, "a")).turns.remaining() == 0
    assert opened(tmp_path, within(0.1, "a")).turns.next_family() == "a"


def test_a_family_whose_trials_all_fail_at_once_comes_to_an_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = opened(tmp_path, within(1.0, "a"))
    policy, trials = Asynchronous(ledger, within(1.0, "a")), 0
    while not policy.finished():
        proposal = policy.next()
        assert proposal is not None
        trials += 1
        if trials == 2:
            policy.reported(proposal, report_of(1, 0.1))  # those before it are forgotten
        policy.failed(proposal, "no memory")
    assert trials == 1 + FAILURES
    assert "a: 10 trials in a row failed" in caplog.text
    assert opened(tmp_path, within(1.0, "a")).turns.remaining()  # who resumes may have mended it


def test_a_trial_beyond_the_seconds_is_found_by_a_replay(tmp_path: Path) -> None:
    sweep(tmp_path, within(0.3, "a"), 1, Random(1))
    journal = tmp_path / "optuna.log"
    text = journal.read_text()
    assert '"seconds":0.3' in text
    journal.write_text(text.replace('"seconds":0.3', '"seconds":0.1'))
    assert "by the rules no trial is due" in str(replay(tmp_path, FAMILIES).difference)


def test_a_family_that_has_used_exactly_its_seconds_gets_no_more() -> None:
    seconds = Seconds(0.5, {"a": [], "b": []})
    seconds.use("a", 0.25)
    assert seconds.left("a")
    seconds.use("a", 0.25)
    assert not seconds.left("a")
    assert seconds.left("b")


def trial(*seconds: float, **attrs: object) -> FrozenTrial:
    """Each epoch took so long, half of it to evaluate."""
    epochs = {
        f"epoch {n}": {"metrics": {}, "losses": [], "fit_seconds": s / 2, "evaluate_seconds": s / 2}
        for n, s in enumerate(seconds, 1)
    }
    values = dict.fromkeys(range(1, len(seconds) + 1), 0.1)
    attrs = {**epochs, **attrs}
    return create_trial(state=TrialState.FAIL, user_attrs=attrs, intermediate_values=values)


def test_what_earlier_sessions_used_is_the_sum_of_their_epochs_but_for_what_was_no_trial() -> None:
    earlier = [trial(0.25, 0.25), trial(), trial(0.25), trial(9.0, reason="interrupted")]
    seconds = Seconds(1.0, {"a": earlier, "b": [trial(1.0, reason="diverged")]})
    assert [seconds.left("a"), seconds.left("b")] == [True, False]
    seconds.use("a", 0.125)
    assert seconds.left("a")
    seconds.use("a", 0.125)
    assert not seconds.left("a")


def test_failures_count_while_no_epoch_is_booked_and_are_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seconds = Seconds(1.0, {"a": [], "b": []})
    for _ in range(FAILURES - 1):
        seconds.failed("a")
    assert seconds.left("a")
    seconds.use("a", 0.25)
    for _ in range(FAILURES):
        assert seconds.left("a")
        assert not caplog.text
        seconds.failed("a")
    assert [seconds.left("a"), seconds.left("b")] == [False, True]
    seconds.failed("a")
    assert caplog.text.count("10 trials in a row failed") == 1
    for _ in range(FAILURES):
        assert seconds.left("b")
        seconds.failed("b")
    assert not seconds.left("b")
