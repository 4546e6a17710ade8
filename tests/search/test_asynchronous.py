from pathlib import Path
from random import Random

import pytest
import simulated
from sweeps import folds_of, ledger_of, lower, report_of, spaces_of, study_of

from recsweep.config.schema import Experiment
from recsweep.search import asynchronous
from recsweep.search.asynchronous import Asynchronous
from recsweep.search.forecast import Forecast
from recsweep.search.ledger import Ledger
from recsweep.search.proposal import Proposal
from recsweep.search.trials import finished

FOLDS = folds_of()


class Sweep:
    """A ledger and a policy, driven by hand."""

    def __init__(self, folder: Path, experiment: Experiment) -> None:
        self.experiment, self.folder = experiment, folder
        folder.mkdir(exist_ok=True)
        self.ledger: Ledger = ledger_of(folder, experiment, spaces_of(folder, *experiment.families))
        self.policy = Asynchronous(self.ledger, experiment)

    def report(self, proposal: Proposal, epoch: int, value: float) -> bool:
        report = report_of(epoch, value, FOLDS)
        values = {**self.ledger.values(proposal.id), epoch: value}
        over = self.ledger.is_over(proposal, values)
        return self.policy.reported(proposal, report, report if over else None)

    def run(self, *values: float, family: str = "a") -> str:
        """The state in which a trial with this curve ends."""
        trial = self.ledger.ask(family)
        for epoch, value in enumerate(values, 1):
            if not self.report(trial, epoch, value):
                break
        state = finished(self.ledger.trials(family))[-1].state.name
        return f"{state} {epoch}"


def test_a_familys_first_trials_are_never_stopped(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, study_of("a", epochs=4))
    falling = (0.4, 0.3, 0.2, 0.1)
    states = [sweep.run(*([value] * 4)) for value in falling]
    assert states == ["COMPLETE 4"] * 4
    assert sweep.run(0.05, 0.05, 0.05, 0.05) == "PRUNED 1"


@pytest.mark.parametrize("rule", ["halving", "lag", "forecast", "repeatable"])
def test_every_family_has_as_many_first_trials_that_are_never_stopped(
    tmp_path: Path, rule: str
) -> None:
    stopping = {"rule": "halving" if rule == "repeatable" else rule, "grace_epochs": 1}
    changes = {"stopping": {**stopping, "full_trials": 3}, "repeatable": rule == "repeatable"}
    names = ("a", "b", "floor", "c")
    experiment = study_of(*names, trials=12, epochs=4, **changes)
    simulated.sweep(tmp_path, experiment, 3, Random(2))
    stopped: dict[str, list[int]] = {name: [] for name in names}
    for row in simulated.rows(tmp_path, experiment):
        stopped[row.family] += [row.number] * (row.state == "pruned")
    assert all(min(stopped[name]) >= 3 for name in ("a", "b", "c"))
    assert stopped["floor"] == []


@pytest.mark.parametrize("rule", ["halving", "lag"])
def test_where_less_is_better_the_same_trials_are_stopped_as_with_the_sign_turned(
    tmp_path: Path, rule: str
) -> None:
    experiment = study_of(
        "a", epochs=4, stopping={"rule": rule, "grace_epochs": 1, "full_trials": 2}
    )
    curves = [
        (0.4, 0.3, 0.2, 0.2),
        (0.4, 0.4, 0.3, 0.3),
        (0.9, 0.9, 0.9, 0.9),
        (0.1, 0.1, 0.0, 0.0),
    ]
    more, less = Sweep(tmp_path / "more", experiment), Sweep(tmp_path / "less", lower(experiment))
    turned = [more.run(*(1 - value for value in curve)) for curve in curves]
    assert [less.run(*curve) for curve in curves] == turned
    assert turned[2].startswith("PRUNED")
    assert turned[3] == "COMPLETE 4"


def test_a_trial_that_reaches_its_full_length_is_complete_though_it_is_the_worst(
    tmp_path: Path,
) -> None:
    sweep = Sweep(tmp_path, study_of("a", epochs=4))
    for value in (0.1, 0.2, 0.3, 0.4):
        sweep.run(*([value] * 4))
    assert sweep.run(0.9, 0.9, 0.9, 0.0) == "COMPLETE 4"


def test_a_rung_compares_the_current_value_and_not_the_best_so_far(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, study_of("a", epochs=4))
    for _ in range(4):
        sweep.run(0.2, 0.2, 0.2, 0.2)
    assert sweep.run(0.9, 0.1) == "PRUNED 2"


def test_curves_are_never_compared_across_families(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, study_of("a", "b", epochs=4))
    for _ in range(6):
        sweep.run(0.9, 0.9, 0.9, 0.9, family="a")
    for _ in range(6):
        assert sweep.run(0.1, 0.1, 0.1, 0.1, family="b") == "COMPLETE 4"


def test_a_family_whose_trials_are_one_epoch_long_is_never_pruned(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, study_of("floor", epochs=4))
    assert sweep.run(0.0, family="floor") == "COMPLETE 1"


@pytest.mark.parametrize("rule", ["halving", "forecast"])
def test_a_resumed_sweep_stops_as_the_first_one_would_have(tmp_path: Path, rule: str) -> None:
    stopping = {"rule": rule, "grace_epochs": 1, "reduction": 2, "full_trials": 4}
    experiment = study_of("a", epochs=4, stopping=stopping)
    before = Sweep(tmp_path, experiment)
    for value in (0.4, 0.3, 0.2, 0.1):
        before.run(*([value] * 4))
    assert Sweep(tmp_path, experiment).run(0.05, 0.05, 0.05, 0.05) == "PRUNED 1"


def test_of_twelve_trials_at_least_the_promised_ones_are_full(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, study_of("a", trials=12, epochs=4))
    states = [sweep.run(*([0.5 - 0.01 * n] * 4)) for n in range(12)]
    assert states == ["COMPLETE 4"] * 4 + ["PRUNED 1"] * 8


@pytest.mark.parametrize("rule", ["halving", "lag"])
def test_with_patience_a_trial_is_complete_when_it_has_stopped_getting_better(
    tmp_path: Path, rule: str
) -> None:
    stopping = {"rule": rule, "grace_epochs": 1, "full_trials": 1, "patience": 2}
    sweep = Sweep(tmp_path, study_of("a", epochs=6, stopping=stopping))
    assert sweep.run(0.2, 0.3, 0.3, 0.29, 0.9, 0.9) == "COMPLETE 4"  # its equal is no better
    assert finished(sweep.ledger.trials("a"))[-1].value == 0.3
    assert sweep.run(0.2, 0.3, 0.3, 0.4, 0.4, 0.4) == "COMPLETE 6"
    assert sweep.run(0.1, 0.1, 0.1) == "PRUNED 1"


def test_what_a_trial_reached_before_its_patience_ended_is_still_what_others_lag_behind(
    tmp_path: Path,
) -> None:
    stopping = {
        **{"rule": "lag", "grace_epochs": 1, "lag": [0.9, 0.9, 0.9, 0.1]},
        **{"full_trials": 1, "patience": 1},
    }
    sweep = Sweep(tmp_path, study_of("a", epochs=6, stopping=stopping))
    assert sweep.run(0.3, 0.4, 0.3) == "COMPLETE 3"
    assert sweep.run(0.1, 0.2, 0.3, 0.35) == "PRUNED 4"


def test_under_the_other_rule_a_curve_that_turns_down_keeps_what_it_had_reached(
    tmp_path: Path,
) -> None:
    stopping = {"rule": "lag", "grace_epochs": 1, "lag": [0.1], "full_trials": 1}
    sweep = Sweep(tmp_path, study_of("a", epochs=4, stopping=stopping))
    assert sweep.run(0.4, 0.4, 0.4, 0.4) == "COMPLETE 4"
    assert sweep.run(0.4, 0.2, 0.1, 0.1) == "COMPLETE 4"


def test_the_other_rule_stops_what_lags_behind_and_spares_the_first_trials(tmp_path: Path) -> None:
    stopping = {"rule": "lag", "grace_epochs": 1, "lag": [0.5, 0.1], "full_trials": 2}
    sweep = Sweep(tmp_path, study_of("a", epochs=4, stopping=stopping))
    assert sweep.run(0.2, 0.4, 0.4, 0.4) == "COMPLETE 4"
    assert sweep.run(0.0, 0.0, 0.0, 0.0) == "COMPLETE 4"
    assert sweep.run(0.09, 0.4, 0.4, 0.4) == "PRUNED 1"
    assert sweep.run(0.15, 0.3, 0.4, 0.4) == "PRUNED 2"
    assert sweep.run(0.15, 0.37, 0.38, 0.39) == "COMPLETE 4"


class Heard(Forecast):
    """A forecast that keeps what it hears, and stops what scores 0."""

    def __init__(self, *given: object) -> None:
        self.heard: list[tuple[object, ...]] = [given]

    def hear(self, id_: str, epoch: int, value: float, seconds: float) -> bool:
        self.heard.append((id_, epoch, value, round(seconds, 9)))
        return value != 0

    def ended(self, id_: str, *, complete: bool) -> None:
        self.heard.append((id_, complete))


@pytest.mark.parametrize("less_is_better", [False, True])
def test_a_forecast_hears_every_epoch_once_and_of_every_end_now_and_after_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, less_is_better: bool
) -> None:
    monkeypatch.setattr(asynchronous, "Forecast", Heard)
    stopping = {"rule": "forecast", "grace_epochs": 1, "full_trials": 1}
    experiment = study_of("a", epochs=2, stopping=stopping)
    experiment = lower(experiment) if less_is_better else experiment

    def heard(sweep: Sweep) -> list[tuple[object, ...]]:
        rule = sweep.policy._rule["a"]
        assert isinstance(rule, Heard)
        assert rule.heard[0] == (experiment.stopping, 2, less_is_better)
        return rule.heard[1:]

    sweep = Sweep(tmp_path, experiment)
    assert sweep.run(0.0, 0.1) == "COMPLETE 2"  # the first one is never stopped
    assert sweep.run(0.0) == "PRUNED 1"
    failed, cut_off = sweep.ledger.ask("a"), sweep.ledger.ask("a")
    for proposal in (failed, cut_off):
        assert sweep.report(proposal, 1, 0.2)
        assert sweep.report(proposal, 1, 0.2)  # again, by a worker that died: it is known
    sweep.policy.failed(failed, "no memory")
    seconds = 0.015  # of fitting and of evaluating
    ended = [
        *[("a-0000", 1, 0.0, seconds), ("a-0000", 2, 0.1, seconds), ("a-0000", True)],
        *[("a-0001", 1, 0.0, seconds), ("a-0001", False)],
        *[("a-0002", 1, 0.2, seconds), ("a-0003", 1, 0.2, seconds), ("a-0002", False)],
    ]
    assert heard(sweep) == ended
    again = Sweep(tmp_path, experiment)
    assert heard(again) == [*ended[:6], ended[7], ended[6]]
    assert again.ledger.ask("a").id == "a-0003"
    assert not again.report(cut_off, 2, 0.3)
    assert heard(again)[-2:] == [("a-0003", 2, 0.3, seconds), ("a-0003", True)]


def test_a_last_epoch_that_was_booked_before_a_crash_is_not_heard_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asynchronous, "Forecast", Heard)
    experiment = study_of("a", epochs=1, stopping={"rule": "forecast", "grace_epochs": 1})
    dead = Sweep(tmp_path, experiment)
    dead.ledger.report(dead.ledger.ask("a").id, report_of(1, 0.2))
    sweep = Sweep(tmp_path, experiment)
    proposal = sweep.policy.next()
    assert proposal is not None
    assert not sweep.report(proposal, 1, 0.2)
    rule = sweep.policy._rule["a"]
    assert isinstance(rule, Heard)
    assert rule.heard[1:] == [("a-0000", 1, 0.2, 0.015), ("a-0000", True)]


def test_trials_are_handed_out_until_none_is_lacking_and_the_search_ends_with_the_last(
    tmp_path: Path,
) -> None:
    sweep = Sweep(tmp_path, study_of("a", trials=2, epochs=1, limits={"parameters": 100}))
    one, two = sweep.policy.next(), sweep.policy.next()
    assert one is not None
    assert two is not None
    assert sweep.policy.next() is None
    assert not sweep.policy.finished()  # the worker of either may die
    assert sweep.policy.measured(one, {"parameters": 100}) is True
    sweep.report(one, 1, 0.2)
    assert sweep.policy.measured(two, {"parameters": 101}) is False
    assert not sweep.policy.finished()
    three = sweep.policy.next()
    assert three is not None
    sweep.policy.failed(three, "no memory")
    assert [trial.state.name for trial in sweep.ledger.trials("a")] == [
        "COMPLETE",
        "PRUNED",
        "FAIL",
    ]
    assert sweep.policy.finished()


def test_what_is_reported_again_is_not_judged_again(tmp_path: Path) -> None:
    stopping = {"grace_epochs": 1, "reduction": 2, "full_trials": 1}
    sweep = Sweep(tmp_path, study_of("a", epochs=4, stopping=stopping))
    first, second = sweep.ledger.ask("a"), sweep.ledger.ask("a")
    assert sweep.report(second, 1, 0.1)
    assert sweep.report(first, 1, 0.4)
    assert sweep.report(second, 1, 0.1)  # would be stopped now
    assert not sweep.report(second, 2, 0.1) == sweep.ledger.running == 1
