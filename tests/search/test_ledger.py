import math
import warnings
from pathlib import Path

import optuna
import pytest
import torch
from optuna.trial import TrialState
from sweeps import folds_of, ledger_of, lower, report_of, spaces_of, study_of

from recsweep.models.registry import families_of
from recsweep.records.user_values import read_user_values
from recsweep.search.ledger import Ledger
from recsweep.search.storage import open_storage
from recsweep.search.trials import trial_rows
from recsweep.spaces.files import load_space
from recsweep.tracking.events import EpochReported, Event, TrialEnded, TrialStarted
from recsweep.training.trial import Checkpoint


def run(ledger: Ledger, family: str, values: tuple[float, ...] = (0.1, 0.3, 0.2)) -> str:
    proposal = ledger.ask(family)
    for epoch, value in enumerate(values, 1):
        ledger.report(proposal.id, report_of(epoch, value, folds_of()))
    ledger.complete(proposal.id, report_of(1, max(values), folds_of()))
    return proposal.id


def stored(folder: Path, family: str = "a") -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name=family, storage=open_storage(folder)).trials


def test_the_first_trial_of_a_family_is_its_published_defaults(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    first = ledger.ask("a")
    assert (first.id, first.number, first.config) == ("a-0000", 0, {"x": 0.5})
    assert ledger.ask("a").config != first.config


def test_a_spaces_other_first_trials_follow_and_differ_from_the_defaults_as_it_says(
    tmp_path: Path,
) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(
        "family: item_knn\n"
        "fixed: {weighting: cosine}\n"
        "defaults: {neighbours: 10, fading: step, fading_weight: 0.5}\n"
        "first_trials: [{fading: none}, {neighbours: 20}]\n"
        "parameters:\n"
        "  neighbours: {int: [1, 99], role: nuisance, why: x}\n"
        "  fading: {choice: [none, step], role: scientific, why: x}\n"
        "  fading_weight: {float: [0, 1], when: {fading: [step]}, role: scientific, why: x}\n"
    )
    space = load_space(path, families_of("next_item"))
    ledger = ledger_of(tmp_path, study_of("a"), {"a": space})
    asked = [ledger.ask("a") for _ in range(4)]
    knn = {"weighting": "cosine", "neighbours": 10, "fading": "step", "fading_weight": 0.5}
    assert [(each.number, each.config) for each in asked[:3]] == [
        (0, knn),
        (1, {"weighting": "cosine", "neighbours": 10, "fading": "none"}),
        (2, {**knn, "neighbours": 20}),
    ]
    assert asked[3].number == 3


def test_families_take_turns_and_end_with_the_same_number_of_trials(tmp_path: Path) -> None:
    experiment = study_of("b", "a", "floor", trials=3)
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "b", "a", "floor"))
    turns = []
    while family := ledger.next_family():
        turns.append(family)
        ledger.ask(family)
    assert turns == ["b", "a", "floor", "b", "a", "b", "a"]


def test_a_trial_is_worth_its_best_epoch(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    run(ledger, "a", (0.1, 0.3, 0.2))
    (trial,) = stored(tmp_path)
    assert trial.state == TrialState.COMPLETE
    assert trial.value == 0.3
    assert trial.intermediate_values == {1: 0.1, 2: 0.3, 3: 0.2}


def test_where_less_is_better_a_trial_is_worth_its_lowest_epoch_and_optuna_is_told_so(
    tmp_path: Path,
) -> None:
    ledger = ledger_of(tmp_path, lower(study_of("a")), spaces_of(tmp_path, "a"))
    run(ledger, "a", (0.7, 0.4, 0.6))
    run(ledger, "a", (0.5, 0.8, 0.9))
    assert [trial.value for trial in stored(tmp_path)] == [0.4, 0.5]
    study = optuna.load_study(study_name="a", storage=open_storage(tmp_path))
    assert study.best_trial.number == 0
    assert [row.best and row.best.epoch for row in trial_rows([study])] == [2, 1]


@pytest.mark.parametrize("booked", [0, 1, 2])
def test_a_checkpoint_more_than_an_epoch_ahead_of_the_journal_is_forgotten(
    tmp_path: Path, booked: int
) -> None:
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    id_ = ledger.ask("a").id
    for epoch in range(1, booked + 1):
        ledger.report(id_, report_of(epoch, 0.2))
    report = report_of(3, 0.4, folds_of())  # by a worker that outlived the driver's disk
    ledger.checkpoints.write(id_, {}, Checkpoint(report, report, {"w": torch.zeros(2)}))
    again = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    assert again.checkpoints.epoch(id_) == 3
    assert again.ask("a").id == id_
    assert again.checkpoints.epoch(id_) == (3 if booked == 2 else 0)


def test_a_stopped_trial_reaches_the_sampler_as_pruned_with_its_curve(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    id_ = ledger.ask("a").id
    for epoch, value in ((1, 0.2), (2, 0.1)):
        ledger.report(id_, report_of(epoch, value))
    ledger.prune(id_)
    (trial,) = stored(tmp_path)
    assert trial.state == TrialState.PRUNED
    assert trial.intermediate_values == {1: 0.2, 2: 0.1}
    (row,) = trial_rows([optuna.load_study(study_name="a", storage=open_storage(tmp_path))])
    assert row.state == "pruned"
    assert row.reason is not None
    assert "after epoch 2" in row.reason
    assert not (tmp_path / "user_values").exists()  # it can't be selected


def test_a_failed_trial_keeps_its_reason_and_uses_up_its_turn(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, study_of("a", trials=2), spaces_of(tmp_path, "a"))
    ledger.fail(ledger.ask("a").id, "diverged: the loss is nan")
    (trial,) = stored(tmp_path)
    assert trial.state == TrialState.FAIL
    assert trial.user_attrs["reason"] == "diverged: the loss is nan"
    assert ledger.remaining() == 1


def test_a_refused_configuration_is_no_failure_and_gives_its_place_back(tmp_path: Path) -> None:
    experiment = study_of("a", trials=2, limits={"parameters": 100, "p99_ms": 20})
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a"))
    first = ledger.ask("a")
    assert not ledger.measured(first.id, {"parameters": 200, "p99_ms": 10})
    assert ledger.lacking("a") == 2
    for _ in range(2):
        second = ledger.ask("a")
        assert ledger.is_protected(second)
        assert ledger.measured(second.id, {"parameters": 100, "p99_ms": 20})
        ledger.report(second.id, report_of(1, 0.1))
        ledger.prune(second.id)
    assert ledger.lacking("a") == 0
    refused, *trained = stored(tmp_path)
    assert refused.constraints == {"parameters": math.log(2), "p99_ms": -math.log(2)}
    assert all(value <= 0 for trial in trained for value in trial.constraints.values())
    storage = open_storage(tmp_path)
    row, *_ = trial_rows([optuna.load_study(study_name="a", storage=storage)])
    assert (row.state, row.reason) == ("refused", "outside of limits: parameters 200 > 100")


def test_what_is_measured_again_after_a_workers_death_changes_nothing(tmp_path: Path) -> None:
    experiment = study_of("a", limits={"parameters": 100})
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a"))
    id_ = ledger.ask("a").id
    assert ledger.measured(id_, {"parameters": 100})
    assert ledger.measured(id_, {"parameters": 200})
    assert stored(tmp_path)[0].user_attrs["measured"] == {"parameters": 100}


@pytest.mark.parametrize(("trials", "refusals"), [(2, 20), (1, 10)])
def test_a_family_of_which_nothing_is_inside_of_the_limits_ends(
    tmp_path: Path, trials: int, refusals: int
) -> None:
    experiment = study_of("a", "floor", trials=trials, limits={"parameters": 100})
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a", "floor"))
    while (family := ledger.next_family()) is not None:
        ledger.measured(ledger.ask(family).id, {"parameters": 200})
    assert ledger.started("a") == trials + refusals
    assert ledger.started("floor") == 1


def test_learners_scores_of_the_best_epoch_are_kept(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    id_ = run(ledger, "a", (0.1, 0.3, 0.2))
    first, second = read_user_values(tmp_path, id_)
    assert (first.fold, first.user.tolist(), first.value.tolist()) == (
        "fold0",
        [0, 1, 2],
        [0.3] * 3,
    )
    assert second.user.tolist() == [0, 1]


def test_listeners_hear_of_every_step_in_order(tmp_path: Path) -> None:
    heard: list[Event] = []
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"), heard.append)
    run(ledger, "a", (0.1, 0.2))
    kinds = [type(event) for event in heard]
    assert kinds == [TrialStarted, EpochReported, EpochReported, TrialEnded]
    ended = heard[-1]
    assert isinstance(ended, TrialEnded)
    assert ended.trial.best is not None
    assert (ended.trial.best.epoch, ended.trial.best.losses) == (2, (0.5, None))
    assert ended.trial.fit_seconds == pytest.approx(0.02)
    assert ended.trial.started.tzinfo is not None


def test_the_nth_trial_of_every_family_has_the_same_seed(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, study_of("a", "b", seed=7), spaces_of(tmp_path, "a", "b"))
    seeds = [[ledger.ask(family).seed for _ in range(3)] for family in ("a", "b")]
    assert seeds == [[7, 8, 9], [7, 8, 9]]


def test_what_a_dead_driver_left_open_goes_on_where_it_was(tmp_path: Path) -> None:
    experiment, spaces = study_of("a", trials=3), spaces_of(tmp_path, "a")
    dead = ledger_of(tmp_path, experiment, spaces)
    run(dead, "a")
    lost = dead.ask("a")
    dead.report(lost.id, report_of(1, 0.2))

    heard: list[Event] = []
    ledger = ledger_of(tmp_path, experiment, spaces, heard.append)
    assert ledger.remaining() == 2
    again = ledger.ask("a")
    assert again == lost
    (started,) = heard
    assert isinstance(started, TrialStarted)
    assert (started.attempt, [event.value for event in started.earlier]) == (1, [0.2])
    assert not ledger.report(again.id, report_of(1, 0.2))  # its checkpoint was older
    assert ledger.report(again.id, report_of(2, 0.25))
    ledger.complete(again.id, report_of(2, 0.25, folds_of()))
    run(ledger, "a")
    rows = trial_rows([optuna.load_study(study_name="a", storage=open_storage(tmp_path))])
    assert [row.id for row in rows] == ["a-0000", "a-0001", "a-0002"]
    assert [row.value for row in rows[1].epochs] == [0.2, 0.25]
    assert ledger.next_family() is None
    assert len(stored(tmp_path)) == 3


def test_a_trial_that_is_cut_off_again_and_again_stays_one(tmp_path: Path) -> None:
    experiment, spaces = study_of("a", trials=2), spaces_of(tmp_path, "a")
    for _ in range(3):
        ledger = ledger_of(tmp_path, experiment, spaces)
        assert ledger.ask("a").id == "a-0000"
    (trial,) = stored(tmp_path)
    assert trial.user_attrs["attempt"] == 2


def test_a_copy_that_an_earlier_version_made_takes_the_place_of_what_was_cut_off(
    tmp_path: Path,
) -> None:
    experiment, spaces = study_of("a", trials=2), spaces_of(tmp_path, "a")
    lost = ledger_of(tmp_path, experiment, spaces).ask("a")
    study = optuna.load_study(study_name="a", storage=open_storage(tmp_path))
    study.enqueue_trial(dict(lost.config), user_attrs={"number": 0, "attempt": 1})
    ledger = ledger_of(tmp_path, experiment, spaces)
    assert [ledger.ask("a").id for _ in range(2)] == ["a-0000", "a-0001"]


def test_a_crash_before_a_trial_has_its_number_loses_no_trial(tmp_path: Path) -> None:
    experiment, spaces = study_of("a", trials=2), spaces_of(tmp_path, "a")
    run(ledger_of(tmp_path, experiment, spaces), "a")
    optuna.load_study(study_name="a", storage=open_storage(tmp_path)).ask()
    ledger = ledger_of(tmp_path, experiment, spaces)
    assert run(ledger, "a") == "a-0001"
    assert ledger.next_family() is None


def test_a_crash_while_the_defaults_are_asked_for_keeps_them_first(tmp_path: Path) -> None:
    experiment, spaces = study_of("a", trials=2), spaces_of(tmp_path, "a")
    ledger_of(tmp_path, experiment, spaces)
    optuna.load_study(study_name="a", storage=open_storage(tmp_path)).ask()
    ledger = ledger_of(tmp_path, experiment, spaces)
    first = ledger.ask("a")
    assert (first.id, first.config) == ("a-0000", {"x": 0.5})
    assert len(stored(tmp_path)) == 1


def test_a_crash_between_a_failures_reason_and_its_end_stays_a_failure(tmp_path: Path) -> None:
    experiment, spaces = study_of("a", trials=1), spaces_of(tmp_path, "a")
    ledger_of(tmp_path, experiment, spaces).ask("a")
    study = optuna.load_study(study_name="a", storage=open_storage(tmp_path))
    study._storage.set_trial_user_attr(study.trials[0]._trial_id, "reason", "diverged: x")
    ledger = ledger_of(tmp_path, experiment, spaces)
    assert ledger.next_family() is None
    assert stored(tmp_path)[0].user_attrs["reason"] == "diverged: x"


def test_an_epoch_that_is_reported_again_counts_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Event] = []
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"), heard.append)
    id_ = ledger.ask("a").id
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Optuna warns of a step that is reported twice
        for epoch in (1, 2, 1, 2, 3):  # its worker died after epoch 2
            ledger.report(id_, report_of(epoch, 0.1 * epoch, folds_of()))
    assert not caplog.text
    ledger.report(id_, report_of(3, 0.7, folds_of()))
    assert "epoch 3 came out as 0.7 this time" in caplog.text
    ledger.complete(id_, report_of(3, 0.7, folds_of()))
    assert stored(tmp_path)[0].intermediate_values == {1: 0.1, 2: 0.2, 3: 0.1 * 3}
    assert sum(isinstance(event, EpochReported) for event in heard) == 3


def test_an_extension_raises_the_target_of_tuned_families_for_good(tmp_path: Path) -> None:
    experiment, spaces = study_of("a", "floor", trials=2), spaces_of(tmp_path, "a", "floor")
    ledger_of(tmp_path, experiment, spaces).extend(3)
    later = ledger_of(tmp_path, experiment, spaces)
    assert (later.target("a"), later.target("floor")) == (5, 1)
    later.extend(1)
    assert ledger_of(tmp_path, experiment, spaces).target("a") == 6
