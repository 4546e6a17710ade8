import math
import pickle
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from families import FAMILIES
from rich.console import Console
from sweeps import folds_of
from treatments import uplift_experiment
from worlds import experiment_of, training_of

from recsweep.cli.plan_table import plan_table
from recsweep.config.schema import Resources
from recsweep.data.types import Fold
from recsweep.models.registry import families_of
from recsweep.search import plan as plan_module
from recsweep.search.plan import (
    FamilyPlan,
    Plan,
    _in_child,
    _local_workers,
    _measure,
    _measure_all,
    _Measured,
    _peak,
    _rough_seconds,
    _size,
    plan,
    trials_within,
)
from recsweep.search.stopping import rungs
from recsweep.spaces.files import load_space
from recsweep.testing.worlds import world
from recsweep.training.cores import usable_cores
from recsweep.training.trial import Trial

NAMES = ("item_knn", "popularity", "gru")


def made(limit: float = 60.0, **changes: object) -> Plan:
    files = {name: f"search_spaces/{name}.yaml" for name in NAMES}
    experiment = experiment_of(families=files, **{"resources": {"workers": 1}, **changes})
    spaces = {name: load_space(Path(path), FAMILIES) for name, path in files.items()}
    return plan(experiment, spaces, folds_of(), limit=limit)


def test_a_plan_measures_each_family_and_counts_what_a_sweep_would_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The process that measures must not run the script again that asks for the plan.
    script = SimpleNamespace(__file__=str(tmp_path / "no_such_script.py"), __spec__=None)
    monkeypatch.setitem(sys.modules, "__main__", script)
    found = made()
    knn, popularity, gru = found.families
    assert [f.trials for f in found.families] == [12, 12, 12]
    assert (knn.rungs, popularity.rungs, gru.rungs) == ((), (), (2, 6))
    assert (knn.epochs, popularity.epochs, gru.epochs) == (1, 1, 8)
    assert (knn.expected_epochs, popularity.expected_epochs) == (12, 12)
    # 4 trials of 8 epochs, 8 trials of 2 + 4/3 + 2/9 on average.
    assert gru.expected_epochs == pytest.approx(4 * 8 + 8 * (2 + 4 / 3 + 2 / 9))
    assert gru.parameters == 11
    assert math.isinf(gru.size)
    assert all(f.problem is None and f.epoch_seconds for f in found.families)
    assert found.workers == 1
    assert found.seconds == sum(f.seconds or 0 for f in found.families) > 0
    assert found.unmeasured == []
    assert found.worker_bytes is not None
    assert 1e7 < found.worker_bytes < 1e11


@pytest.mark.parametrize(
    ("seconds", "trials"), [(1, 1), (8, 1), (9, 2), (25, 4), (32, 4), (33, 5), (35, 5), (50, 10)]
)
def test_trials_begin_until_the_seconds_are_used_the_first_of_them_full_ones(
    seconds: float, trials: int
) -> None:
    assert trials_within(seconds, full=4, full_seconds=8, usual_seconds=3) == trials


def test_the_time_of_a_plan_of_seconds_is_known_though_nothing_was_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits: list[float] = []

    def measure(experiment: object, spaces: object, folds: object, limit: float, *_: object) -> Any:
        limits.append(limit)
        return []

    monkeypatch.setattr(plan_module, "_measure", measure)
    files = {name: f"search_spaces/{name}.yaml" for name in ("item_knn", "gru")}
    experiment = experiment_of(families=files, resources={"workers": 1}, budget={"seconds": 50})
    spaces = {name: load_space(Path(path), FAMILIES) for name, path in files.items()}
    found = plan(experiment, spaces, folds_of())
    assert [f.trials for f in found.families] == [None, None]
    assert found.seconds == 100
    assert limits == [20]


def test_a_measurement_that_takes_too_long_is_given_up() -> None:
    found = made(limit=0.01)
    assert found.unmeasured == list(NAMES)
    assert [f.epoch_seconds for f in found.families] == [None] * 3


def test_a_plan_of_seconds_counts_trials_by_the_seconds_of_an_epoch_on_the_largest_fold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured = [_Measured(name, 0.5, 1) for name in NAMES]
    monkeypatch.setattr("recsweep.search.plan._measure", lambda *_: measured)
    knn, popularity, gru = made(budget={"seconds": 50}).families
    assert (knn.trials, popularity.trials) == (100, 100)
    assert gru.trials == trials_within(50, 4, 8 * 0.5, (2 + 4 / 3 + 2 / 9) * 0.5)
    events = [len(fold.training.sequences.item) for fold in folds_of()]
    assert made().measured_fold == events.index(max(events)) == 1
    assert made().workers == 1 <= made(resources={}).workers <= usable_cores()


def measured_here(
    monkeypatch: pytest.MonkeyPatch, folds: Sequence[Fold], problem: str = "", **changes: object
) -> tuple[_Measured, dict[str, Any]]:
    """What is told of an epoch of two seconds in this process, and what the trial was made with."""
    asked: dict[str, Any] = {}

    def make_trial(*given: object, **named: object) -> Any:
        if problem:
            raise ValueError(problem)
        asked.update(named, folds=given[2])
        return SimpleNamespace(advance=lambda: SimpleNamespace(user_values=(np.ones(3),)))

    monkeypatch.setattr(
        "recsweep.search.plan.time", SimpleNamespace(perf_counter=iter((10.0, 12.0)).__next__)
    )
    path = Path("search_spaces/gru.yaml")
    experiment = experiment_of(families={"gru": str(path)}, **changes)
    told: list[_Measured] = []
    results: Any = SimpleNamespace(send=told.append)
    _measure_all(results, experiment, {"gru": load_space(path, FAMILIES)}, folds, make_trial)
    return told[-1], asked


def test_batches_tell_a_first_estimate_and_what_has_none_is_measured_before_whole_epochs() -> None:
    names = ("gru", "matrix_factorization", "item_knn")
    experiment = experiment_of(families={name: f"search_spaces/{name}.yaml" for name in names})
    spaces = {name: load_space(Path(f"search_spaces/{name}.yaml"), FAMILIES) for name in names}
    told: list[_Measured] = []
    results: Any = SimpleNamespace(send=told.append)
    _measure_all(results, experiment, spaces, folds_of(), Trial)
    assert [(m.family, m.rough) for m in told] == [
        ("gru", True),
        ("item_knn", False),
        ("matrix_factorization", False),  # by ALS, which has no batches
        ("gru", False),
    ]
    assert all(m.fold_seconds is not None and 0 < m.fold_seconds < m.seconds for m in told)


def test_an_estimate_by_batches_stands_where_no_epoch_is_measured_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured = [
        _Measured("gru", 3.0, 1, fold_seconds=1.0, rough=True),
        _Measured("popularity", 0.5, 1, fold_seconds=0.25),
    ]
    monkeypatch.setattr("recsweep.search.plan._measure", lambda *_: measured)
    found = made(resources={"workers": 2}, confirm={"seeds": 4})
    knn, popularity, gru = found.families
    assert (gru.epoch_seconds, gru.rough, popularity.rough) == (3.0, True, False)
    assert found.refit_seconds == (4 * 8 * 1.0 + 4 * 1 * 0.25) / 2
    assert found.unmeasured == [knn.family]
    with (console := Console(width=80)).capture() as shown:
        console.print(plan_table(found))
    assert "~3.0" in shown.get()
    assert "not counted, because too slow to measure: item_knn" in " ".join(shown.get().split())


def test_how_long_it_takes_at_most_is_told_where_trials_may_be_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured = [_Measured(name, 2.0, 1, fold_seconds=1.0) for name in NAMES]
    monkeypatch.setattr("recsweep.search.plan._measure", lambda *_: measured)
    found = made(stopping={"rule": "lag", "full_trials": 4}, budget={"trials": 12, "epochs": 16})
    gru = found.families[2]
    assert gru.expected_epochs == 4 * 16 + 8 * 4
    assert gru.most_seconds == 12 * 16 * 2
    assert found.most_seconds - found.seconds == (12 * 16 - 4 * 16 - 8 * 4) * 2
    with (console := Console(width=80)).capture() as shown:
        console.print(plan_table(found))
    assert "2–15" in shown.get()  # a family's name and its numbers fit beside that
    assert "gru  " in shown.get()


@pytest.mark.parametrize(("gpu", "device"), [(0, "cpu"), (0.5, "cuda")])
def test_an_epoch_is_measured_where_trials_will_train_and_on_the_largest_fold(
    gpu: float, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folds = folds_of()
    found, asked = measured_here(monkeypatch, folds, resources={"gpu": gpu}, seed=7)
    assert asked["device"] == torch.device(device)
    assert (asked["epochs"], asked["seed"]) == (1, 7)
    (fold,) = asked["folds"]
    small, large = (len(each.training.sequences.item) for each in folds)
    assert len(fold.training.sequences.item) == large > small
    assert found.seconds == pytest.approx(2 * (small + large) / large)
    assert found.problem is None
    assert found.learners is not None
    assert found.learners.tolist() == [1, 1, 1]


def test_the_time_of_an_epoch_on_texts_goes_by_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fold = world("text", {})
    taught = fold.training.examples
    assert taught is not None
    half = taught.at(np.arange(len(taught) // 2))
    folds = [replace(fold, training=replace(fold.training, examples=half)), fold]
    found, asked = measured_here(monkeypatch, folds)
    assert len(asked["folds"][0].training.examples) == len(taught)
    assert found.seconds == pytest.approx(2 * (1 + len(half) / len(taught)))


def test_a_family_that_cant_be_trained_by_its_defaults_is_told_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, _ = measured_here(monkeypatch, folds_of(), "no such width\nand more")
    assert found.problem == "ValueError: no such width"
    assert found.learners is None


@pytest.mark.parametrize(
    ("resources", "workers"),
    [
        ({}, 8),
        ({"cpu": 3}, 2),
        ({"cpu": 16}, 1),
        ({"workers": 3}, 3),
        ({"workers": 30}, 8),
        ({"gpu": 0.5}, 4),
        ({"gpu": 0.5, "cpu": 4}, 2),
        ({"gpu": 4}, 1),
    ],
)
def test_workers_are_as_many_as_fit_and_no_more_than_were_asked_for(
    resources: dict[str, object], workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_module, "usable_cores", lambda: 8)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert _local_workers(Resources.model_validate(resources)) == workers


def test_the_bytes_of_the_data_are_those_of_its_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "_measure", lambda *_: [])
    folds = folds_of()
    known = sum(fold.items.nbytes + fold.validation.item.nbytes for fold in folds)
    assert known < made().data_bytes < 100 * known
    assert isinstance(folds[0].items, np.ndarray)
    sequences = training_of([[0, 1], [2]]).sequences
    # Two learners' int32 codes, three int64 offsets, three items (int32), times (int64), kinds
    # (int8) and no features.
    assert _size(sequences) == 2 * 4 + 3 * 8 + 3 * (4 + 8 + 1)
    assert _size(SimpleNamespace(array=np.ones(3))) == 0  # neither an array nor a dataclass


def family_plan(**changes: Any) -> FamilyPlan:
    """12 trials of 8 epochs, which take 2 s each; 40 epochs are expected in all."""
    known = {"family": "gru", "parameters": 1, "size": math.inf, "trials": 12, "rungs": ()}
    time = {"epochs": 8, "expected_epochs": 40.0, "epoch_seconds": 2.0, "problem": None}
    return FamilyPlan(**{**known, **time, **changes})


@pytest.mark.parametrize(
    ("changes", "seconds", "most"),
    [
        ({}, 80, 192),
        ({"epoch_seconds": None}, None, None),
        ({"trials": None, "expected_epochs": None}, None, None),
        ({"epoch_seconds": None, "budget_seconds": 50}, 50, 50),
        ({"trials": None, "expected_epochs": None, "budget_seconds": 50}, 50, 50),
        ({"budget_seconds": 50}, 80, 80),  # what was begun is finished
    ],
)
def test_a_family_takes_its_expected_epochs_at_most_all_of_them_and_by_seconds_what_it_is_given(
    changes: dict[str, Any], seconds: float | None, most: float | None
) -> None:
    found = family_plan(**changes)
    assert (found.seconds, found.most_seconds) == (seconds, most)


def test_workers_share_what_was_measured_and_the_rest_is_named() -> None:
    families = (
        family_plan(refit_seconds=30.0),
        family_plan(family="sasrec", epoch_seconds=None),
        family_plan(family="item_knn", epochs=1, expected_epochs=12, refit_seconds=3.0),
    )
    found = Plan(families, workers=2, data_bytes=0, worker_bytes=None, measured_fold=0)
    assert (found.seconds, found.most_seconds) == ((80 + 24) / 2, (192 + 24) / 2)
    assert found.refit_seconds == 33 / 2
    assert found.unmeasured == ["sasrec"]


def test_a_plan_tells_of_each_family_what_was_measured_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = np.array([0.1, 0.2])
    measured = [
        _Measured("gru", 9.0, 5, fold_seconds=9.0, rough=True),
        _Measured("item_knn", 2.0, 70, "ValueError: no such width", fold_seconds=1.0),
        _Measured("gru", 4.0, 60, learners=scores, fold_seconds=3.0),
    ]
    monkeypatch.setattr(plan_module, "_measure", lambda *_: measured)
    found = made(budget={"trials": 2, "epochs": 8}, confirm={"seeds": 5})
    knn, popularity, gru = found.families
    assert (knn.problem, knn.epoch_seconds) == ("ValueError: no such width", None)
    assert (gru.epoch_seconds, gru.rough, gru.problem) == (4.0, False, None)
    assert gru.learners is scores
    assert (gru.refit_seconds, popularity.refit_seconds) == (5 * 8 * 3.0, None)
    assert knn.refit_seconds is None  # what can't be trained isn't refitted
    assert found.unmeasured == ["popularity"]  # nothing was too slow in item_knn
    # Of four first trials that are never stopped there are only two.
    assert (gru.expected_epochs, knn.expected_epochs) == (2 * 8, 2)
    assert (popularity.epoch_seconds, popularity.problem, popularity.rough) == (None, None, False)
    assert popularity.learners is None
    assert found.worker_bytes == 70
    monkeypatch.setattr(plan_module, "_measure", lambda *_: [])
    assert made().worker_bytes is None


def test_a_family_with_nothing_to_tune_has_one_trial_whatever_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan_module, "_measure", lambda *_: [_Measured("popularity", 2.0, 1)])
    path = "search_spaces/popularity.yaml"
    space = load_space(Path(path), FAMILIES).model_copy(update={"parameters": {}})
    for budget in ({"trials": 12}, {"seconds": 50}):
        experiment = experiment_of(families={"popularity": path}, budget=budget)
        (found,) = plan(experiment, {"popularity": space}, folds_of()).families
        assert (found.parameters, found.trials, found.seconds) == (0, 1, 2.0)
        assert found.budget_seconds is None


@pytest.mark.parametrize(
    ("rule", "grace", "epochs", "usual"),
    [("lag", 2, 16, 4), ("forecast", 6, 16, 6), ("lag", 8, 8, 8), ("halving", 2, 8, 32 / 9)],
)
def test_a_trial_that_may_be_stopped_is_taken_to_run_as_long_as_its_rule_usually_lets_it(
    rule: str, grace: int, epochs: int, usual: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_module, "_measure", lambda *_: [])
    stopping = {"rule": rule, "grace_epochs": grace, "reduction": 3, "full_trials": 4}
    knn, _, gru = made(stopping=stopping, budget={"trials": 5, "epochs": epochs}).families
    assert gru.expected_epochs == pytest.approx(4 * epochs + usual)
    assert knn.expected_epochs == 5


def test_what_has_one_epoch_is_not_stopped_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "_measure", lambda *_: [])
    knn, _, gru = made(stopping={"grace_epochs": 1, "reduction": 2}).families
    assert (knn.rungs, gru.rungs) == ((), (1, 2, 4))


def test_batches_and_epochs_are_told_with_seconds_of_all_folds_and_a_failure_of_batches_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = {name: f"search_spaces/{name}.yaml" for name in ("gru", "item_knn", "lstm", "sasrec")}
    experiment = experiment_of(families=paths, resources={"cpu": 3})
    spaces = {name: load_space(Path(path), FAMILIES) for name, path in paths.items()}
    trained: list[str] = []
    threads: list[int] = []

    def rough(space: Any, fold: Fold, *_: object) -> float | None:
        if space.family == "lstm":
            raise ValueError("no such width")
        return {"gru": 1.5, "sasrec": 0.5}.get(space.family)

    def make_trial(family: str, *_: object, **__: object) -> Any:
        trained.append(family)
        return SimpleNamespace(advance=lambda: SimpleNamespace(user_values=(None,)))

    clock = iter((10.0, 12.0, 20.0, 23.0, 30.0, 34.0, 40.0, 45.0)).__next__
    monkeypatch.setattr(plan_module, "time", SimpleNamespace(perf_counter=clock))
    monkeypatch.setattr(plan_module, "_rough_seconds", rough)
    monkeypatch.setattr(plan_module, "_peak", lambda: 9)
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    told: list[_Measured] = []
    results: Any = SimpleNamespace(send=told.append)
    folds = folds_of()
    _measure_all(results, experiment, spaces, folds, make_trial)
    small, large = (len(each.training.sequences.item) for each in folds)
    times = (small + large) / large
    assert told == [
        _Measured("gru", 1.5 * times, 9, fold_seconds=1.5, rough=True),
        _Measured("sasrec", 0.5 * times, 9, fold_seconds=0.5, rough=True),
        _Measured("item_knn", 2.0 * times, 9, fold_seconds=2.0),
        _Measured("lstm", 3.0 * times, 9, fold_seconds=3.0),
        _Measured("gru", 4.0 * times, 9, fold_seconds=4.0),
        _Measured("sasrec", 5.0 * times, 9, fold_seconds=5.0),
    ]
    assert trained == ["item_knn", "lstm", "gru", "sasrec"]  # lstm had no estimate yet
    assert threads == [3]


def test_only_what_is_trained_by_batches_is_estimated_by_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan_module, "seconds_per_epoch", lambda model: 7.0)
    found = {
        name: _rough_seconds(
            load_space(Path(f"search_spaces/{name}.yaml"), FAMILIES),
            folds_of()[0],
            experiment_of(),
            torch.device("cpu"),
        )
        for name in ("gru", "item_knn")
    }
    assert found == {"gru": 7.0, "item_knn": None}


@pytest.mark.parametrize(("platform", "bytes_"), [("linux", 7 * 1024), ("darwin", 7)])
def test_what_a_process_held_at_most_is_told_in_bytes_whatever_the_systems_unit(
    platform: str, bytes_: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    usage = SimpleNamespace(ru_maxrss=7)
    monkeypatch.setattr("resource.getrusage", lambda who: usage)
    assert _peak() == bytes_


class Process:
    """Measures here, and keeps what is asked of it."""

    def __init__(self, told: Sequence[_Measured], dies: bool) -> None:
        self.told, self.dies = list(told), dies
        self.asked: list[str] = []
        self.waits: list[float] = []

    def context(self, method: str) -> Any:
        assert method == "spawn"
        theirs = SimpleNamespace(close=lambda: self.asked.append("close"))

        def pipe(*, duplex: bool) -> tuple[Any, Any]:
            assert not duplex
            return SimpleNamespace(poll=self.poll, recv=self.recv), theirs

        def process(*, target: Any, args: Any, daemon: bool) -> Any:
            assert daemon  # it is not to outlive its parent
            assert target is _in_child
            assert args[0] is theirs
            names = ("start", "terminate", "kill", "join")
            return SimpleNamespace(**{name: self.ask(name) for name in names})

        return SimpleNamespace(Pipe=pipe, Process=process)

    def ask(self, name: str) -> Any:
        return lambda *given: self.asked.append(" ".join(map(str, (name, *given))))

    def poll(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return bool(self.told) or self.dies

    def recv(self) -> _Measured:
        if not self.told:
            raise EOFError
        return self.told.pop(0)


@pytest.mark.parametrize("end", ["whole", "late", "dead"])
def test_measuring_ends_when_all_is_told_or_time_is_up_or_its_process_has_died(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [_Measured("gru", 1.0, 1, rough=True), _Measured("item_knn", 1.0, 1)]
    told += [_Measured("gru", 2.0, 1)] * (end == "whole")
    process = Process(told, dies=end == "dead")
    monkeypatch.setattr("multiprocessing.get_context", process.context)
    clock = iter((100.0, 101.0, 103.0, 106.0)).__next__
    monkeypatch.setattr(plan_module, "time", SimpleNamespace(monotonic=clock))
    spaces: Any = {"gru": None, "item_knn": None}
    found = _measure(experiment_of(), spaces, folds_of(), 5.0, Trial)
    assert found == told
    ended = [] if end == "whole" else ["terminate"]
    assert process.asked == ["start", "close", *ended, "join 5", "kill", "join"]
    assert process.waits == [4.0, 2.0, 0.0]  # of five seconds, and no less than none


def test_what_is_measured_can_travel_to_another_process_in_every_family_of_uplift(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their configurations are of classes that no module has by name."""
    given: list[Any] = []

    def measure(*args: Any) -> list[Any]:
        given.extend(args)
        return []

    monkeypatch.setattr(plan_module, "_measure", measure)
    builds = families_of("uplift")
    files = {path.stem: str(path) for path in Path("search_spaces/uplift").glob("*.yaml")}
    spaces = {name: load_space(Path(path), builds) for name, path in files.items()}
    plan(uplift_experiment(families=files), spaces, folds_of())
    travelled = pickle.loads(pickle.dumps(given[:3]))[1]
    for name, space in spaces.items():
        assert travelled[name].whole(space.defaults) == space.whole(space.defaults), name
    assert {"gru", "gradient_boosting", "treat_all"} <= travelled.keys()


def test_who_measures_goes_when_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[int, Any] = {}
    given: list[object] = []
    monkeypatch.setattr("signal.signal", handlers.__setitem__)
    monkeypatch.setattr(plan_module, "_measure_all", lambda *args: given.extend(args))
    _in_child("results", "experiment")
    assert given == ["results", "experiment"]
    with pytest.raises(SystemExit):
        handlers[signal.SIGTERM](signal.SIGTERM, None)


@pytest.mark.parametrize(
    ("grace", "reduction", "epochs", "expected"),
    [(2, 3, 8, (2, 6)), (1, 2, 8, (1, 2, 4)), (2, 2, 2, ()), (1, 4, 1, ())],
)
def test_rungs_lie_below_the_full_length(
    grace: int, reduction: int, epochs: int, expected: tuple[int, ...]
) -> None:
    stopping = {"grace_epochs": grace, "reduction": reduction}
    assert rungs(experiment_of(stopping=stopping, budget={"epochs": epochs})) == expected
