"""Whose turn it is, with budgets of trials and of seconds, refusals, and `stopping.study`."""

from pathlib import Path

import pytest
from sweeps import folds_of, ledger_of, report_of, run_trial, spaces_of, study_at, study_of, within

from recsweep.config.schema import Experiment
from recsweep.records.study import EarlyEnd
from recsweep.search import turns as turns_module
from recsweep.search.enough import marked_end
from recsweep.search.ledger import Ledger
from recsweep.search.seconds import FAILURES
from recsweep.search.storage import JOURNAL


def test_families_take_turns_and_end_with_the_same_number_of_trials(tmp_path: Path) -> None:
    experiment = study_of("b", "a", "floor", trials=3)
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "b", "a", "floor"))
    turns = []
    while family := ledger.turns.next_family():
        turns.append(family)
        ledger.ask(family)
    assert turns == ["b", "a", "floor", "b", "a", "b", "a"]


def test_an_extension_raises_the_target_of_tuned_families_for_good(tmp_path: Path) -> None:
    experiment, spaces = study_of("a", "floor", trials=2), spaces_of(tmp_path, "a", "floor")
    ledger_of(tmp_path, experiment, spaces).turns.extend(3)
    later = ledger_of(tmp_path, experiment, spaces)
    assert (later.turns.target("a"), later.turns.target("floor")) == (5, 1)
    later.turns.extend(1)
    assert ledger_of(tmp_path, experiment, spaces).turns.target("a") == 6


@pytest.mark.parametrize(("trials", "refusals"), [(2, 20), (1, 10)])
def test_a_family_of_which_nothing_is_inside_of_the_limits_ends(
    tmp_path: Path, trials: int, refusals: int
) -> None:
    experiment = study_of("a", "floor", trials=trials, limits={"parameters": 100})
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a", "floor"))
    while (family := ledger.turns.next_family()) is not None:
        ledger.measured(ledger.ask(family).id, {"parameters": 200})
    assert ledger.turns.started("a") == trials + refusals
    assert ledger.turns.started("floor") == 1


def test_more_trials_than_a_budget_asks_for_leave_nothing_lacking(tmp_path: Path) -> None:
    spaces = spaces_of(tmp_path, "a")
    ledger = ledger_of(tmp_path, study_of("a", trials=3), spaces)
    for _ in range(3):
        run_trial(ledger, "a")
    assert ledger_of(tmp_path, study_of("a", trials=1), spaces).turns.lacking("a") == 0


def test_with_a_budget_of_seconds_what_was_begun_is_lacking_until_it_is_gone_on_with(
    tmp_path: Path,
) -> None:
    experiment, spaces = within(0.03, "a"), spaces_of(tmp_path, "a")
    dead = ledger_of(tmp_path, experiment, spaces)
    assert (dead.turns.target("a"), dead.turns.lacking("a")) == (None, 1)
    for id_ in [dead.ask("a").id for _ in range(3)]:
        dead.report(id_, report_of(1, 0.1))  # .015 s
    assert dead.turns.lacking("a") == 0
    study_at(tmp_path).ask()  # its driver died before it had a number
    ledger = ledger_of(tmp_path, experiment, spaces, begin=False)
    assert ledger.turns.lacking("a") == 3
    ledger.begin()
    left = []
    while ledger.turns.next_family():
        ledger.ask("a")
        left.append(ledger.turns.lacking("a"))
    assert left == [2, 1, 0]
    more = ledger_of(tmp_path, within(1.0, "a"), spaces)
    assert more.turns.lacking("a") == 3
    for _ in range(3):
        more.ask("a")
    assert more.turns.lacking("a") == 1


def test_with_a_budget_of_seconds_a_family_ends_by_failures_or_by_refusals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_module, "REFUSALS", 2)
    experiment = within(1.0, "a", "b", limits={"parameters": 100})
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a", "b"))
    for _ in range(FAILURES):
        assert ledger.turns.lacking("a") == 1
        ledger.fail(ledger.ask("a").id, "no memory")
    assert ledger.turns.lacking("a") == 0
    for _ in range(4):
        assert ledger.turns.lacking("b") == 1
        ledger.measured(ledger.ask("b").id, {"parameters": 200})
    assert ledger.turns.lacking("b") == 0


# -- `stopping.study`: trials of the same score leave no gain to be expected after six of them ---


def ending(trials: int) -> Experiment:
    rule = {"when": "expected_gain", "below": 0.05}
    stopping = {"grace_epochs": 1, "reduction": 2, "full_trials": 4, "study": rule}
    names = ("a", "b", "floor")
    return study_of(*names, trials=trials, stopping=stopping, limits={"parameters": 100})


def finish(ledger: Ledger, family: str, times: int = 1) -> None:
    for _ in range(times):
        run_trial(ledger, family, (0.2,))


def ends(folder: Path, experiment: Experiment) -> list[EarlyEnd | None]:
    return [marked_end(study_at(folder, name), experiment) for name in experiment.families]


def test_once_it_is_enough_every_family_is_taken_as_far_as_any_has_begun(tmp_path: Path) -> None:
    experiment, spaces = ending(14), spaces_of(tmp_path, "a", "b", "floor")
    ledger = ledger_of(tmp_path, experiment, spaces)
    ledger.measured(ledger.ask("a").id, {"parameters": 200})  # uses up nobody's turn
    finish(ledger, "a", 6)
    finish(ledger, "b", 5)
    last = ledger.ask("a")
    assert [ledger.turns.target(name) for name in ("a", "b", "floor")] == [14, 14, 1]
    finish(ledger, "b")
    assert [ledger.turns.target(name) for name in ("a", "b", "floor")] == [7, 7, 1]
    assert [ledger.turns.lacking(name) for name in ("a", "b", "floor")] == [0, 1, 1]
    finish(ledger, "b")
    finish(ledger, "floor")
    assert ledger.turns.remaining() == 0
    assert ends(tmp_path, experiment) == [None, None, None]  # one is still open
    ledger.report(last.id, report_of(1, 0.2))
    ledger.complete(last.id, report_of(1, 0.2, folds_of()))
    assert ends(tmp_path, experiment) == [EarlyEnd(7, 14), EarlyEnd(7, 14), None]


def test_it_is_judged_anew_after_every_end_and_every_extension(tmp_path: Path) -> None:
    experiment, spaces = ending(14), spaces_of(tmp_path, "a", "b", "floor")
    ledger = ledger_of(tmp_path, experiment, spaces)
    finish(ledger, "a", 6)
    finish(ledger, "b", 6)
    assert ledger.turns.target("a") == 6
    ledger.turns.extend(10)
    assert (ledger.turns.target("a"), ledger.turns.target("floor")) == (6, 1)
    again = ledger_of(tmp_path, experiment, spaces)
    assert again.turns.target("b") == 6
    finish(again, "floor")
    assert ends(tmp_path, experiment)[:2] == [EarlyEnd(6, 24)] * 2


def test_a_mark_that_a_crash_has_lost_is_made_up_for_when_a_session_begins(tmp_path: Path) -> None:
    experiment, spaces = ending(14), spaces_of(tmp_path, "a", "b", "floor")
    ledger = ledger_of(tmp_path, experiment, spaces)
    for family in ("floor", *["a", "b"] * 6):
        finish(ledger, family)
    marked = [EarlyEnd(6, 14), EarlyEnd(6, 14), None]
    assert ends(tmp_path, experiment) == marked
    path = tmp_path / JOURNAL
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if '"enough"' not in line))
    assert ends(tmp_path, experiment) == [None, None, None]
    ledger_of(tmp_path, experiment, spaces)
    assert ends(tmp_path, experiment) == marked


def test_a_search_that_used_its_whole_budget_was_not_ended_early(tmp_path: Path) -> None:
    experiment = ending(2)
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a", "b", "floor"))
    while family := ledger.turns.next_family():
        finish(ledger, family)
    assert [len(ledger.trials(name)) for name in ("a", "b", "floor")] == [2, 2, 1]
    assert all("enough" not in study_at(tmp_path, name).user_attrs for name in ("a", "b", "floor"))


def test_a_family_waits_for_what_others_still_have_to_end_and_a_floor_for_nobody(
    tmp_path: Path,
) -> None:
    experiment = ending(3)
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a", "b", "floor"))

    def waiting() -> list[bool]:
        return [ledger.turns.waits(name) for name in ("a", "b", "floor")]

    finish(ledger, "floor")
    assert waiting() == [False, False, False]
    finish(ledger, "a")
    assert waiting() == [True, False, False]  # b has yet to begin its first
    first = ledger.ask("b")
    assert waiting() == [True, True, False]
    assert ledger.measured(first.id, {"parameters": 50})
    ledger.prune(first.id)
    assert waiting() == [False, False, False]
    ledger.measured(ledger.ask("a").id, {"parameters": 200})  # is none that others are behind of
    assert waiting() == [False, False, False]
    finish(ledger, "a", 2)
    finish(ledger, "b")
    last = ledger.ask("b")
    assert (ledger.turns.lacking("b"), waiting()) == (0, [True, True, False])
    ledger.fail(last.id, "no memory")
    assert waiting() == [False, False, False]


def test_nobody_waits_for_a_family_that_gave_up_but_for_others_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_module, "REFUSALS", 2)
    experiment = ending(1)
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a", "b", "floor"))
    while ledger.turns.lacking("b"):
        ledger.measured(ledger.ask("b").id, {"parameters": 200})
    asked = ledger.ask("a")
    assert ledger.turns.waits("a")  # for its own trial
    ledger.report(asked.id, report_of(1, 0.2))
    ledger.complete(asked.id, report_of(1, 0.2, folds_of()))
    assert not ledger.turns.waits("a")


def test_without_the_rule_nobody_waits(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, study_of("a", "b"), spaces_of(tmp_path, "a", "b"))
    finish(ledger, "a")
    assert [ledger.turns.waits("a"), ledger.turns.waits("b")] == [False, False]
