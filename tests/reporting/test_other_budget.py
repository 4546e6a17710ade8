"""Two tuned families by plain numbers: `slow` takes 10 s a trial, `quick` 2 s."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from studies import NOW, scores, study_with, trial_row
from worlds import experiment_of

from recsweep.config.schema import Budget
from recsweep.records.selection import Selection
from recsweep.records.study import Study, TrialRow
from recsweep.reporting.answer import answer_of
from recsweep.reporting.leaderboard import markdown
from recsweep.reporting.other_budget import Instead, other_budget
from recsweep.reporting.page import write_page
from recsweep.reporting.sections.budgets import under_the_other
from recsweep.reporting.view import View
from recsweep.spaces.declared import DeclaredSpace
from recsweep.spaces.parameter import Parameter
from recsweep.stages.select.rules import select

X = {"x": Parameter(float=(0.0, 1.0), role="scientific", why="decides the score")}


def trials(family: str, seconds: float, *values: float) -> list[TrialRow]:
    return [
        replace(
            trial_row(n, (value,), family=family, fit_seconds=seconds),
            evaluate_seconds=0.0,
            started=NOW + timedelta(minutes=n),
        )
        for n, value in enumerate(values)
    ]


def study_of(*rows: TrialRow, seconds: float | None = None) -> Study:
    names = dict.fromkeys(row.family for row in rows)
    experiment = experiment_of(families={name: f"{name}.yaml" for name in names})
    if seconds is not None:
        budget = Budget(seconds=seconds)
        experiment = experiment.model_copy(update={"budget": budget})
    study = study_with(*rows, experiment=experiment)
    kinds = {"slow": "gru", "quick": "lstm", "once": "item_knn", "floor": "popularity"}
    spaces = {
        name: DeclaredSpace(family=kinds[name], parameters={} if name == "floor" else X)
        for name in names
    }
    return replace(study, spaces=spaces)


def view_of(study: Study, lang: str = "en") -> View:
    return View(study, select(study, lambda trial: scores((0.0, 0.0))), lang)


SLOW = trials("slow", 10, 0.3, 0.4, 0.5)  # ends at 10, 20, 30 s
QUICK = trials("quick", 2, 0.1, 0.4, 0.2)  # 2, 4, 6 s
FLOOR = trials("floor", 90, 0.05)


def test_a_family_whose_best_came_later_than_the_others_had_time_would_have_another() -> None:
    quick = trials("quick", 6, 0.1, 0.45, 0.2)  # 6, 12, 18 s
    view = view_of(study_of(*SLOW, *quick, *FLOOR))
    found = other_budget(view.study, view.selection)
    assert found is not None
    assert (found.kind, found.amount, found.set_by) == ("seconds", 18, "quick")
    assert found.others == (Instead("slow", selected=0.5, instead=0.3),)
    assert (found.leader_before, found.leader) == ("slow", "quick")
    said = (
        "With equal seconds (18 s a tuned family, as many as quick used), other configurations "
        "would have been selected: slow 0.3000 instead of 0.5000. On the folds quick would lead, "
        "not slow."
    )
    assert under_the_other(view) == said


def test_trials_count_in_the_order_in_which_they_began() -> None:
    first, second, third = SLOW
    early = replace(third, started=NOW - timedelta(minutes=1))
    view = view_of(study_of(first, second, early, *trials("quick", 6, 0.1, 0.4, 0.2)))
    found = other_budget(view.study, view.selection)
    assert found is not None
    assert found.others == ()
    assert "the same configurations would have been selected" in under_the_other(view)


def test_a_family_without_a_complete_trial_by_then_would_have_none() -> None:
    view = view_of(study_of(*SLOW, *QUICK))  # 6 s: the first slow trial takes 10
    found = other_budget(view.study, view.selection)
    assert found is not None
    assert found.others == (Instead("slow", 0.5, None),)
    assert "slow none (no complete trial by then) instead of 0.5000" in under_the_other(view)


def test_stopped_and_failed_trials_use_seconds_but_are_not_selected() -> None:
    stopped, kept, best = trials("slow", 4, 0.9, 0.3, 0.5)
    stopped = replace(stopped, state="pruned")
    view = view_of(study_of(stopped, kept, best, *trials("quick", 3, 0.1, 0.4, 0.2)))  # 9 s
    found = other_budget(view.study, view.selection)
    assert found is not None
    assert found.others == (Instead("slow", 0.5, 0.3),)


def test_a_family_that_is_fitted_in_one_pass_sets_no_budget() -> None:
    once = trials("once", 0.1, 0.1, 0.7)
    quick = trials("quick", 6, 0.1, 0.45, 0.2)
    view = view_of(study_of(*SLOW, *quick, *once))
    found = other_budget(view.study, view.selection)
    assert found is not None
    assert (found.amount, found.set_by) == (18, "quick")
    assert found.leader == "once"
    view = view_of(study_of(*SLOW, *once))
    assert other_budget(view.study, view.selection) is None


def test_a_study_of_equal_seconds_is_asked_about_equal_trials() -> None:
    quick = trials("quick", 2, 0.1, 0.4, 0.2, 0.6)
    view = view_of(study_of(*SLOW, *quick, seconds=8))
    found = other_budget(view.study, view.selection)
    assert found is not None
    assert (found.kind, found.amount, found.set_by) == ("trials", 3, "slow")
    assert found.others == (Instead("quick", 0.6, 0.4),)
    assert "equal trials (3 a tuned family, as many as slow had)" in under_the_other(view)
    assert "3 次" in under_the_other(view_of(view.study, "zh"))


@pytest.mark.parametrize(
    "rows",
    [(*SLOW, *FLOOR), (*trials("slow", 0, 0.1), *trials("quick", 0, 0.2))],
    ids=["one tuned family", "no seconds kept"],
)
def test_where_it_cannot_be_told_nothing_is_said(rows: tuple[TrialRow, ...]) -> None:
    view = view_of(study_of(*rows))
    assert other_budget(view.study, view.selection) is None
    assert under_the_other(view) == ""


@pytest.mark.parametrize("seconds", [None, 60.0])
def test_the_page_and_the_leaderboard_tell_of_both_budgets(
    make_study: Callable[..., Study],
    selection_of: Callable[[Study], Selection],
    tmp_path: Path,
    seconds: float | None,
) -> None:
    study = make_study(4, {name: name for name in ("gru", "matrix_factorization")})
    if seconds:
        budget = Budget(seconds=seconds, epochs=8)
        study = replace(study, experiment=study.experiment.model_copy(update={"budget": budget}))
    selection = selection_of(study)
    said = {lang: under_the_other(View(study, selection, lang)) for lang in ("en", "zh")}
    assert said["en"].startswith("With equal trials" if seconds else "With equal seconds")
    assert said["en"] in markdown(study, selection, answer_of(study, selection, None), None)
    for lang, text in said.items():
        page = write_page(study, selection, None, tmp_path, lang).read_text("utf-8")
        assert text in page
        assert ("until 60 s of fitting" in page or "直到用满 60 秒" in page) == bool(seconds)
