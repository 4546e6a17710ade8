"""`recommend` answers every learner of a file, says how, and counts what it could not use."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from tiny import World
from typer.testing import CliRunner
from worlds import dataset_of, events_of, experiment_of

from recsweep.bundle import histories
from recsweep.bundle.bundle import load_bundle
from recsweep.bundle.labels import Feed
from recsweep.bundle.learners import LearnerTable
from recsweep.bundle.recommend import Lists
from recsweep.cli import app
from recsweep.data.features.dated import ID
from recsweep.data.types import Dataset
from recsweep.errors import BadInput
from recsweep.evaluation.monitoring import Watching
from recsweep.stages import recommend
from recsweep.stages.fit.stage import fit_stage
from recsweep.stages.monitor import monitor_stage
from recsweep.stages.recommend import (
    Asking,
    Recommended,
    _uses_learners,
    prepared_log,
    recommend_stage,
)

MF = "matrix_factorization"


@pytest.fixture
def model(world: World) -> Path:
    out = world.root / "models" / "m"
    fit_stage(world.best(MF), world.root, out, until="development")
    return out


def ask(model: Path, world: World, path: Path | None = None, **asking: object) -> Recommended:
    out = world.root / "lists.parquet"
    out.unlink(missing_ok=True)
    return recommend_stage(model, path or world.log, (), world.root, Asking(**asking), out)  # type: ignore[arg-type]


def lists(world: World) -> pl.DataFrame:
    return pl.read_parquet(world.root / "lists.parquet")


def test_every_learner_gets_k_courses_best_first(model: Path, world: World) -> None:
    done = ask(model, world, k=4)
    found = lists(world)
    assert (done.learners, done.rows, done.read.rows) == (40, 160, 480)
    assert (done.courses_unknown, done.too_late, done.learners_unknown) == (0, 0, 0)
    assert (done.by_popularity, done.short) == (0, 0)
    assert found["learner"].unique(maintain_order=True).to_list() == [f"u{n}" for n in range(40)]
    assert found["rank"].to_list() == [1, 2, 3, 4] * 40
    for _, mine in found.group_by("learner"):
        assert mine["score"].is_sorted(descending=True)
        assert mine["course"].is_unique().all()


def test_the_order_of_rows_and_the_kind_of_file_change_nothing(model: Path, world: World) -> None:
    assert ask(model, world).rows == 40 * 10  # as many courses as the command gives without --k
    one = lists(world).sort("learner", "rank")
    log = pl.read_csv(world.log)
    shuffled = world.root / "log.parquet"
    log.sample(fraction=1.0, shuffle=True, seed=1).write_parquet(shuffled)
    ask(model, world, shuffled)
    assert lists(world).sort("learner", "rank").equals(one)


def test_a_log_that_is_dealt_into_files_is_answered_alike(
    model: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(model, world)
    one = lists(world).sort("learner", "rank")
    monkeypatch.setattr(histories, "HELD", 100)
    assert ask(model, world).learners == 40
    assert lists(world).sort("learner", "rank").equals(one)


def test_a_learner_of_the_prepared_log_is_asked_by_id(model: Path, world: World) -> None:
    out = world.root / "one.csv"
    done = recommend_stage(model, None, ["u7", "u39"], world.root, Asking(k=2), out)
    assert set(pl.read_csv(out)["learner"]) == {"u39", "u7"}
    assert (done.learners, done.rows) == (2, 4)
    with pytest.raises(BadInput, match="--learner u77: the prepared log has no such learner; did"):
        recommend_stage(model, None, ["u77"], world.root)


def test_who_has_no_known_course_gets_popular_ones_and_is_counted(
    model: Path, world: World
) -> None:
    path = world.root / "new.csv"
    path.write_text("user,item,time\nnew,unheard,1700000000\nold,c1,1700000000\nold,,1\n")
    done = ask(model, world, path, k=3)
    found = lists(world)
    assert (done.by_popularity, done.courses_unknown) == (1, 1)
    assert done.read.dropped["no item id"] == 1
    popular = found.filter(learner="new")
    assert popular["basis"].unique().to_list() == ["popularity"]
    assert popular["score"].null_count() == 3
    log = pl.read_csv(world.log)
    counts = log["item"].value_counts().sort("count", descending=True)
    assert counts.filter(item=popular["course"][0])["count"][0] >= counts["count"][3]


def test_filters_leave_only_what_they_allow(model: Path, world: World) -> None:
    allow = world.root / "allow.txt"
    allow.write_text("c3\nc5\nunheard\n")
    done = ask(model, world, allow=allow)
    assert set(lists(world)["course"]) == {"c3", "c5"}
    assert done.short == 40
    allow.write_text("unheard\n")
    with pytest.raises(BadInput, match="no course of the catalogue's 15 is left"):
        ask(model, world, allow=allow)
    with pytest.raises(BadInput, match="--only x=1: courses have no column 'x'"):
        ask(model, world, only=["x=1"])
    first = pl.read_csv(world.log)["time"].min()
    ask(model, world, available=first * 1_000_000)  # type: ignore[operator]
    assert lists(world)["course"].n_unique() == 1
    with pytest.raises(BadInput, match="--at lies before the end of the data"):
        ask(model, world, at=1)
    with pytest.raises(BadInput, match="--k 0: ask for one course at least"):
        ask(model, world, k=0)


def test_why_names_the_events_without_which_the_score_falls_most(model: Path, world: World) -> None:
    path = world.root / "short.csv"
    path.write_text("user,item,time\nx,c1,1700000000\nx,c2,1700000100\n")
    ask(model, world, path, k=15)
    whole = {row["course"]: row["score"] for row in lists(world).iter_rows(named=True)}
    ask(model, world, path, k=15, why=True)
    why = {row["course"]: row["why"] for row in lists(world).iter_rows(named=True)}
    path.write_text("user,item,time\nx,c1,1700000000\n")
    ask(model, world, path, k=15)
    without = {row["course"]: row["score"] for row in lists(world).iter_rows(named=True)}
    for course, score in whole.items():
        shares = {event["course"]: event["share"] for event in why[course]}
        fall = score - without[course]
        assert shares.get("c2") == (pytest.approx(fall) if fall > 0 else None)
    assert any(why.values())


def test_the_command_prints_csv_and_counts(
    model: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.root)
    done = CliRunner().invoke(app, ["recommend", str(model), "log.csv", "--k", "1"])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == "learner,rank,course,title,score,basis"
    assert len(done.stdout.splitlines()) == 41
    assert "40 courses for 40 learners from 480 rows." in done.stderr
    out = ["--out", "lists.jsonl", "--k", "1", "--why", "--quiet"]
    again = CliRunner().invoke(app, ["recommend", str(model), "log.csv", *out])
    assert (again.exit_code, again.output) == (0, "")
    lines = (world.root / "lists.jsonl").read_text().splitlines()
    assert set(json.loads(lines[0])) == {
        *("learner", "rank", "course", "title", "score", "basis"),
        "why",
    }
    twice = CliRunner().invoke(app, ["recommend", str(model), "log.csv", *out])
    assert "is there already" in str(twice.exception)


def test_a_model_of_courses_is_not_one_to_monitor_texts_with(model: Path, world: World) -> None:
    with pytest.raises(BadInput, match="m: is a model of task next_item; monitor needs one of tex"):
        monitor_stage(model, world.log, feed=Feed(), watching=Watching())


@pytest.mark.parametrize(("given", "ids"), [(False, []), (True, ["u7"])])
def test_either_a_file_or_learners_are_given(tmp_path: Path, given: bool, ids: list[str]) -> None:
    with pytest.raises(BadInput, match="give a file of histories, or --learner ID"):
        recommend_stage(tmp_path, tmp_path if given else None, ids, tmp_path)


def test_the_moment_that_is_asked_at_may_be_the_end_of_the_fitted_data(
    model: Path, world: World
) -> None:
    """An event at or after it is too late to tell anything of it."""
    cut = load_bundle(model).known.cut
    second = cut // 1_000_000
    path = world.root / "late.csv"
    path.write_text(f"user,item,time\nx,c1,{second - 9}\nx,c2,{second + 9}\nx,c3,{second + 10}\n")
    done = ask(model, world, path, at=cut)
    assert (done.learners, done.too_late) == (1, 2)
    with pytest.raises(BadInput, match="--at lies before the end"):
        ask(model, world, path, at=cut - 1)


def test_a_file_without_a_history_is_named(model: Path, world: World) -> None:
    path = world.root / "none.csv"
    path.write_text("user,item,time\nx,,1700000000\n")
    with pytest.raises(BadInput, match=r"none\.csv: holds no event that can be read as a history"):
        ask(model, world, path)
    assert not (world.root / "lists.parquet").exists()


def stand_in(
    monkeypatch: pytest.MonkeyPatch,
    task: str = "next_item",
    fitted: object = None,
    **changes: object,
) -> Any:
    """A bundle as far as it is looked at."""
    known = SimpleNamespace(cut=0, experiment=experiment_of(**changes))
    bundle = SimpleNamespace(name="m", file=SimpleNamespace(task=task, fitted=fitted), known=known)
    monkeypatch.setattr(recommend, "load_bundle", lambda folder: bundle)
    return bundle


def test_a_model_of_texts_is_asked_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, task="text")
    with pytest.raises(BadInput, match="is a model of texts; ask it with recsweep monitor"):
        recommend_stage(tmp_path, tmp_path, (), tmp_path)


def sessions_model(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"path": "x", "label": "bought", "positive": ["yes"], "numeric": ["pages"]}
    asked: dict[str, object] = {
        "data": {"name": "test", "sessions": table},
        "folds": {"rule": "stratified"},
        "families": ["logistic_regression"],
    }
    bundle = stand_in(monkeypatch, "purchase")
    bundle.known.experiment = experiment_of(task="purchase", **asked)


def test_every_row_of_a_plain_table_is_answered_and_counted_on_over_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions_model(monkeypatch)
    batches = [pl.DataFrame({"pages": [1.0] * rows}) for rows in (3, 2, 1)]
    asked: list[Path] = []

    def read(experiment: object, path: Path) -> list[pl.DataFrame]:
        asked.append(path)
        return batches

    monkeypatch.setattr(recommend, "read_sessions", read)
    monkeypatch.setattr(
        recommend,
        "answers_of",
        lambda bundle, rows, first: pl.DataFrame({"row": range(first, first + len(rows))}),
    )
    out = tmp_path / "answers.csv"
    done = recommend_stage(tmp_path, tmp_path / "rows.csv", (), tmp_path, Asking(k=3), out)
    assert pl.read_csv(out)["row"].to_list() == [1, 2, 3, 4, 5, 6]
    assert (done.unit, done.rows, done.learners) == ("sessions", 6, 0)
    assert asked == [tmp_path / "rows.csv"]


@pytest.mark.parametrize(
    ("given", "asking"), [(False, Asking()), (True, Asking(why=True)), (True, Asking(at=1))]
)
def test_a_model_of_a_plain_table_takes_a_file_of_rows_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: bool, asking: Asking
) -> None:
    sessions_model(monkeypatch)
    ids = () if given else ("u1",)
    with pytest.raises(BadInput, match="m: is of a table of sessions: give a file of sessions"):
        recommend_stage(tmp_path, tmp_path if given else None, ids, tmp_path, asking)


@pytest.mark.parametrize("until", ["everything", "development"])
def test_a_model_that_learned_from_all_sees_all_of_the_prepared_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: str
) -> None:
    fitted = SimpleNamespace(dataset="log-01", fingerprint="none", until=until)
    bundle = stand_in(monkeypatch, fitted=fitted)
    known, whole = dataset_of(events_of([(0, 0, 0)])), dataset_of(events_of([(0, 0, 1)]))
    loaded: list[Path] = []

    def load(folder: Path) -> Dataset:
        loaded.append(folder)
        return known

    monkeypatch.setattr(recommend, "load_dataset", load)
    monkeypatch.setattr(recommend, "unseal", lambda dataset: whole)
    assert prepared_log(bundle, tmp_path) is (whole if until == "everything" else known)
    assert loaded == [tmp_path / "data" / "log-01"]
    fitted.fingerprint = "another"
    with pytest.raises(BadInput, match="log-01: is not the data that m was fitted on"):
        prepared_log(bundle, tmp_path)


@pytest.mark.parametrize("dwell", [None, [1.5, np.nan, 2.5, 3.5]])
def test_a_learners_events_come_from_the_prepared_log_by_raw_id(dwell: list[float] | None) -> None:
    events = events_of([(0, 1, 5), (1, 0, 6), (1, 1, 7), (2, 0, 8)])
    if dwell is not None:
        events = replace(events, dwell=np.array(dwell, np.float32))
    tables = {"users": pl.DataFrame({ID: ["a", "b", "c"]}), "items": pl.DataFrame({ID: ["x", "y"]})}
    found = recommend._events_of(replace(dataset_of(events), **tables), ["c", "b"])  # type: ignore[arg-type]
    expected = {
        "user": ["b", "b", "c"],
        "item": ["x", "y", "x"],
        "time": [6, 7, 8],
        "kind": [0] * 3,
    }
    if dwell is not None:
        expected["dwell"] = [None, 2.5, 3.5]
    assert found.to_dict(as_series=False) == expected


def test_groups_are_answered_in_their_order_a_few_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[int] = []
    drawn: list[int] = []

    def answer(bundle: object, group: int, k: int, *, why: bool) -> tuple[object, ...]:
        begun.append(group)
        return group, k, why

    def groups() -> Iterator[Any]:
        for group in range(6):
            drawn.append(group)
            yield group

    monkeypatch.setattr(recommend, "lists_of", answer)
    monkeypatch.setattr(recommend, "worker_count", lambda resources, jobs: 2)
    found: Any = recommend._lists(stand_in(monkeypatch), groups(), Asking(k=7, why=True))
    first = next(found)
    assert first == (0, (0, 7, True))
    assert drawn == [0, 1, 2]  # no more than are under way wait in memory
    assert [first, *found] == [(group, (group, 7, True)) for group in range(6)]
    assert sorted(begun) == [*range(6)]


def test_lists_that_nobody_waits_for_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    go_on = threading.Event()

    def answer(bundle: object, group: int, *rest: object, **more: object) -> int:
        begun.append(group)
        if group:
            go_on.wait(10)
        return group

    def groups() -> Iterator[Any]:
        yield from range(2)
        threading.Timer(0.05, go_on.set).start()
        yield 2

    monkeypatch.setattr(recommend, "lists_of", answer)
    monkeypatch.setattr(recommend, "worker_count", lambda resources, jobs: 1)
    found = recommend._lists(stand_in(monkeypatch), groups(), Asking())
    next(found)
    found.close()
    assert 2 not in begun


@pytest.mark.parametrize(("uses_table", "unknown"), [(True, 2), (False, 0)])
def test_counts_add_up_over_groups(uses_table: bool, unknown: int) -> None:
    done = Recommended()
    table = LearnerTable(pl.DataFrame({ID: ["a", "b"]}), None)
    for ids, entries, by_popularity, short in ((["a", "x"], 3, 1, 2), (["y"], 4, 0, 1)):
        group: Any = SimpleNamespace(ids=pl.Series(ids), courses_unknown=5, too_late=7)
        zeros = np.zeros(entries, np.int64)
        lists = Lists(zeros, zeros, zeros, zeros.astype(np.float64), by_popularity, short)
        done.add(group, lists, table, uses_table=uses_table)
    assert done == Recommended(
        learners=3,
        rows=7,
        courses_unknown=10,
        too_late=14,
        learners_unknown=unknown,
        by_popularity=1,
        short=3,
    )


@pytest.mark.parametrize(("kind", "uses"), [("wide_deep", True), ("item_knn", False)])
def test_a_missing_table_of_learners_is_told_where_the_model_would_use_one(
    kind: str, uses: bool
) -> None:
    for columns, used in ((("age",), uses), ((), False)):
        file: Any = SimpleNamespace(
            task="next_item", kind=kind, columns=SimpleNamespace(learners=columns)
        )
        assert _uses_learners(file) is used
