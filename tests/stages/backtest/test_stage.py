"""A best configuration, walked through the sealed test: what each arm may know, what is said."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from fuzz.command import recsweep
from searched import search_by_hand
from tiny import World, tiny_experiment, write_log
from worlds import experiment_of

from recsweep.config.schema import Experiment
from recsweep.data.clock import DAY
from recsweep.data.prepared import load_dataset
from recsweep.data.sealed import unseal
from recsweep.data.types import Dataset
from recsweep.errors import BadInput
from recsweep.records.openings import Opened, read_openings
from recsweep.records.selection import read_best
from recsweep.reporting.backtest.page import write_backtest_page
from recsweep.reporting.backtest.view import BacktestView
from recsweep.stages.backtest import searches, stage
from recsweep.stages.backtest.fits import Answered, Ground
from recsweep.stages.backtest.judge import scores_of, verdicts
from recsweep.stages.backtest.searches import search_at, space_with
from recsweep.stages.backtest.stage import Backtested, backtest_stage
from recsweep.stages.backtest.steps import known_at, steps_of
from recsweep.stages.backtest.walk import walk
from recsweep.stages.confirm.searches import SEEDS_APART
from recsweep.stages.confirm.stage import confirm_stage
from recsweep.stages.sweep.stage import Inputs
from recsweep.tasks.folds import make_fold
from recsweep.tasks.registry import TASKS
from recsweep.training.refit import refit

SECONDS_A_STEP = 300  # the tiny log's hours become a month


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A confirmed study of one family that trains nothing by gradient."""
    world, patch = World(tmp_path_factory.mktemp("backtest")), pytest.MonkeyPatch()
    write_log(world.log)
    rows = pl.read_csv(world.log).with_columns(
        (1_600_000_000 + (pl.col("time") - 1_600_000_000) * SECONDS_A_STEP).alias("time")
    )
    rows.write_csv(world.log)
    patch.setenv("TINY_LOG", str(world.root))
    keys = tiny_experiment().model_dump() | {"families": ["markov"], "resources": {"workers": 1}}
    search_by_hand(world.root, Experiment.model_validate(keys), {"markov": {}}, 1)
    confirm_stage(world.study, world.root, workers=1)
    yield world
    patch.undo()


def opened(world: World) -> Dataset:
    (folder,) = (world.root / "data").glob("tiny-*")
    return unseal(load_dataset(folder))


def ground(dataset: Dataset, world: World) -> Ground:
    experiment = read_best(world.best("markov")).experiment
    return Ground(dataset, experiment, "markov", steps_of(dataset.cuts.test, "1d"), (0,))


def walked(dataset: Dataset, world: World) -> Any:
    return walk(read_best(world.best("markov")), ground(dataset, world), {}, lambda *told: None)


def test_each_arm_is_a_model_of_what_it_may_know_scored_on_the_step(world: World) -> None:
    """Held against models that are fitted here, one by one."""
    dataset = opened(world)
    shared = ground(dataset, world)
    experiment, windows = shared.experiment, shared.windows
    task, found = TASKS["next_item"], walked(dataset, world)
    for step in found["steps"][1:3]:
        for arm, cut in (("refit", windows[step.number][0]), ("never", windows[0][0])):
            fold = make_fold(
                "step", dataset.development, windows[step.number], dataset, experiment, cut
            )
            model = refit(
                "markov", {}, fold.training, epochs=1, seed=0, device=torch.device("cpu"), task=task
            )
            scorer = task.scorer(fold.validation, fold.n_items, torch.device("cpu"))
            means, _ = task.summarise(scorer.outcomes(model), fold.validation, experiment.metric)
            assert step.scores[arm] == means["ndcg@10"]
    assert found["steps"][0].scores["refit"] == found["steps"][0].scores["never"]
    assert found["targets"] == sum(step.targets for step in found["steps"])


def test_nothing_that_comes_later_moves_a_step(world: World) -> None:
    """Every event from the third step on is on another course: the first two stay as they are."""
    dataset = opened(world)
    events, border = dataset.development, ground(dataset, world).windows[2][0]
    late = events.time >= border
    item = np.where(late, (events.item + 3) % dataset.n_items, events.item).astype(np.int32)
    changed = replace(dataset, development=replace(events, item=item))
    before, after = (walked(each, world)["steps"] for each in (dataset, changed))
    assert [s.scores for s in before[:2]] == [s.scores for s in after[:2]]
    assert [s.scores for s in before[2:]] != [s.scores for s in after[2:]]


def test_a_search_at_a_step_sees_what_was_known_by_then(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folds, its budget and its seed; it is nobody's run at W&B."""
    seen = list[Inputs]()

    def stop(inputs: Inputs, **given: object) -> None:
        seen.append(inputs)
        raise KeyboardInterrupt

    monkeypatch.setattr(searches, "sweep", stop)
    best, dataset = read_best(world.best("markov")), opened(world)
    moment = ground(dataset, world).windows[1][0]
    space = space_with(best, world.study)
    for step, at in enumerate((moment, moment + DAY)):
        with pytest.raises(KeyboardInterrupt):
            search_at(at, step, 5, best, space, dataset, world.root / "s", ())
    first, second = seen
    assert first.dataset.development.time.max() < moment <= second.dataset.development.time.max()
    assert max(fold.validation.time.max() for fold in first.folds) < moment
    assert first.dataset.cuts.validation[-1][1] == moment
    assert first.experiment.budget.trials == 5
    assert first.experiment.tracking.wandb == "off"
    own = best.experiment
    seeds = [each.experiment.seed for each in seen]
    assert seeds == [own.seed + SEEDS_APART * n for n in (1, 2)]  # its own is the study's
    names = [each.experiment.study for each in seen]
    assert names == [f"{own.study}-backtest-{n}" for n in (1, 2)]
    assert first.dataset.fingerprint != second.dataset.fingerprint != dataset.fingerprint


def test_a_search_tries_the_best_configuration_and_needs_something_to_search(world: World) -> None:
    best = read_best(world.best("markov"))
    mine = {"memory": 3, "fading": "step", "fading_weight": 0.5}
    other = best.model_copy(update={"config": mine})
    space = space_with(other, world.study)
    assert mine in space.first().values()
    again = best.model_copy(update={"config": space_with(best, world.study).defaults})
    assert space_with(again, world.study).first_trials == space.first_trials[1:]
    fixed = best.model_copy(update={"config": {**mine, "fixed": 7, "members": ({"kind": "gru"},)}})
    assert space_with(fixed, world.study).first_trials == space.first_trials
    with pytest.raises(BadInput, match="popularity has no parameters to search"):
        space_with(best.model_copy(update={"family": "popularity"}), world.study)


def test_as_many_folds_lie_before_a_step_as_the_study_has(world: World) -> None:
    dataset = opened(world)
    known = known_at(dataset.cuts.test[0] + DAY, dataset, ground(dataset, world).experiment)
    windows = known.cuts.validation
    assert len(windows) == len(dataset.cuts.validation)
    assert all(a[1] == b[0] for a, b in pairwise(windows))


def answered(*targets: tuple[int, int], values: list[float]) -> Answered:
    user, time = np.array(targets).T
    return Answered(user.astype(np.int32), time.astype(np.int64), np.array([values]))


def test_what_an_old_model_cannot_be_asked_counts_as_worst_or_for_nobody() -> None:
    """Also where a learner has two targets at one moment, and where the old one has others."""
    new = answered((0, 5), (1, 6), (1, 6), (2, 7), values=[0.1, 0.2, 0.3, 0.4])
    old = answered((0, 5), (1, 6), (1, 6), (3, 9), values=[0.5, 0.6, 0.7, 0.8])
    scores = scores_of({"never": old, "refit": new}, experiment_of())
    assert scores is not None
    assert scores.values["never"].tolist() == [[0.5, 0.6, 0.7, 0.0]]
    assert scores.values["refit"].tolist() == [[0.1, 0.2, 0.3, 0.4]]
    assert (scores.unknown, scores.left_out) == (1, 0)
    unbounded = experiment_of(task="purchase", metric={"name": "log_loss"})
    fewer = scores_of({"never": old, "refit": new}, unbounded)
    assert fewer is not None
    assert fewer.values["refit"].tolist() == [[0.1, 0.2, 0.3]]
    assert (fewer.unknown, fewer.left_out) == (0, 1)
    nobody = scores_of({"never": None, "refit": new}, experiment_of())
    assert nobody is not None
    assert not nobody.values["never"].any()


def test_two_arms_that_are_the_same_models_get_no_verdict_and_a_clear_lead_gets_one() -> None:
    random = np.random.default_rng(0)
    targets = [(user, 0) for user in range(60)]
    new = answered(*targets, values=random.uniform(0.4, 0.6, 60).tolist())
    old = replace(new, values=new.values - 0.2 + random.normal(0, 0.02, (1, 60)))
    scores = scores_of({"never": old, "refit": new, "search": new}, experiment_of())
    assert scores is not None
    found = verdicts(scores, experiment_of())
    assert [(v.a, v.b, v.outcome) for v in found if not v.exploratory] == [
        ("refit", "never", "better")
    ]


def backtested(world: World, **options: Any) -> Backtested:
    return backtest_stage(world.best("markov"), world.root, every="1d", **options)


def test_the_opening_is_booked_and_an_unchanged_backtest_is_only_read(world: World) -> None:
    before = len(read_openings(world.study))
    first = backtested(world)
    assert first.fitted
    assert first.backtest.seeds == (9_000,)  # no search has it
    assert read_openings(world.study)[before:][0].why == "backtest"
    again = backtested(world, lang="zh")
    assert not again.fitted
    assert again.backtest == first.backtest
    assert len(read_openings(world.study)) == before + 1
    assert {p.name for p in first.page.parent.iterdir()} == {
        "markov-1d.json", "markov-1d.html", "markov-1d.zh.html",
    }  # fmt: skip


def test_a_search_lies_beside_the_backtests_by_its_trials_and_its_moment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = list[Path]()

    def stop(moment: int, step: int, trials: int, *given: object) -> None:
        places.extend(place for place in given if isinstance(place, Path))
        raise KeyboardInterrupt

    monkeypatch.setattr(stage, "search_at", stop)
    with pytest.raises(KeyboardInterrupt):
        backtested(world, trials=5)
    start = ground(opened(world), world).windows[0][0]
    assert places == [world.study / "backtest" / f"markov-searches/5-trials/{start}"]


def test_terminal_and_page_begin_with_the_same_answer(world: World) -> None:
    ended = recsweep(world.root, "backtest", "results/tiny/best/markov.yaml", "--every", "1d")
    assert ended.problem() is None
    page = (world.study / "backtest" / "markov-1d.html").read_text("utf-8")
    headline = re.search(r'class="headline">(.*?)</p>', page)
    assert headline is not None
    assert headline[1] in ended.out
    record = json.loads((world.study / "backtest" / "markov-1d.json").read_text("utf-8"))
    for step in record["steps"]:
        assert f"{step['scores']['refit']:.4f}" in page


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--every", "soon"], "expected a number and h, d or w"),
        (["--every", "30d"], "makes 1 step of it; allowed: 2 to 100"),
        (["--lang", "fr"], "language 'fr' is not known"),
    ],
)
def test_what_cannot_be_walked_is_refused_in_one_line(
    world: World, options: list[str], said: str
) -> None:
    openings = len(read_openings(world.study))
    ended = recsweep(world.root, "backtest", "results/tiny/best/markov.yaml", *options)
    assert (ended.status, ended.problem()) == (2, None)
    assert said in ended.err
    assert len(read_openings(world.study)) == openings


def _changed(world: World, tmp_path: Path, keys: dict[str, Any]) -> Path:
    best = read_best(world.best("markov"))
    whole = best.experiment.model_dump() | keys
    path = tmp_path / "best" / "markov.yaml"
    path.parent.mkdir()
    path.write_text(
        best.model_copy(update={"experiment": Experiment.model_validate(whole)}).model_dump_json()
    )
    return path


def test_a_study_whose_split_is_not_in_time_or_whose_test_is_closed_is_refused(
    world: World, tmp_path: Path
) -> None:
    split = _changed(world, tmp_path, {"folds": {"rule": "learners", "count": 2}})
    with pytest.raises(BadInput, match=r"cut by folds\.rule learners; a backtest needs data cut"):
        backtest_stage(split, world.root)
    closed = tmp_path / "closed" / "best" / "markov.yaml"
    closed.parent.mkdir(parents=True)
    closed.write_bytes(world.best("markov").read_bytes())
    with pytest.raises(BadInput, match="has no verdicts, so the sealed test stays sealed"):
        backtest_stage(closed, world.root)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_page_with_searches_tells_what_each_chose(world: World, lang: str) -> None:
    done = backtested(world)
    lead = replace(done.backtest.pairs[0], a="search", b="refit", outcome="better")
    steps = [
        step.model_copy(
            update={
                "scores": {**step.scores, "search": 0.5},
                "pairs": (*step.pairs, lead),
                "found": {"memory": 7 + step.number},
                "epochs": 1,
            }
        )
        for step in done.backtest.steps
    ]
    searched = done.backtest.model_copy(
        update={
            "trials": 5,
            "scores": {**done.backtest.scores, "search": 0.5},
            "pairs": (*done.backtest.pairs, lead),
            "steps": tuple(steps),
            "search_seconds": 12.0,
        }
    )
    record = world.root / "searched.json"
    page = write_backtest_page(searched, done.experiment, record, lang).read_text("utf-8")
    view = BacktestView(searched, done.experiment, lang)
    assert "".join(view.answer()).replace(" ", "")[:20] in page.replace(" ", "")
    assert view.say("chosen") in page
    assert "memory: – → 8" in page
    assert view.say("gain_search") in page


ROWS = {"path": "x", "user": "u", "item": "i", "session": "s", "order": "row"}
IN_ORDER = {"data": {"name": "test", "events": [ROWS]}, "folds": {"rule": "sessions"}}


class Staged:
    """`backtest_stage` with all that it calls stood in for."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path, kind: str, **keys: Any) -> None:
        self.told: dict[str, list[Any]] = {}
        self.before: Any = None
        keys = {"confirm": {"seeds": 3, "smallest_effect": 0.01}, "seed": 5, **keys}
        experiment = experiment_of(families={"mine": "x.yaml", "other": "y.yaml"}, **keys)
        self.best: Any = SimpleNamespace(
            study="test", family="mine", kind=kind, trial="mine-0001", config={"x": 1}, epochs=2,
            experiment=experiment, data=SimpleNamespace(dataset="log-0f"),
        )  # fmt: skip
        self.path = folder / "best" / "mine.yaml"
        self.record = folder / "backtest" / "mine-1d.json"
        cuts = SimpleNamespace(test=(0, 3 * DAY))
        walked = {"steps": (), "empty": 0, "learners": 4, "targets": 9, "left_out": 1,
                  "scores": {"refit": 0.5}, "pairs": (), "fit_seconds": {"refit": 2.0}}  # fmt: skip
        stand_ins: dict[str, Any] = {
            "read_best": lambda path: self.best,
            "check_configuration": self.note("checked"),
            "confirmed": lambda best, at: "confirmed",
            "recorded_data": lambda best, root: SimpleNamespace(cuts=cuts, fingerprint="0f"),
            "read_backtest": lambda path: self.before,
            "space_with": lambda best, at: ("space of", at),
            "environment": lambda resources: {"python": "3"},
            "code_version": lambda package: {"commit": None},
            "record_opening": self.note("opened"),
            "unseal": lambda dataset: ("all of", dataset.fingerprint),
            "search_at": self.note("searched", SimpleNamespace(seconds=1.5)),
            "walk": self.note("walked", walked),
            "write_record": self.note("written"),
            "write_backtest_page": self.note("shown", folder / "page.html"),
        }
        for name, given in stand_ins.items():
            patch.setattr(stage, name, given)

    def note(self, name: str, answer: Any = None) -> Any:
        def noted(*asked: Any) -> Any:
            self.told.setdefault(name, []).append(asked)
            return answer

        return noted

    def run(self, **options: Any) -> Backtested:
        self.path.parent.parent.mkdir(exist_ok=True)
        return backtest_stage(self.path, Path("root"), every="1d", **options)


@pytest.mark.parametrize(("kind", "seeds"), [("gru", (9005, 9006, 9007)), ("popularity", (9005,))])
def test_a_backtest_is_recorded_with_all_it_took(
    kind: str, seeds: tuple[int, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged = Staged(monkeypatch, tmp_path / "study", kind)
    found = staged.run(trials=4, listeners=("listener",), on_end="told")
    ((path, written),) = staged.told["written"]
    assert (found.fitted, found.backtest, path) == (True, written, staged.record)
    assert list(found.experiment.families) == ["mine"]
    said = {
        "study": "test", "family": "mine", "kind": kind, "trial": "mine-0001",
        "config": {"x": 1}, "metric": "ndcg@10", "unit": "learners", "every": "1d", "trials": 4,
        "seeds": seeds, "level": 0.95, "smallest_effect": 0.01, "search_seconds": 4.5,
        "dataset": "log-0f", "fingerprint": "0f", "environment": {"python": "3"}, "learners": 4,
    }  # fmt: skip
    assert {key: getattr(written, key) for key in said} == said
    ((best, ground, searched, on_end),) = staged.told["walked"]
    windows = ((0, DAY), (DAY, 2 * DAY), (2 * DAY, 3 * DAY))
    assert (best, on_end, list(searched)) == (staged.best, "told", [0, 1, 2])
    assert ground == Ground(("all of", "0f"), found.experiment, kind, windows, seeds)  # type: ignore[arg-type]
    places = staged.record.parent / "mine-searches" / "4-trials"
    folder = tmp_path / "study"
    assert staged.told["searched"] == [
        (n * DAY, n, 4, best, ("space of", folder), ("all of", "0f"), places / str(n * DAY),
         ("listener",))
        for n in range(3)
    ]  # fmt: skip
    mine = {"mine": Opened.of(staged.best)}
    assert staged.told["opened"] == [(folder, "backtest", {"commit": None}, "0f", mine)]
    assert staged.told["checked"] == [(staged.best, staged.path)]
    assert staged.told["shown"] == [(written, found.experiment, staged.record, "en")]
    assert found.page == folder / "page.html"


def test_without_trials_nothing_is_searched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged = Staged(monkeypatch, tmp_path / "study", "gru")
    found = staged.run().backtest
    assert (found.trials, found.search_seconds) == (None, None)
    assert "searched" not in staged.told
    assert staged.told["walked"][0][2] == {}


def test_a_record_of_other_inputs_is_made_anew_and_one_of_the_same_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged = Staged(monkeypatch, tmp_path / "study", "gru")
    staged.before = staged.run().backtest
    again = staged.run(lang="zh")
    assert (again.backtest, again.fitted) == (staged.before, False)
    assert staged.told["shown"][1:] == [(staged.before, again.experiment, staged.record, "zh")]
    assert len(staged.told["opened"]) == 1
    staged.best.epochs = 3
    other = staged.run()
    assert other.fitted
    assert other.backtest.inputs != staged.before.inputs
    assert staged.run(trials=2).backtest.inputs != other.backtest.inputs
    assert len(staged.told["opened"]) == 3


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"folds": {"rule": "learners", "count": 2}}, r"cut by folds\.rule learners; a backtest"),
        (IN_ORDER, "cut by the order of rows; a backtest"),
        ({}, r"ndcg@10 of the learners of one step means nothing"),
    ],
)
def test_what_has_no_step_to_score_is_refused(
    keys: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(stage, "is_additive", lambda metric: metric != "ndcg@10")
    staged = Staged(monkeypatch, tmp_path / "study", "gru", **keys)
    with pytest.raises(BadInput, match=message):
        staged.run()


def test_an_unknown_language_and_a_closed_test_are_refused_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged = Staged(monkeypatch, tmp_path / "study", "gru")
    with pytest.raises(BadInput, match="language 'fr' is not known"):
        staged.run(lang="fr")
    monkeypatch.setattr(stage, "confirmed", lambda best, at: None)
    with pytest.raises(BadInput, match="has no verdicts, so the sealed test stays sealed"):
        staged.run()
    assert not {"opened", "walked", "written"} & staged.told.keys()
