from pathlib import Path
from random import Random
from typing import Any

import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial
from simulated import rows, sweep
from sweeps import FAMILIES, ledger_of, spaces_of, study_of

from recsweep.records.earlier import EarlierStudy, EarlierTrial
from recsweep.search.earlier import first_configurations, kept
from recsweep.search.replay import replay
from recsweep.search.sampler import trial_sampler
from recsweep.search.seen import seeing
from recsweep.search.storage import JOURNAL, kept_earlier, open_family, open_storage
from recsweep.spaces.parameter import Parameter
from recsweep.spaces.space import Space

STUDY = study_of("a", "b", trials=6, repeatable=True, warm_start=["results/before"])


def earlier(level: float = 0.0, n: int = 20) -> EarlierStudy:
    """Trials of a study in which .7 was best; all scores stand `level` higher than they would."""
    xs = [0.5, *(i / n for i in range(n))]
    trials = (
        EarlierTrial(f"a-{i:04d}", "complete", {"x": x}, {1: level, 2: level + 1 - (x - 0.7) ** 2})
        for i, x in enumerate(xs)
    )
    return EarlierStudy("results/before", "f00", 0, tuple(trials))


def space_of(folder: Path) -> Space:
    return spaces_of(folder, "a")["a"]


def test_the_defaults_come_first_then_the_best_of_each_earlier_study_in_turn(
    tmp_path: Path,
) -> None:
    space = space_of(tmp_path)
    other = EarlierStudy(
        "results/other", "f01", 0, (EarlierTrial("a-0000", "complete", {"x": 0.1}, {1: 0.0}),)
    )
    first = [config["x"] for config in first_configurations(space, (earlier(), other), False)]
    assert first == [0.5, 0.7, 0.1, 0.65]
    worst = [config["x"] for config in first_configurations(space, (earlier(),), True)]
    assert worst == [0.5, 0.0, 0.05, 0.1]


def test_of_the_space_s_other_first_trials_those_that_are_known_are_not_run_again(
    tmp_path: Path,
) -> None:
    space = space_of(tmp_path).model_copy(update={"first_trials": ({"x": 0.1}, {"x": 0.11})})
    first = [config["x"] for config in first_configurations(space, (earlier(),), False)]
    assert first == [0.5, 0.7, 0.65, 0.75, 0.11]
    assert first_configurations(space, (), False) == [{"x": 0.5}, {"x": 0.1}, {"x": 0.11}]


def suggestions(space: Space, level: float, own: dict[float, float]) -> list[float]:
    """Of 20 samplers, after these trials of its own."""
    found = []
    for number in range(20):
        sampler = trial_sampler(STUDY, "a", space, number)
        study = optuna.create_study(
            direction="maximize", sampler=seeing(sampler, space, (earlier(level),), False)
        )
        for x, value in own.items():
            study.enqueue_trial({"x": x})
            trial = study.ask()
            trial.suggest_float("x", 0, 1)
            study.tell(trial, value)
        found.append(study.ask().suggest_float("x", 0, 1))
    return found


def test_the_sampler_draws_near_what_earlier_studies_found_good(tmp_path: Path) -> None:
    found = suggestions(space_of(tmp_path), 0.0, {})
    assert sum(0.55 <= x <= 0.85 for x in found) >= 16  # 6 at random


@pytest.mark.parametrize("level", [-100.0, 100.0])
def test_the_level_of_another_data_set_s_scores_has_no_say(tmp_path: Path, level: float) -> None:
    """Both have tried the defaults and .7; here, .2 turns out to be better than either."""
    own = {0.5: 0.96, 0.7: 1.0, 0.2: 1.5, 0.21: 1.5, 0.19: 1.5}
    space = space_of(tmp_path)
    assert suggestions(space, level, own) == pytest.approx(suggestions(space, 0.0, own))


def test_curves_of_an_earlier_study_move_with_its_scores(tmp_path: Path) -> None:
    """A sampler ranks stopped trials by them."""
    shown: list[FrozenTrial] = []

    class Looking(RandomSampler):
        def sample_independent(self, study: Any, *rest: Any) -> Any:
            shown[:] = study._get_trials()
            return super().sample_independent(study, *rest)

    sampler = seeing(Looking(), space_of(tmp_path), (earlier(100.0),), False)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.enqueue_trial({"x": 0.5})
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    study.tell(trial, 40.96)  # 60 less than there
    study.ask().suggest_float("x", 0, 1)
    assert shown[0].value == pytest.approx(40.96)
    assert shown[0].intermediate_values == pytest.approx({1: 40.0, 2: 40.96})


def test_a_repeatable_warm_search_is_the_same_whatever_happens_and_can_be_replayed(
    tmp_path: Path,
) -> None:
    def begin(folder: Path) -> Path:
        folder.mkdir()
        spaces, storage = spaces_of(folder, "a", "b"), open_storage(folder)
        for name, space in spaces.items():
            open_family(storage, name, space, STUDY, "data", (earlier(3.0),))
        return folder

    quiet, busy = begin(tmp_path / "quiet"), begin(tmp_path / "busy")
    sweep(quiet, STUDY, 1, Random(1))
    sessions = sweep(busy, STUDY, 4, Random(2), deaths=3)
    assert rows(busy, STUDY) == rows(quiet, STUDY)
    found = replay(busy, FAMILIES)
    assert (found.difference, found.ends, found.sessions) == (None, 12, sessions)
    assert kept_earlier(busy) == {name: (earlier(3.0),) for name in ("a", "b")}


def test_another_earlier_study_in_the_journal_is_another_search(tmp_path: Path) -> None:
    spaces, storage = spaces_of(tmp_path, "a", "b"), open_storage(tmp_path)
    for name, space in spaces.items():
        open_family(storage, name, space, STUDY, "data", (earlier(),))
    sweep(tmp_path, STUDY, 2, Random(1))
    path = tmp_path / JOURNAL
    path.write_text(path.read_text().replace('\\"x\\":0.7}', '\\"x\\":0.01}'))
    assert "derived" in str(replay(tmp_path, FAMILIES).difference)


def test_a_study_without_earlier_ones_has_its_sampler_itself(tmp_path: Path) -> None:
    sampler = trial_sampler(STUDY, "a", space_of(tmp_path), 0)
    assert seeing(sampler, space_of(tmp_path), (), False) is sampler
    ledger = ledger_of(tmp_path, study_of("a"), spaces_of(tmp_path, "a"))
    assert kept(ledger._studies["a"]) == ()


@pytest.mark.parametrize("startup", [2, 100])  # joint draws, and those one by one
def test_optuna_books_the_value_that_is_trained(tmp_path: Path, startup: int) -> None:
    power = Parameter(name="x", int=(1, 64), pow2=True, role="nuisance", why="decides the score")
    space = space_of(tmp_path).model_copy(update={"parameters": {"x": power}})
    sampler = optuna.samplers.TPESampler(seed=0, n_startup_trials=startup)
    study = optuna.create_study(sampler=seeing(sampler, space, (), False))
    for _ in range(12):
        trial = study.ask()
        config = space.suggest(trial)
        assert config["x"] == trial.params["x"]
        assert space.parameters["x"].problem(config["x"]) is None
        study.tell(trial, float(config["x"]))
