"""Repeated searches of a real study: Optuna proposes, trials train, the test is opened."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from studies import study_with, trial_row
from tiny import World
from trials_here import run_trials_here
from worlds import experiment_of

from recsweep.cli.confirmation_lines import confirmation_lines
from recsweep.config.schema import Budget, Experiment
from recsweep.records.confirmation import Confirmation
from recsweep.records.confirmation_files import read_confirmation, read_learners
from recsweep.records.files import read_study
from recsweep.records.openings import Opened, read_openings
from recsweep.records.selection import read_best
from recsweep.spaces.declared import DeclaredSpace
from recsweep.stages.confirm import searches
from recsweep.stages.confirm.searches import (
    Search,
    own_search,
    repeat_searches,
    repeated_experiment,
)
from recsweep.stages.confirm.stage import confirm_stage
from recsweep.stages.report import report_stage


@pytest.fixture(scope="module")
def searched(_finished: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The finished study, searched three times and confirmed."""
    world = World(tmp_path_factory.mktemp("searched") / "project")
    shutil.copytree(_finished.root, world.root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINY_LOG", str(world.root))
        patch.setenv("WANDB_MODE", "disabled")
        run_trials_here(patch)
        repeats = repeat_searches(world.study, world.root, 3)
        confirm_stage(world.study, world.root, repeats=repeats, workers=1)
        yield world


def confirmation_of(world: World) -> Confirmation:
    found = read_confirmation(world.study)
    assert found is not None
    return found


@pytest.mark.slow
def test_verdicts_speak_of_families_only_after_repeated_searches(searched: World) -> None:
    confirmation = confirmation_of(searched)
    assert confirmation.scope == "families"
    assert all("3 searches; applies to the model families" in v for v in confirmation.verdicts)
    assert {(pair.seeds_a, pair.seeds_b) for pair in confirmation.pairs} == {(3, 3)}


@pytest.mark.slow
def test_every_search_has_the_same_budget_folds_and_spaces_but_seeds_of_its_own(
    searched: World,
) -> None:
    own = read_study(searched.study)
    seeds = [*own_search(own, searched.study).seeds, *{t.seed for t in own.trials}]
    for number in (2, 3):
        repeat = read_study(searched.study / "searches" / str(number))
        assert repeat.spaces == own.spaces
        assert repeat.experiment.folds == own.experiment.folds
        assert repeat.fingerprint == own.fingerprint
        assert len(repeat.trials) == len(own.trials)
        seeds += [*Search(repeat, {}).seeds, *{trial.seed for trial in repeat.trials}]
    assert len(seeds) == len(set(seeds))  # refits have others than trials, too


@pytest.mark.slow
def test_what_each_search_selected_is_written_down_before_the_test_is_read(
    searched: World,
) -> None:
    (opening,) = read_openings(searched.study)
    assert opening.repeated == confirmation_of(searched).repeated
    assert len(opening.repeated) == 2
    for number, selected in enumerate(opening.repeated, 2):
        best = read_best(
            searched.study / "searches" / str(number) / "best" / "matrix_factorization.yaml"
        )
        assert selected["matrix_factorization"].config == best.config
        assert best.command.endswith(f"searches/{number}/best/matrix_factorization.yaml")


@pytest.mark.slow
def test_a_row_of_the_comparison_is_the_mean_over_a_searchs_seeds(searched: World) -> None:
    confirmation, table = confirmation_of(searched), read_learners(searched.study)
    for name, family in confirmation.families.items():
        rows = table.filter(family=name)
        assert rows["search"].unique().sort().to_list() == [1, 2, 3]
        assert rows.n_unique("seed") == 6
        assert family.metrics["ndcg@10"].mean == pytest.approx(rows["ndcg@10"].mean())
    mf = table.filter(family="matrix_factorization")["ndcg@10"].to_numpy().reshape(3, 2, -1)
    assert not np.array_equal(mf[0], mf[1])


@pytest.mark.slow
def test_a_family_with_nothing_to_tune_finds_the_same_in_every_search(searched: World) -> None:
    values = read_learners(searched.study).filter(family="popularity")["ndcg@10"]
    rows = values.to_numpy().reshape(6, -1)
    assert (rows == rows[0]).all()


@pytest.mark.slow
def test_without_a_number_a_study_stays_as_often_searched_and_closed(searched: World) -> None:
    repeats = repeat_searches(searched.study, searched.root)
    assert len(repeats) == 2
    again = confirm_stage(searched.study, searched.root, repeats=repeats, workers=1)
    assert not again.opened


@pytest.mark.slow
def test_page_and_terminal_say_how_often_was_searched(searched: World) -> None:
    reported = report_stage(searched.study, searched.root, "zh")
    assert "搜索了 3 次" in reported.page.read_text("utf-8")
    english = (searched.study / "report.html").read_text("utf-8")
    assert "was searched 3 times" in english
    assert "3 searches a family" in english
    repeats = repeat_searches(searched.study, searched.root)
    confirmed = confirm_stage(searched.study, searched.root, repeats=repeats, workers=1)
    lines = list(confirmation_lines(confirmed, searched.study))
    assert [
        line for line in lines if line.startswith("Sealed test") and line.endswith("3 searches")
    ]


@pytest.mark.slow
def test_an_extended_study_extends_its_repetitions(searched: World) -> None:
    study = read_study(searched.study)
    (mf,) = [trial for trial in study.trials if trial.family == "matrix_factorization"]
    longer = replace(study, trials=(*study.trials, replace(mf, number=1)))
    assert repeated_experiment(study, 2).budget.trials == 1
    assert repeated_experiment(longer, 2).budget.trials == 2
    seconds = study.experiment.model_copy(update={"budget": Budget(seconds=60)})
    repeated = repeated_experiment(replace(longer, experiment=seconds), 2)
    assert (repeated.budget.trials, repeated.budget.seconds) == (None, 60)


@pytest.mark.slow
def test_the_longest_study_name_leaves_room_for_the_number(searched: World) -> None:
    study = read_study(searched.study)
    named = study.experiment.model_copy(update={"study": "s" * 64})
    repeated = repeated_experiment(replace(study, experiment=named), 12)
    assert Experiment.model_validate(repeated.model_dump()) == repeated


TUNED = {"x": {"float": [0.0, 1.0], "role": "nuisance", "why": "x"}}
OPENED = Opened(kind="gru", trial="gru-0001", config={}, epochs=1)


def tuned(trials: int, **changes: object) -> Any:
    """A study of `gru` with so many trials of it, and one of a family with nothing to tune."""
    experiment = experiment_of(families=["gru", "popularity"], seed=7, **changes)
    rows = [trial_row(n, (0.1,)) for n in range(trials)]
    floor = [trial_row(n, (0.1,), family="popularity") for n in range(9)]
    study = study_with(*rows, *floor, experiment=experiment)
    space = DeclaredSpace.model_validate({"family": "gru", "parameters": TUNED})
    return replace(study, spaces={**study.spaces, "gru": space})


def test_refits_have_seeds_from_nine_thousand_on() -> None:
    study = tuned(1, confirm={"seeds": 3})
    assert Search(study, {}).seeds == (9007, 9008, 9009)


def test_a_repeated_search_asks_the_same_with_seeds_ten_thousand_apart() -> None:
    study = tuned(4, storage={"mirror": "s3://bucket/place"}, budget={"trials": 2})
    found = repeated_experiment(study, 3)
    assert (found.study, found.seed, found.budget.trials) == ("test-search-3", 20_007, 4)
    assert found.storage.mirror is None
    same = {"study", "seed", "budget", "storage"}
    assert found.model_dump(exclude=same) == study.experiment.model_dump(exclude=same)
    assert repeated_experiment(study, 2).seed == 10_007
    untuned = replace(study, spaces={**study.spaces, "gru": DeclaredSpace(family="gru")})
    assert repeated_experiment(untuned, 2).budget.trials == 1


def test_a_repeated_search_has_as_many_trials_as_the_family_that_had_most() -> None:
    study, other = tuned(4), trial_row(0, (0.1,), family="popularity")
    spaces = dict.fromkeys(study.experiment.families, study.spaces["gru"])  # both are tuned
    for trials in ((*study.trials_of("gru"), other), (other, *study.trials_of("gru"))):
        uneven = replace(study, spaces=spaces, trials=trials)
        assert repeated_experiment(uneven, 2).budget.trials == 4


def test_the_study_s_own_search_selects_and_takes_its_ensemble_along(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    study = tuned(1)

    def choose(*asked: object) -> Any:
        assert asked == (study, tmp_path)
        return SimpleNamespace(opened={"gru": OPENED})

    monkeypatch.setattr(searches, "choose", choose)
    monkeypatch.setattr("recsweep.records.ensemble.read_ensemble", lambda *asked: OPENED)
    assert own_search(study, tmp_path) == Search(study, {"gru": OPENED, "ensemble": OPENED})


def searched_again(
    monkeypatch: pytest.MonkeyPatch, folder: Path, count: int | None, before: int | None
) -> tuple[list[Any], tuple[Any, ...]]:
    """The inputs of every search that is run, and what comes back."""
    study, inputs = tuned(4), list[Any]()

    def sweep(asked: Any, listeners: Any) -> Any:
        assert listeners == ("listener",)
        inputs.append(asked)
        return f"study {asked.experiment.study}", "session"

    stand_ins = {
        "read_study": lambda at: study,
        "read_confirmation": lambda at: (
            None if before is None else SimpleNamespace(repeated=range(before))
        ),
        "searched_data": lambda of, root: ("data of", of, root),
        "development_folds": lambda data, experiment: ("folds of", experiment),
        "bound_spaces": lambda of, at: ("spaces of", of, at),
        "kept_earlier": lambda at: {"kept in": at},
        "sweep": sweep,
        "select_stage": lambda place, root: SimpleNamespace(opened={"selected in": place}),
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(searches, name, stand_in)
    found = repeat_searches(folder, Path("root"), count, listeners=("listener",))  # type: ignore[arg-type]
    return inputs, found


def test_each_repetition_is_run_in_a_folder_of_its_own_on_the_study_s_data_and_spaces(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    inputs, found = searched_again(monkeypatch, tmp_path, 3, None)
    study = tuned(4)
    places = [tmp_path / "searches" / "2", tmp_path / "searches" / "3"]
    assert [each.folder for each in inputs] == places
    assert [each.experiment for each in inputs] == [repeated_experiment(study, n) for n in (2, 3)]
    for each in inputs:
        assert each.dataset == ("data of", study, Path("root"))
        assert each.folds == ("folds of", study.experiment)
        assert each.spaces == ("spaces of", study, tmp_path / "study.json")
        assert each.earlier == {"kept in": tmp_path}
        assert not each.widen
    assert [search.study for search in found] == ["study test-search-2", "study test-search-3"]
    assert [search.selected for search in found] == [{"selected in": place} for place in places]


@pytest.mark.parametrize(
    ("count", "before", "run"),
    [(None, None, 0), (None, 0, 0), (None, 1, 1), (None, 2, 2), (1, 2, 0), (2, 2, 1), (4, 0, 3)],
)
def test_a_study_is_searched_so_often_or_as_often_as_it_was(
    count: int | None, before: int | None, run: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    inputs, found = searched_again(monkeypatch, tmp_path, count, before)
    assert (len(inputs), len(found)) == (run, run)
