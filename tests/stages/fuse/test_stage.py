"""An ensemble of a study's trials, from the folds to a model that answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tiny import World

from recsweep.bundle.bundle import load_bundle
from recsweep.errors import BadInput
from recsweep.records.ensemble import ensemble_path
from recsweep.records.openings import read_openings
from recsweep.records.selection import read_best
from recsweep.stages.confirm.stage import confirm_stage
from recsweep.stages.fit.stage import fit_stage
from recsweep.stages.fuse import stage
from recsweep.stages.fuse.rebuild import Rebuilt
from recsweep.stages.fuse.stage import Cost, Fused, fuse_stage
from recsweep.stages.pool import side_by_side
from recsweep.stages.report import report_stage
from recsweep.stages.reproduce.stage import reproduce_stage

Edit = Callable[[Path, str, str], None]


def fuse(world: World) -> Fused:
    return fuse_stage(world.study, world.root, workers=1)


def test_an_ensemble_is_at_least_as_good_on_the_folds_as_its_best_member(world: World) -> None:
    fused = fuse(world)
    written = read_best(ensemble_path(world.study))
    assert written.model_copy(update={"digests": {}}) == fused.best
    assert fused.as_recorded == len(fused.candidates) == 3
    assert fused.best.value >= fused.candidates[0].value
    assert fused.sampled == 1
    assert sum(member.weight for member in fused.members) <= 20
    assert fused.cost.model_bytes > fused.single.model_bytes


def test_what_it_takes_is_that_of_its_members_beside_that_of_the_best_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuilt: list[Rebuilt] = []

    def watched(*asked: Any, **named: Any) -> list[Rebuilt]:
        rebuilt.extend(side_by_side(*asked, **named))
        return rebuilt

    monkeypatch.setattr(stage, "side_by_side", watched)
    fused = fuse(world)
    assert [each.candidate for each in rebuilt] == list(fused.candidates)
    best = rebuilt[0]
    assert fused.single == Cost(best.fit_seconds, best.score_seconds, best.model_bytes)
    members = {member.trial for member in fused.members}
    inside = [each for each in rebuilt if each.candidate.trial in members]
    assert fused.cost.fit_seconds == pytest.approx(sum(each.fit_seconds for each in inside))
    assert fused.cost.model_bytes == sum(each.model_bytes for each in inside)


def test_an_ensemble_is_rebuilt_from_its_file_bit_for_bit(world: World) -> None:
    found = reproduce_stage(fuse(world).path, world.root)
    assert found.passed
    assert not found.obstacles
    assert {figure.tolerance for figure in found.figures} == {0}


def test_the_sealed_test_moves_no_weight(world: World) -> None:
    first = fuse(world)
    (test,) = world.root.glob("data/tiny-*/sealed_test.parquet")
    table = pl.read_parquet(test)
    table.with_columns(pl.col("item").reverse()).write_parquet(test)
    again = fuse(world)
    assert again.members == first.members
    assert again.best.metrics == first.best.metrics
    assert read_openings(world.study) == ()


def test_a_confirmation_takes_the_ensemble_along_and_holds_it_against_the_best_alone(
    world: World,
) -> None:
    fused = fuse(world)
    confirmed = confirm_stage(world.study, world.root, workers=1).confirmation
    (opening,) = read_openings(world.study)
    assert opening.configurations["ensemble"].config == fused.best.config
    declared = [(pair.a, pair.b) for pair in confirmed.pairs if not pair.exploratory]
    assert ("ensemble", fused.candidates[0].family) in declared
    cost = confirmed.families["ensemble"]
    assert cost.model_bytes is not None
    assert cost.model_bytes > (confirmed.families["popularity"].model_bytes or 0)
    bundle = load_bundle(fit_stage(fused.path, world.root, world.root / "model").folder)
    assert bundle.file.evidence is not None
    assert bundle.file.evidence.scores["ensemble"].mean == cost.metrics["ndcg@10"].mean
    reported = report_stage(world.study, world.root)
    assert reported.confirmation == confirmed
    page = reported.page.read_text("utf-8")
    assert "Ensemble" in page
    board = (world.study / "leaderboard.md").read_text("utf-8")
    assert "ensemble" in board


def test_verdicts_outlive_an_ensemble_that_is_made_after_them(world: World) -> None:
    confirmed = confirm_stage(world.study, world.root, workers=1).confirmation
    fuse(world)
    reported = report_stage(world.study, world.root)
    assert reported.confirmation is not None
    assert reported.confirmation.pairs == confirmed.pairs
    board = (world.study / "leaderboard.md").read_text("utf-8")
    assert "made after these verdicts; recsweep confirm holds it" in board
    confirm_stage(world.study, world.root, workers=1)
    again = report_stage(world.study, world.root).confirmation
    assert again is not None
    assert not again.newer_ensemble
    assert "newer_ensemble" not in (world.study / "verdicts.json").read_text("utf-8")


def test_an_ensemble_is_fitted_as_a_family_is(world: World) -> None:
    fused = fuse(world)
    fitted = fit_stage(fused.path, world.root, world.root / "model", until="development")
    assert fitted.file.kind == "ensemble"
    with pytest.raises(BadInput, match="the sealed test stays sealed"):
        fit_stage(fused.path, world.root, world.root / "other")


def test_an_ensemble_of_another_question_is_not_confirmed(world: World, edit: Edit) -> None:
    fuse(world)
    edit(world.study / "study.json", '"min_user_events": 2', '"min_user_events": 3')
    with pytest.raises(BadInput, match="was made of other trials, data or settings"):
        confirm_stage(world.study, world.root, workers=1)
    edit(world.study / "study.json", '"min_user_events": 3', '"min_user_events": 2')
    edit(ensemble_path(world.study), "trial: markov-0000", "trial: markov-0009")
    with pytest.raises(BadInput, match="was made of other trials, data or settings"):
        confirm_stage(world.study, world.root, workers=1)
    assert read_openings(world.study) == ()
