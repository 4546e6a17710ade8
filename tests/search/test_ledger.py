import math
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
import torch
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState
from sweeps import (
    FAMILIES,
    folds_of,
    ledger_of,
    lower,
    report_of,
    run_trial,
    spaces_of,
    study_at,
    study_of,
)

from recsweep.models.registry import families_of
from recsweep.records.user_values import read_user_values
from recsweep.search.ledger import Ledger
from recsweep.search.sampler import session_sampler, trial_sampler
from recsweep.search.storage import JOURNAL, open_family, open_storage
from recsweep.search.trials import trial_rows
from recsweep.spaces.files import load_space
from recsweep.spaces.widen import with_ranges
from recsweep.tracking.events import EpochReported, Event, TrialEnded, TrialStarted
from recsweep.training.trial import Checkpoint


def stored(folder: Path, family: str = "a") -> list[optuna.trial.FrozenTrial]:
    return study_at(folder, family).trials


def write(folder: Path, number: int, key: str, value: object) -> None:
    """An attribute of a trial, by its number in Optuna's study."""
    found = study_at(folder)
    found._storage.set_trial_user_attr(found.trials[number]._trial_id, key, value)


def leave_checkpoint(ledger: Ledger, id_: str, epoch: int) -> None:
    report = report_of(epoch, 0.4, folds_of())
    ledger.checkpoints.write(id_, {}, Checkpoint(report, report, {"w": torch.zeros(2)}))


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


def test_a_trial_is_worth_its_best_epoch(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    run_trial(ledger, "a", (0.1, 0.3, 0.2))
    (trial,) = stored(tmp_path)
    assert trial.state == TrialState.COMPLETE
    assert trial.value == 0.3
    assert trial.intermediate_values == {1: 0.1, 2: 0.3, 3: 0.2}


def test_where_less_is_better_a_trial_is_worth_its_lowest_epoch_and_optuna_is_told_so(
    tmp_path: Path,
) -> None:
    ledger = ledger_of(tmp_path, lower(study_of("a")), spaces_of(tmp_path, "a"))
    run_trial(ledger, "a", (0.7, 0.4, 0.6))
    run_trial(ledger, "a", (0.5, 0.8, 0.9))
    assert [trial.value for trial in stored(tmp_path)] == [0.4, 0.5]
    found = study_at(tmp_path)
    assert found.best_trial.number == 0
    assert [row.best and row.best.epoch for row in trial_rows([found])] == [2, 1]


@pytest.mark.parametrize(
    ("booked", "written", "stays"),
    [(0, 1, True), (0, 2, False), (1, 2, True), (1, 3, False), (2, 3, True)],
)
def test_a_checkpoint_more_than_an_epoch_ahead_of_the_journal_is_forgotten(
    tmp_path: Path, booked: int, written: int, stays: bool
) -> None:
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    id_ = ledger.ask("a").id
    for epoch in range(1, booked + 1):
        ledger.report(id_, report_of(epoch, 0.2))
    leave_checkpoint(ledger, id_, written)  # by a worker that outlived the driver's disk
    again = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    assert again.checkpoints.epoch(id_) == written
    assert again.ask("a").id == id_
    assert again.checkpoints.epoch(id_) == (written if stays else 0)


@pytest.mark.parametrize(("written", "stays"), [(1, True), (2, False)])
def test_a_new_trial_has_no_use_for_a_checkpoint_of_its_name_beyond_the_first_epoch(
    tmp_path: Path, written: int, stays: bool
) -> None:
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    leave_checkpoint(ledger, "a-0000", written)
    ledger.ask("a")
    assert ledger.checkpoints.epoch("a-0000") == (written if stays else 0)


@pytest.mark.parametrize("end", ["complete", "pruned", "failed", "refused"])
def test_a_trial_that_has_ended_leaves_no_checkpoint_and_is_counted_once(
    tmp_path: Path, end: str
) -> None:
    experiment = study_of("a", limits={"parameters": 100})
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a"))
    assert ledger.ended == 0
    id_ = ledger.ask("a").id
    leave_checkpoint(ledger, id_, 1)
    if end != "refused":
        ledger.report(id_, report_of(1, 0.2))
    if end == "complete":
        ledger.complete(id_, report_of(1, 0.2, folds_of()))
    elif end == "pruned":
        ledger.prune(id_)
    elif end == "failed":
        ledger.fail(id_, "no memory")
    else:
        ledger.measured(id_, {"parameters": 101})
    assert not ledger.checkpoints.path(id_).exists()
    assert (ledger.ended, ledger.running) == (1, 0)
    (row,) = trial_rows([study_at(tmp_path)])
    assert row.state == end


def test_a_stopped_trial_reaches_the_sampler_as_pruned_with_its_curve(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    id_ = ledger.ask("a").id
    for epoch, value in ((1, 0.2), (2, 0.1)):
        ledger.report(id_, report_of(epoch, value))
    ledger.prune(id_)
    (trial,) = stored(tmp_path)
    assert trial.state == TrialState.PRUNED
    assert trial.intermediate_values == {1: 0.2, 2: 0.1}
    (row,) = trial_rows([study_at(tmp_path)])
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
    assert ledger.turns.remaining() == 1


def test_a_refused_configuration_is_no_failure_and_gives_its_place_back(tmp_path: Path) -> None:
    experiment = study_of("a", trials=2, limits={"parameters": 100, "p99_ms": 20})
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a"))
    first = ledger.ask("a")
    assert not ledger.measured(first.id, {"parameters": 200, "p99_ms": 10})
    assert ledger.turns.lacking("a") == 2
    for _ in range(2):
        second = ledger.ask("a")
        assert ledger.is_protected(second)
        assert ledger.measured(second.id, {"parameters": 100, "p99_ms": 20})
        ledger.report(second.id, report_of(1, 0.1))
        ledger.prune(second.id)
    assert ledger.turns.lacking("a") == 0
    refused, *trained = stored(tmp_path)
    assert refused.constraints == {"parameters": math.log(2), "p99_ms": -math.log(2)}
    assert all(value <= 0 for trial in trained for value in trial.constraints.values())
    row, *_ = trial_rows([study_at(tmp_path)])
    assert (row.state, row.reason) == ("refused", "outside of limits: parameters 200 > 100")


def test_what_is_measured_again_after_a_workers_death_changes_nothing(tmp_path: Path) -> None:
    experiment = study_of("a", limits={"parameters": 100})
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a"))
    id_ = ledger.ask("a").id
    assert ledger.measured(id_, {"parameters": 100})
    assert ledger.measured(id_, {"parameters": 200})
    assert stored(tmp_path)[0].user_attrs["measured"] == {"parameters": 100}


def test_what_was_not_measured_before_is_booked_beside_what_was(tmp_path: Path) -> None:
    experiment = study_of("a", limits={"parameters": 100, "p99_ms": 20})
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a"))
    first, second = ledger.ask("a").id, ledger.ask("a").id
    told = []
    for id_, p99_ms in ((first, 20.0), (second, 40.0)):
        told += [ledger.measured(id_, {"parameters": 0})]
        told += [ledger.measured(id_, {"parameters": 200, "p99_ms": p99_ms})]
    assert told == [True, True, True, False]
    inside, outside = stored(tmp_path)
    assert inside.user_attrs["measured"] == {"parameters": 0, "p99_ms": 20.0}
    nothing = math.log(sys.float_info.min / 100)  # 0 has no logarithm
    assert inside.constraints == {"parameters": nothing, "p99_ms": 0.0}
    assert outside.constraints == {"parameters": nothing, "p99_ms": math.log(2)}
    assert outside.user_attrs["refused"] == {"p99_ms": 20}
    text = (tmp_path / JOURNAL).read_text()
    assert text.count('"constraints:parameters"') == 2  # a replay would stumble over a third


def test_a_crash_after_a_configuration_was_measured_neither_forgets_nor_repeats_it(
    tmp_path: Path,
) -> None:
    experiment, spaces = study_of("a", limits={"parameters": 100}), spaces_of(tmp_path, "a")
    dead = ledger_of(tmp_path, experiment, spaces)
    for _ in range(3):
        dead.ask("a")
    write(tmp_path, 0, "measured", {"parameters": 200})
    write(tmp_path, 1, "measured", {"parameters": 50})
    ledger = ledger_of(tmp_path, experiment, spaces)
    refused, inside, unknown = stored(tmp_path)
    assert (refused.state, refused.user_attrs["refused"]) == (
        TrialState.PRUNED,
        {"parameters": 100},
    )
    assert inside.constraints == {"parameters": math.log(1 / 2)}
    assert unknown.constraints == {}
    again = [ledger.ask("a") for _ in range(2)]
    assert [(each.number, each.measured) for each in again] == [(1, True), (2, False)]


def test_learners_scores_of_the_best_epoch_are_kept(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    id_ = run_trial(ledger, "a", (0.1, 0.3, 0.2))
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
    run_trial(ledger, "a", (0.1, 0.2))
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
    run_trial(dead, "a")
    lost = dead.ask("a")
    dead.report(lost.id, report_of(1, 0.2))

    heard: list[Event] = []
    ledger = ledger_of(tmp_path, experiment, spaces, heard.append)
    assert ledger.turns.remaining() == 2
    again = ledger.ask("a")
    assert again == lost
    (started,) = heard
    assert isinstance(started, TrialStarted)
    assert (started.attempt, [event.value for event in started.earlier]) == (1, [0.2])
    assert not ledger.report(again.id, report_of(1, 0.2))  # its checkpoint was older
    assert ledger.report(again.id, report_of(2, 0.25))
    ledger.complete(again.id, report_of(2, 0.25, folds_of()))
    run_trial(ledger, "a")
    rows = trial_rows([study_at(tmp_path)])
    assert [row.id for row in rows] == ["a-0000", "a-0001", "a-0002"]
    assert [row.value for row in rows[1].epochs] == [0.2, 0.25]
    assert ledger.turns.next_family() is None
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
    study_at(tmp_path).enqueue_trial(dict(lost.config), user_attrs={"number": 0, "attempt": 1})
    heard: list[Event] = []
    ledger = ledger_of(tmp_path, experiment, spaces, heard.append)
    assert [ledger.ask("a").id for _ in range(2)] == ["a-0000", "a-0001"]
    assert [event.attempt for event in heard if isinstance(event, TrialStarted)] == [1, 0]
    assert [trial.state.name for trial in stored(tmp_path)] == ["FAIL", "RUNNING", "RUNNING"]


def test_a_crash_before_a_trial_has_its_number_loses_no_trial(tmp_path: Path) -> None:
    experiment, spaces = study_of("a", trials=2), spaces_of(tmp_path, "a")
    run_trial(ledger_of(tmp_path, experiment, spaces), "a")
    study_at(tmp_path).ask()
    ledger = ledger_of(tmp_path, experiment, spaces)
    lost = stored(tmp_path)[1]
    assert (lost.state, lost.user_attrs) == (TrialState.FAIL, {"reason": "interrupted"})
    assert run_trial(ledger, "a") == "a-0001"
    assert ledger.turns.next_family() is None


def test_a_crash_while_the_defaults_are_asked_for_keeps_them_first(tmp_path: Path) -> None:
    experiment, spaces = study_of("a", trials=2), spaces_of(tmp_path, "a")
    ledger_of(tmp_path, experiment, spaces)
    study_at(tmp_path).ask()
    ledger = ledger_of(tmp_path, experiment, spaces)
    first = ledger.ask("a")
    assert (first.id, first.config) == ("a-0000", {"x": 0.5})
    assert len(stored(tmp_path)) == 1


def test_a_crash_between_a_failures_reason_and_its_end_stays_a_failure(tmp_path: Path) -> None:
    experiment, spaces = study_of("a", trials=1), spaces_of(tmp_path, "a")
    ledger_of(tmp_path, experiment, spaces).ask("a")
    write(tmp_path, 0, "reason", "diverged: x")
    ledger = ledger_of(tmp_path, experiment, spaces)
    assert ledger.turns.next_family() is None
    (trial,) = stored(tmp_path)
    assert (trial.state, trial.user_attrs["reason"]) == (TrialState.FAIL, "diverged: x")


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


def test_it_tells_what_is_open_and_what_that_has_reported(tmp_path: Path) -> None:
    experiment = study_of("b", "a", "floor")
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "b", "a", "floor"))
    assert (ledger.families, ledger.running, ledger.busy_seconds) == (("b", "a", "floor"), 0, 0.0)
    first, second = ledger.ask("b"), ledger.ask("a")
    assert ledger.running == 2
    numbers = {name: ledger.trials(name)[0]._trial_id for name in ("a", "b", "floor")}
    assert ledger.open(numbers["b"]) == first
    assert ledger.open(numbers["a"]) == second
    assert ledger.open(numbers["floor"]) is None
    told = [ledger.report(second.id, report_of(epoch, 0.1 * epoch)) for epoch in (1, 2, 2)]
    assert told == [True, True, False]
    assert ledger.values(second.id) == {1: 0.1, 2: 0.2}
    assert ledger.values(first.id) == {}
    assert ledger.busy_seconds == pytest.approx(2 * 0.015)  # what is reported again counts once
    assert [ledger.turns.started(name) for name in ("b", "a", "floor")] == [1, 1, 0]


def test_a_trial_is_as_long_as_the_budget_says_and_no_longer_than_its_family_has_epochs(
    tmp_path: Path,
) -> None:
    ledger = ledger_of(tmp_path, study_of("a", "floor"), spaces_of(tmp_path, "a", "floor"))
    assert (ledger.length("a"), ledger.length("floor")) == (4, 1)
    assert (ledger.ask("a").until, ledger.ask("floor").until) == (4, 1)


@pytest.mark.parametrize("less_is_better", [False, True])
def test_a_trial_is_over_at_its_full_length_or_when_its_patience_has_ended(
    tmp_path: Path, less_is_better: bool
) -> None:
    stopping = {"grace_epochs": 1, "full_trials": 4, "patience": 2}
    experiment, sign = study_of("a", epochs=5, stopping=stopping), -1 if less_is_better else 1
    experiment = lower(experiment) if less_is_better else experiment
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a"))
    proposal = ledger.ask("a")

    def over(*values: float) -> bool:
        return ledger.is_over(proposal, dict(enumerate((sign * v for v in values), 1)))

    assert [over(), over(0.2), over(0.2, 0.1), over(0.2, 0.3, 0.1)] == [False] * 4
    assert [over(0.2, 0.1, 0.1), over(0.2, 0.2, 0.2), over(0.1, 0.2, 0.3, 0.1, 0.2)] == [True] * 3
    assert [over(0.1, 0.2, 0.3, 0.4), over(0.1, 0.2, 0.3, 0.4, 0.5)] == [False, True]
    assert ledger.is_over(proposal, {3: 0.2, 2: 0.2, 1: 0.2})  # of equals the earliest is the best


def test_of_a_batch_what_is_suggested_depends_on_the_number_alone(tmp_path: Path) -> None:
    experiment, spaces = study_of("a", search={"sampler": "random"}), spaces_of(tmp_path, "a")
    ledger = ledger_of(tmp_path, experiment, spaces)
    asked = [ledger.ask("a", batch=(0, 3)) for _ in range(3)]

    def drawn(sampler: optuna.samplers.BaseSampler, count: int) -> list[float]:
        alone = optuna.create_study(sampler=sampler)
        return [float(spaces["a"].suggest(alone.ask())["x"]) for _ in range(count)]

    alone = [drawn(trial_sampler(experiment, "a", spaces["a"], n), 1) for n in (1, 2)]
    assert [[each.config["x"]] for each in asked[1:]] == alone
    assert [trial.user_attrs["batch"] for trial in stored(tmp_path)] == [[0, 3]] * 3

    (tmp_path / "one").mkdir()
    by_itself = ledger_of(tmp_path / "one", experiment, spaces)
    found = [by_itself.ask("a").config["x"] for _ in range(3)]
    # When the session begins, the defaults wait in the study, and nothing else.
    assert found[1:] == drawn(session_sampler(experiment, "a", spaces["a"], 1), 2)
    assert all("batch" not in trial.user_attrs for trial in stored(tmp_path / "one"))


def test_nothing_stands_between_a_study_and_its_sampler_unless_a_range_was_widened(
    tmp_path: Path,
) -> None:
    experiment, spaces = study_of("a", "b"), spaces_of(tmp_path, "a", "b")
    run_trial(ledger_of(tmp_path, experiment, spaces), "a")
    wide = with_ranges(spaces, ["a.x=0:3"], FAMILIES)
    open_family(open_storage(tmp_path), "a", wide["a"], experiment, "data", widen=True)
    ledger = ledger_of(tmp_path, experiment, wide)
    samplers = {name: ledger._studies[name].sampler for name in ("a", "b")}
    assert type(samplers["b"]) is optuna.samplers.TPESampler
    (past,) = ledger.trials("a")
    assert past.distributions == {"x": FloatDistribution(0, 1)}
    joint = samplers["a"].infer_relative_search_space(ledger._studies["a"], past)
    assert joint == {"x": FloatDistribution(0, 3)}


def test_a_trial_is_booked_with_all_that_it_takes_to_go_on_with_it(tmp_path: Path) -> None:
    experiment = study_of("a", seed=7)
    ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a")).ask("a")
    (trial,) = stored(tmp_path)
    assert trial.user_attrs == {"config": {"x": 0.5}, "seed": 7, "attempt": 0, "number": 0}


def test_every_session_leaves_its_experiment_in_the_journal(tmp_path: Path) -> None:
    ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"), begin=False)
    assert "session" not in study_at(tmp_path).user_attrs
    later = study_of("a", trials=15)
    ledger_of(tmp_path, later, spaces_of(tmp_path, "a"))
    assert study_at(tmp_path).user_attrs["session"] == later.model_dump(mode="json")


def test_what_was_left_open_is_gone_on_with_by_number(tmp_path: Path) -> None:
    experiment, spaces = study_of("a", "b"), spaces_of(tmp_path, "a", "b")
    dead = ledger_of(tmp_path, experiment, spaces)
    for family in ("a", "a", "a", "b"):
        dead.ask(family)
    write(tmp_path, 0, "number", 7)  # as a copy by an earlier version comes later than its number
    ledger = ledger_of(tmp_path, experiment, spaces)
    assert [trial.user_attrs["number"] for trial in ledger.cut_off("a")] == [1, 2, 7]
    assert ledger.cut_off_ids() == {"a-0001", "a-0002", "a-0007", "b-0000"}
    assert [ledger.ask("a").id for _ in range(2)] == ["a-0001", "a-0002"]
    assert ledger.cut_off_ids() == {"a-0007", "b-0000"}


@pytest.mark.parametrize("lost", [False, True])
def test_a_study_from_before_first_trials_had_numbers_begins_with_nought(
    tmp_path: Path, lost: bool
) -> None:
    old = optuna.create_study(
        storage=open_storage(tmp_path, heal=True), study_name="a", direction="maximize"
    )
    if lost:
        old.ask()  # its driver died before it had a number
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"), studies={"a": old})
    assert [ledger.ask("a").number for _ in range(2)] == [0, 1]


def test_scores_of_learners_that_lack_a_fold_are_refused(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    id_ = ledger.ask("a").id
    ledger.report(id_, report_of(1, 0.2))
    with pytest.raises(ValueError, match="shorter"):
        ledger.complete(id_, report_of(1, 0.2, folds_of()[:1]))


def test_the_first_trials_that_are_never_stopped_are_counted_without_the_refused(
    tmp_path: Path,
) -> None:
    stopping = {"grace_epochs": 1, "full_trials": 2}
    experiment = study_of("a", stopping=stopping, limits={"parameters": 100})
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a"))
    asked = [ledger.ask("a") for _ in range(5)]
    assert [ledger.is_protected(each) for each in asked] == [True, True, False, False, False]
    for number, size in enumerate((50, 200, 50, 200, 50)):
        ledger.measured(asked[number].id, {"parameters": size})
    # 0 and 2 are the first two that may be trained; the second one that was refused is no third.
    assert [ledger.is_protected(each) for each in asked] == [True, True, True, False, False]


@pytest.mark.parametrize("goals", [None, ["score", "parameters"]])
def test_where_a_cost_is_searched_too_nobody_is_stopped_who_may_lie_on_the_front(
    tmp_path: Path, goals: list[str] | None
) -> None:
    stopping = {"grace_epochs": 1, "full_trials": 0}
    experiment = study_of("a", stopping=stopping, search={"goals": goals})
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a"))
    found = []
    for value, size in ((0.5, 100), (0.4, 100), (0.4, 99), (0.6, 200)):
        proposal = ledger.ask("a")
        ledger.report(proposal.id, replace(report_of(1, value), parameters=size))
        found.append(ledger.is_protected(proposal))
        if size == 100 and value == 0.5:
            ledger.complete(proposal.id, report_of(1, value, folds_of()))
    assert found == ([False] * 4 if goals is None else [True, False, True, True])
