from pathlib import Path
from random import Random

import numpy as np
import pytest
from simulated import rows, sweep
from sweeps import FAMILIES, folds_of, ledger_of, lower, report_of, spaces_of, study_of

from recsweep.errors import BadInput
from recsweep.search.ledger import Ledger
from recsweep.search.proposal import Proposal
from recsweep.search.repeatable import BATCH, Repeatable, cut_of
from recsweep.search.replay import replay

FOLDS = folds_of()
STUDY = study_of("a", "b", "floor", trials=10, epochs=6, repeatable=True)


def test_neither_workers_nor_their_order_nor_deaths_change_a_trial(tmp_path: Path) -> None:
    sweep(tmp_path / "one", STUDY, 1, Random(0))
    undisturbed = rows(tmp_path / "one", STUDY)
    assert [row.id for row in undisturbed] == [
        *(f"a-{n:04d}" for n in range(10)),
        *(f"b-{n:04d}" for n in range(10)),
        "floor-0000",
    ]
    assert {row.state for row in undisturbed} == {"complete", "pruned", "failed"}
    for n in (2, 5, 11):
        folder = tmp_path / str(n)
        sessions = sweep(folder, STUDY, 1 + n % 4, Random(n), deaths=n)
        assert sessions > n // 3
        assert rows(folder, STUDY) == undisturbed


def test_patience_ends_the_same_trials_whatever_dies(tmp_path: Path) -> None:
    experiment = study_of(
        "a",
        **{"trials": 12, "epochs": 6, "repeatable": True},
        stopping={"grace_epochs": 1, "reduction": 2, "full_trials": 4, "patience": 2},
    )
    sweep(tmp_path / "one", experiment, 1, Random(0))
    undisturbed = rows(tmp_path / "one", experiment)
    lengths = {len(row.epochs) for row in undisturbed if row.state == "complete"}
    assert lengths == {4, 6}
    for n in (3, 11):
        folder = tmp_path / str(n)
        sweep(folder, experiment, 1 + n % 4, Random(n), deaths=n)
        assert rows(folder, experiment) == undisturbed


def test_limits_refuse_the_same_trials_whatever_finishes_first_and_whatever_dies(
    tmp_path: Path,
) -> None:
    study = study_of("a", "floor", trials=5, epochs=2, repeatable=True, limits={"parameters": 450})
    sweep(tmp_path / "one", study, 1, Random(0))
    undisturbed = rows(tmp_path / "one", study)
    refused = [row for row in undisturbed if row.state == "refused"]
    assert refused
    assert all(float(row.config["x"]) > 0.45 and not row.epochs for row in refused)
    trained = [float(row.config.get("x", 0)) for row in undisturbed if row not in refused]
    assert max(trained) <= 0.45
    assert len(undisturbed) - len(refused) == 5 + 1
    for n in (1, 4):
        folder = tmp_path / str(n)
        sweep(folder, study, n, Random(n), deaths=3)
        assert rows(folder, study) == undisturbed
        assert replay(folder, FAMILIES).difference is None


def test_an_extension_goes_on_in_batches_whatever_finishes_first(tmp_path: Path) -> None:
    found = []
    for n in (0, 2):
        folder = tmp_path / str(n)
        sweep(folder, STUDY, 1 + n, Random(n))
        ledger_of(folder, STUDY, spaces_of(folder, "a", "b", "floor"), begin=False).turns.extend(5)
        sweep(folder, STUDY, 3 - n, Random(n), deaths=2 * n)
        found.append(rows(folder, STUDY))
    assert len(found[0]) == 15 + 15 + 1
    assert found[1] == found[0]


def test_a_batch_is_asked_for_when_all_before_it_have_ended(tmp_path: Path) -> None:
    experiment = study_of("a", trials=12, epochs=2, repeatable=True)
    policy = Repeatable(ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a")), experiment)
    batch = [policy.next() for _ in range(BATCH)]
    assert all(proposal is not None for proposal in batch)
    assert policy.next() is None
    assert not policy.finished()


@pytest.mark.parametrize(
    ("values", "less_is_better", "stopped"),
    [
        ((0.0, 0.1, 0.2, 0.3), False, [0, 1]),
        ((0.0, 0.1, 0.2, 0.3), True, [2, 3]),
        ((0.1, 0.1, 0.1, 0.1), False, []),  # nobody is worse than the cut
        ((0.2, 0.2, 0.0, 0.2), False, [2]),
        ((0.2, 0.2, 0.0, 0.2), True, []),
        ((0.3, 0.3, 0.2, 0.2), True, [0, 1]),
    ],
)
def test_of_those_at_a_rung_the_worse_are_stopped_and_the_rest_go_on(
    tmp_path: Path, values: tuple[float, ...], less_is_better: bool, stopped: list[int]
) -> None:
    experiment = study_of(
        "a",
        trials=8,
        epochs=4,
        repeatable=True,
        stopping={"grace_epochs": 2, "reduction": 2, "full_trials": 0},
    )
    experiment = lower(experiment) if less_is_better else experiment
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a"))
    policy = Repeatable(ledger, experiment)
    batch = [policy.next() for _ in range(BATCH)]
    for n, proposal in enumerate(batch):
        assert proposal is not None
        assert proposal.until == 2
        for epoch in (1, 2):
            report = report_of(epoch, values[n])
            assert policy.reported(proposal, report) == (epoch == 1)
        assert (policy.next() is None) == (n < 3)  # all wait for the last
    pruned = [t.user_attrs["number"] for t in ledger.trials("a") if t.state.name == "PRUNED"]
    assert pruned == stopped


@pytest.mark.parametrize("reduction", [2, 3, 4, 6, 7])
def test_the_best_goes_on_and_of_the_others_one_in_so_many_however_many_there_are(
    reduction: int,
) -> None:
    random = np.random.default_rng(0)
    for n in range(1, 50):
        goodness = random.random(n).tolist()
        cut, quantile = cut_of(goodness, reduction), np.quantile(goodness, 1 - 1 / reduction)
        goes_on = [value for value in goodness if value >= cut]
        assert len(goes_on) == 1 + (n - 1) // reduction
        if (n - 1) % reduction == 0:  # the quantile is a trial's own value, but for rounding
            assert cut == pytest.approx(quantile)
        else:
            assert goes_on == [value for value in goodness if value >= quantile]


def search(
    folder: Path, trials: int = 6, epochs: int = 4, **changes: object
) -> tuple[Ledger, Repeatable]:
    """One family, rungs after epochs 1 and 2, the lower half of each stopped from the first on."""
    stopping = {"grace_epochs": 1, "reduction": 2, "full_trials": 0}
    experiment = study_of(
        "a", trials=trials, epochs=epochs, repeatable=True, **{"stopping": stopping, **changes}
    )
    ledger = ledger_of(folder, experiment, spaces_of(folder, "a"))
    return ledger, Repeatable(ledger, experiment)


def handed_out(policy: Repeatable) -> list[Proposal]:
    return list(iter(policy.next, None))


def told(proposals: list[Proposal]) -> list[tuple[int, int, bool]]:
    return [(each.number, each.until, each.measured) for each in proposals]


def states(ledger: Ledger) -> list[str]:
    return [trial.state.name for trial in ledger.trials("a")]


def test_batches_of_four_and_the_rest_go_from_rung_to_rung_in_the_order_they_wait(
    tmp_path: Path,
) -> None:
    ledger, policy = search(tmp_path)
    first = handed_out(policy)
    assert told(first) == [(n, 1, False) for n in range(4)]
    for proposal, value in zip(reversed(first), (0.4, 0.3, 0.2, 0.1), strict=True):
        assert policy.next() is None
        assert not policy.reported(proposal, report_of(1, value, FOLDS))
    assert states(ledger) == ["PRUNED", "PRUNED", "RUNNING", "RUNNING"]
    second = handed_out(policy)
    assert told(second) == [(2, 2, True), (3, 2, True)]
    assert not policy.reported(second[0], report_of(2, 0.5, FOLDS))
    assert not policy.reported(second[1], report_of(2, 0.4, FOLDS))  # below the middle of two
    (last,) = handed_out(policy)
    assert told([last]) == [(2, 4, True)]
    assert policy.reported(last, report_of(3, 0.5, FOLDS))
    assert not policy.finished()
    assert not policy.reported(last, report_of(4, 0.5, FOLDS), report_of(4, 0.5, FOLDS))
    batch = handed_out(policy)
    assert told(batch) == [(4, 1, False), (5, 1, False)]
    assert [trial.user_attrs["batch"] for trial in ledger.trials("a")] == [[0, 4]] * 4 + [
        [4, 6]
    ] * 2
    # The middle of .1 .2 .3 .4 and .24 .26 is .25: earlier batches' scores count.
    policy.reported(batch[0], report_of(1, 0.24))
    policy.reported(batch[1], report_of(1, 0.26))
    assert states(ledger)[4:] == ["PRUNED", "RUNNING"]
    assert not policy.finished()  # none is lacking, but one is open
    (rest,) = handed_out(policy)
    policy.failed(rest, "no memory")
    assert policy.finished()
    assert policy.next() is None


def test_who_fails_or_is_refused_keeps_nobody_waiting(tmp_path: Path) -> None:
    ledger, policy = search(tmp_path, trials=4, limits={"parameters": 100})
    one, two, three, four = handed_out(policy)
    for proposal, size, inside in ((one, 50, True), (two, 50, True), (three, 50, True)):
        assert policy.measured(proposal, {"parameters": size}) == inside
    policy.reported(one, report_of(1, 0.4))
    policy.reported(two, report_of(1, 0.1))
    assert handed_out(policy) == []
    policy.failed(three, "no memory")
    assert handed_out(policy) == []
    assert not policy.measured(four, {"parameters": 200})
    assert told(handed_out(policy)) == [(0, 2, True)]
    assert states(ledger)[:4] == ["RUNNING", "PRUNED", "FAIL", "PRUNED"]


def test_who_fails_while_it_waits_is_out_of_the_comparison(tmp_path: Path) -> None:
    ledger, policy = search(tmp_path, trials=2)
    one, two = handed_out(policy)
    policy.reported(one, report_of(1, 0.4))
    policy.failed(one, "its checkpoint is lost")
    policy.reported(two, report_of(1, 0.5))
    assert states(ledger) == ["FAIL", "RUNNING"]
    assert told(handed_out(policy)) == [(1, 2, True)]


def test_a_session_goes_on_with_a_batch_wherever_each_of_its_trials_was(tmp_path: Path) -> None:
    ledger, policy = search(tmp_path, trials=8)
    one, two, three, four = handed_out(policy)
    for proposal, value in ((one, 0.4), (two, 0.3), (three, 0.2), (four, 0.5)):
        policy.reported(proposal, report_of(1, value))
    assert states(ledger) == ["RUNNING", "PRUNED", "PRUNED", "RUNNING"]
    for _ in range(2):  # first at the same rung, then one of them at the next
        again, policy = search(tmp_path, trials=8)
        went_on = handed_out(policy)
        assert told(went_on) == [(0, 2, True), (3, 2, True)]
    policy.reported(went_on[0], report_of(2, 0.4))
    again, policy = search(tmp_path, trials=8)
    (behind,) = handed_out(policy)  # the other waits at the second rung
    assert told([behind]) == [(3, 2, True)]
    policy.reported(behind, report_of(2, 0.3))
    assert states(again) == ["RUNNING", "PRUNED", "PRUNED", "PRUNED"]
    again, policy = search(tmp_path, trials=8)
    assert told(handed_out(policy)) == [(0, 4, True)]


@pytest.mark.parametrize("batch", [(0, 4), None])
def test_a_batch_of_which_not_all_were_asked_for_is_filled(
    tmp_path: Path, batch: tuple[int, int] | None
) -> None:
    """A driver died meanwhile, or was of a version that kept no batches."""
    dead, _ = search(tmp_path, trials=8)
    dead.ask("a", batch)
    dead.ask("a", batch)
    ledger, policy = search(tmp_path, trials=8)
    assert told(handed_out(policy)) == [(n, 1, False) for n in range(4)]
    asked = [trial.user_attrs.get("batch") for trial in ledger.trials("a")]
    assert asked == [batch and list(batch)] * 2 + [[0, 4]] * 2


def test_a_trial_whose_patience_had_ended_when_its_driver_died_is_handed_out_for_its_end(
    tmp_path: Path,
) -> None:
    stopping = {"grace_epochs": 2, "reduction": 2, "full_trials": 0, "patience": 1}
    _, policy = search(tmp_path, trials=2, stopping=stopping)
    one, _ = handed_out(policy)
    ledger, _ = search(tmp_path, trials=2, stopping=stopping)
    ledger.report(one.id, report_of(1, 0.4))
    ledger.report(one.id, report_of(2, 0.3))
    _, policy = search(tmp_path, trials=2, stopping=stopping)
    assert told(handed_out(policy)) == [(0, 4, True), (1, 2, False)]


def test_a_study_can_not_change_over_to_the_other_search(tmp_path: Path) -> None:
    spaces = spaces_of(tmp_path, "a")
    for folder, first in (("one", True), ("two", False)):
        (tmp_path / folder).mkdir()
        ledger_of(tmp_path / folder, study_of("a", repeatable=first), spaces)
        with pytest.raises(BadInput, match="this study began with repeatable"):
            ledger_of(tmp_path / folder, study_of("a", repeatable=not first), spaces)
