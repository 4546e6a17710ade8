"""`recommend` answers every learner of a file, says how, and counts what it could not use."""

import json
from pathlib import Path

import polars as pl
import pytest
from tiny import World
from typer.testing import CliRunner

from recsweep.bundle import histories
from recsweep.bundle.labels import Feed
from recsweep.cli import app
from recsweep.errors import BadInput
from recsweep.evaluation.monitoring import Watching
from recsweep.stages.fit.stage import fit_stage
from recsweep.stages.monitor import monitor_stage
from recsweep.stages.recommend import Asking, Recommended, recommend_stage

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
    ask(model, world)
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
