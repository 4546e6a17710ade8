from pathlib import Path
from random import Random

import pytest
from simulated import rows, sweep
from sweeps import FAMILIES, ledger_of, lower, report_of, spaces_of, study_of

from recsweep.errors import BadInput
from recsweep.search.repeatable import BATCH, Repeatable
from recsweep.search.replay import replay

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
    for n in (1, 2, 3, 5, 8, 11):
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
    for n in (1, 2, 3, 5, 8, 11):
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
    for n in range(3):
        folder = tmp_path / str(n)
        sweep(folder, STUDY, 1 + n, Random(n))
        ledger_of(folder, STUDY, spaces_of(folder, "a", "b", "floor"), begin=False).extend(5)
        sweep(folder, STUDY, 3 - n, Random(n), deaths=2 * n)
        found.append(rows(folder, STUDY))
    assert len(found[0]) == 15 + 15 + 1
    assert found[1] == found[0]
    assert found[2] == found[0]


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


def test_a_study_can_not_change_over_to_the_other_search(tmp_path: Path) -> None:
    spaces = spaces_of(tmp_path, "a")
    for folder, first in (("one", True), ("two", False)):
        (tmp_path / folder).mkdir()
        ledger_of(tmp_path / folder, study_of("a", repeatable=first), spaces)
        with pytest.raises(BadInput, match="this study began with repeatable"):
            ledger_of(tmp_path / folder, study_of("a", repeatable=not first), spaces)
