from pathlib import Path
from random import Random
from typing import Any

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.samplers import RandomSampler
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
from recsweep.spaces.widen import with_ranges

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


class Looking(RandomSampler):
    """Keeps the study that it was shown last."""

    shown: Any = None

    def sample_independent(self, study: Any, *rest: Any) -> Any:
        self.shown = study
        return super().sample_independent(study, *rest)

    def trials(self) -> list[tuple[str, float | None, dict[int, float]]]:
        """State, value and curve of each that it is shown."""
        return [
            (t.state.name, t.value, {n: round(v, 9) for n, v in t.intermediate_values.items()})
            for t in self.shown._get_trials()
        ]


def looked(space: Space, *earlier: EarlierStudy, own: dict[float, float], **how: Any) -> Looking:
    """What a sampler is shown after these trials of the study's own."""
    sampler, lower_is_better = Looking(), how.pop("lower_is_better", False)
    study = optuna.create_study(
        direction="minimize" if lower_is_better else "maximize",
        sampler=seeing(sampler, space, earlier, lower_is_better, **how),
    )
    for x, value in own.items():
        study.enqueue_trial({"x": x})
        trial = study.ask()
        trial.suggest_float("x", 0, 1)
        study.tell(trial, value)
    study.ask().suggest_float("x", 0, 1)
    return sampler


@pytest.mark.parametrize(("less_is_better", "best"), [(False, (0.25, 0.5)), (True, (0.125, 0.5))])
def test_an_earlier_studys_trials_stand_first_by_their_best_epoch_and_move_by_the_mean_difference(
    tmp_path: Path, less_is_better: bool, best: tuple[float, float]
) -> None:
    past = EarlierStudy(
        "results/before",
        "f00",
        0,
        (
            EarlierTrial("a-0000", "complete", {"x": 0.5}, {1: 0.125, 2: 0.25}),
            EarlierTrial("a-0001", "complete", {"x": 0.75}, {1: 0.5}),
            EarlierTrial("a-0002", "pruned", {"x": 0.25}, {1: 0.0625}),
        ),
    )
    one, two = best
    own = {0.5: one + 1.0, 0.75: two + 2.0, 0.25: 9.0}  # what was stopped has no score to compare
    sampler = looked(space_of(tmp_path), past, own=own, lower_is_better=less_is_better)
    assert sampler.trials() == [
        ("COMPLETE", one + 1.5, {1: 1.625, 2: 1.75}),
        ("COMPLETE", two + 1.5, {1: 2.0}),
        ("PRUNED", None, {1: 1.5625}),
        *(("COMPLETE", value, {}) for value in own.values()),
        ("RUNNING", None, {}),
    ]
    sampler = looked(space_of(tmp_path), past, own={0.1: 5.0}, lower_is_better=less_is_better)
    assert [value for _, value, _ in sampler.trials()] == [one, two, None, 5.0, None]


def test_each_earlier_study_has_a_level_of_its_own(tmp_path: Path) -> None:
    levels = [
        EarlierStudy("x", "f00", 0, (EarlierTrial("a-0000", "complete", {"x": 0.5}, {1: level}),))
        for level in (10.0, 20.0)
    ]
    sampler = looked(space_of(tmp_path), *levels, own={0.5: 1.0})
    assert [value for _, value, _ in sampler.trials()] == [1.0, 1.0, 1.0, None]


def test_trials_from_before_a_range_was_widened_show_the_range_of_today(tmp_path: Path) -> None:
    narrow = space_of(tmp_path)
    wide = with_ranges({"a": narrow}, ["a.x=0:3"], FAMILIES)["a"]
    sampler = looked(wide, own={0.5: 1.0}, widened=True)
    (shown, _), (own, _) = sampler.shown._get_trials(False), sampler.shown._study.trials
    assert shown.distributions == {"x": FloatDistribution(0, 3)}
    assert own.distributions == {"x": FloatDistribution(0, 1)}
    assert (shown.value, shown.params) == (1.0, {"x": 0.5})
    sampler = looked(narrow, own={0.5: 1.0}, widened=True)
    first = sampler.shown._get_trials(False)[0]
    assert first is sampler.shown._study._get_trials(False)[0]  # of today already


@pytest.mark.parametrize("cost", [None, "parameters"])
def test_of_two_goals_the_study_is_shown_with_both(tmp_path: Path, cost: Any) -> None:
    sampler = looked(space_of(tmp_path), own={}, widened=True, cost=cost)
    goals = ["MAXIMIZE", "MINIMIZE"] if cost else ["MAXIMIZE"]
    assert [direction.name for direction in sampler.shown.directions] == goals


def test_curves_of_an_earlier_study_move_with_its_scores(tmp_path: Path) -> None:
    """A sampler ranks stopped trials by them."""
    sampler = looked(space_of(tmp_path), earlier(100.0), own={0.5: 40.96})  # 60 less than there
    state, value, curve = sampler.trials()[0]
    assert (state, curve) == ("COMPLETE", {1: 40.0, 2: 40.96})
    assert value == pytest.approx(40.96)


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
    assert seeing(sampler, space_of(tmp_path), (), False, widened=True) is not sampler
    assert seeing(sampler, space_of(tmp_path), (), False, cost="parameters") is not sampler
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
