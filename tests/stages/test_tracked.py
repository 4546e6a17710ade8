"""What a stage tells W&B that it stood on and made."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from tiny import CONFIGS, World

from recsweep.records.board import read_board
from recsweep.records.files import read_study
from recsweep.records.portrait import portrait_path
from recsweep.stages import tracked
from recsweep.stages.confirm.stage import Confirmed, confirm_stage
from recsweep.stages.report import report_stage
from recsweep.stages.reproduce.stage import Reproduction, reproduce_stage
from recsweep.stages.selected_runs import selected_runs, study_uid
from recsweep.tracking.artifacts import Item
from recsweep.tracking.stage_runs import StageRun, study_config

Runs = list[StageRun]


@pytest.fixture
def runs(world: World, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """What the tiny study's stages tell."""
    heard = list[StageRun]()

    def track(folder: object, experiment: Any, *told: StageRun) -> None:
        assert (folder, experiment.study) == (world.study, "tiny")
        heard.extend(told)

    monkeypatch.setattr(tracked, "track", track)
    return heard


def named(items: tuple[Item, ...]) -> list[tuple[str, str, list[str]]]:
    return [(item.name, item.type, sorted(item.files)) for item in items]


def data(world: World) -> tuple[str, str, list[str]]:
    return (f"data-{read_study(world.study).dataset}", "dataset", [])


BEST = ("tiny-best", "configurations", sorted(f"{family}.yaml" for family in CONFIGS))
VERDICTS = ("tiny-verdicts", "verdicts", ["verdicts.json"])


def test_a_selections_run_stands_on_data_and_spaces_and_gives_out_what_was_selected(
    world: World, runs: Runs
) -> None:
    tracked.track_selection(world.study)
    (run,) = runs
    assert [item.type for item in run.took] == ["dataset", "search-space"]
    assert named(run.took)[0] == data(world)
    assert named(run.gave) == [BEST]
    study = read_study(world.study)
    assert run == StageRun(
        id=f"select-{run.gave[0].digest}-{study_uid(study)}",
        name="select",
        job_type="study",
        tags=["tiny", "next_item", "select"],
        config=study_config(study.experiment, study.fingerprint),
        summary={"families": len(CONFIGS)},
        took=run.took,
        gave=run.gave,
    )


def test_a_confirmations_run_has_its_scores_and_its_verdicts_where_the_test_was_opened(
    world: World, runs: Runs
) -> None:
    confirmed = confirm_stage(world.study, world.root, workers=1)
    tracked.track_confirmation(world.study, Confirmed(confirmed.confirmation, opened=False))
    assert runs == []
    tracked.track_confirmation(world.study, confirmed)
    (run,) = runs
    found, study = confirmed.confirmation, read_study(world.study)
    means = {f"sealed/{n}": f.metrics["ndcg@10"].mean for n, f in found.families.items()}
    assert run == StageRun(
        id=f"confirm-1-{study_uid(study)}",
        name="confirm",
        job_type="confirm",
        tags=["tiny", "next_item", "confirm"],
        config=study_config(study.experiment, study.fingerprint),
        summary={
            "learners": found.learners,
            "targets": found.targets,
            "openings": 1,
            "verdicts": list(found.verdicts),
            **means,
        },
        tables=run.tables,
        took=run.took,
        gave=run.gave,
    )
    assert (named(run.took), named(run.gave)) == ([data(world), BEST], [VERDICTS])
    columns, rows = run.tables["sealed"]
    table = [dict(zip(columns, row, strict=True)) for row in rows]
    first = found.families["markov"]
    e = first.metrics["mrr@5"]
    assert {
        "family": "markov",
        "trial": first.trial,
        "epochs": 1,
        "seeds": 2,
        "metric": "mrr@5",
        "mean": e.mean,
        "lower": e.lower,
        "upper": e.upper,
    } in table
    assert len(table) == len(CONFIGS) * len(first.metrics)
    columns, rows = run.tables["verdicts"]
    assert [dict(zip(columns, row, strict=True)) for row in rows] == [
        {name: getattr(p, name) for name in columns if name != "caveats"}
        | {"caveats": ", ".join(p.caveats)}
        for p in found.pairs
    ]


def test_a_reports_run_stands_on_verdicts_where_there_are_some_and_brings_the_selected(
    world: World, runs: Runs
) -> None:
    reported = report_stage(world.study, world.root)
    tracked.track_report(world.study, reported)
    run, *selected = runs
    assert selected == selected_runs(reported.study, reported.selection, None)
    assert (named(run.took), run.summary) == ([BEST], {"page": "report.html"})
    assert named(run.gave) == [("tiny-report", "report", ["report.html"])]
    assert run.gave[0].files["report.html"] == reported.page.read_bytes()
    uid = study_uid(reported.study)
    assert (run.id, run.name, run.job_type) == (
        f"report-{run.gave[0].digest}-{uid}",
        "report",
        "study",
    )
    assert run.tags == ["tiny", "next_item", "report"]
    runs.clear()
    confirm_stage(world.study, world.root, workers=1)
    tracked.track_report(world.study, report_stage(world.study, world.root))
    assert named(runs[0].took) == [BEST, VERDICTS]


def test_a_portraits_run_has_its_groups_and_no_learner(world: World, runs: Runs) -> None:
    portrait: Any = SimpleNamespace(
        family="markov+x",
        kind="markov",
        trial="markov-0000",
        learners=40,
        clusters=("a", "b"),
        structure="weak",
        silhouette=0.25,
        stability=None,
    )
    path = portrait_path(world.study, "markov+x")
    path.parent.mkdir()
    path.write_bytes(b"{}")
    tracked.track_portrait(world.study, portrait)
    (run,) = runs
    study = read_study(world.study)
    assert named(run.gave) == [("tiny-portrait-markov-x", "portrait", [path.name])]
    assert run == StageRun(
        id=f"portrait-{run.gave[0].digest}-{study_uid(study)}",
        name="portrait markov+x",
        job_type="study",
        tags=["markov+x", "tiny", "next_item", "portrait"],
        config={
            **study_config(study.experiment, study.fingerprint),
            "family": "markov+x",
            "kind": "markov",
            "trial": "markov-0000",
        },
        summary={
            "learners": 40,
            "clusters": 2,
            "structure": "weak",
            "silhouette": 0.25,
            "stability": None,
        },
        took=run.took,
        gave=run.gave,
    )
    assert named(run.took) == [data(world), BEST]


def test_a_workspace_is_renewed_and_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []

    def publish(board: object, tracking: object, *, wait: bool) -> None:
        told.append((board, tracking, wait))

    monkeypatch.setattr(tracked, "publish_along", publish)
    reported = report_stage(world.study, world.root)
    tracked.publish_report(world.study, reported)
    tracking = reported.study.experiment.tracking
    assert told == [(read_board(world.study), tracking, True)]


def test_a_rebuilds_run_has_every_figure_beside_its_record(world: World, runs: Runs) -> None:
    found = reproduce_stage(world.best("markov"), world.root)
    found = Reproduction(found.best, found.figures, found.edited, ("a GPU",), found.changes)
    tracked.track_reproduction(world.best("markov"), found)
    (run,) = runs
    best = found.best
    assert re.fullmatch(r"reproduce-markov-tiny-\d{8}-\d{6}", run.id)
    assert (run.name, run.job_type) == ("reproduce markov", "reproduce")
    assert run.tags == ["markov", "tiny", "next_item", "reproduce"]
    assert run.config == {
        **study_config(best.experiment, best.data.fingerprint),
        **{"family": "markov", "kind": "markov", "trial": best.trial, "seed": best.seed},
        **best.config,
    }
    assert run.summary == {"passed": True, "figures": 12, "obstacles": ["a GPU"]}
    assert (named(run.took), run.gave) == ([data(world)], ())
    columns, rows = run.tables["figures"]
    assert columns == ["metric", "of", "recorded", "rebuilt", "tolerance", "agrees"]
    assert rows == [[f.metric, f.where, f.recorded, f.rebuilt, 0.0, True] for f in found.figures]
