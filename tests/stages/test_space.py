from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from studies import study_with, trial_row
from typer.testing import CliRunner
from worlds import experiment_of

from recsweep.cli import app
from recsweep.config.schema import Metric
from recsweep.config.values import Value
from recsweep.errors import BadInput
from recsweep.models.registry import family
from recsweep.records.files import read_study, write_study
from recsweep.records.study import TrialRow
from recsweep.spaces.bundled import own_space
from recsweep.spaces.declared import DeclaredSpace
from recsweep.stages import space
from recsweep.stages.space import space_stage, study_folders

SPACE = """
family: gru
fixed: {depth: 1, hidden_size: 16, embedding_size: 8, dropout: 0.0, weight_decay: 0.0,
        batch_size: 8, window: 10, tied_embeddings: false}
defaults: {learning_rate: 0.01, loss: bpr, negatives: 64}
parameters:
  learning_rate: {float: [0.001, 0.1], log: true, role: nuisance, why: moves with width}
  loss: {choice: [bpr, cross_entropy, sampled_softmax], role: scientific, why: decides}
  negatives: {int: [64, 512], when: {loss: [bpr, sampled_softmax]}, role: nuisance, why: how close}
"""


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gru.yaml").write_text(SPACE)
    return tmp_path


def write(folder: Path, trials: Mapping[float, Mapping[str, Value]]) -> None:
    """A study whose trials have these scores and configurations."""
    folder.mkdir(parents=True)
    rows = (
        replace(trial_row(number, [score]), config=config)
        for number, (score, config) in enumerate(trials.items())
    )
    write_study(study_with(*rows), folder)


def test_the_best_quarter_is_taken_of_each_study_since_levels_differ(root: Path) -> None:
    rates = (0.001, 0.01, 0.02, 0.03, 0.099, 0.04, 0.05, 0.06)
    write(root / "results/low", {0.01 * n: {"learning_rate": r} for n, r in enumerate(rates)})
    write(root / "results/high", {0.8: {"learning_rate": 0.099}, 0.9: {"learning_rate": 0.0011}})
    found = space_stage("gru.yaml", study_folders(root), "next_item", root)
    rate = found.parameters[0]
    assert (found.studies, found.trials, rate.values) == (("high", "low"), 10, 1 + 2)
    assert rate.quantiles == pytest.approx((0.0109, 0.05, 0.058), abs=2e-4)
    assert (rate.best, rate.at_lower, rate.at_upper) == ((0.0011, 0.06), 1, 0)


def test_batches_that_are_counted_in_another_unit_say_nothing_of_a_range(root: Path) -> None:
    own = own_space(family("gru"), "next_item")
    assert own is not None
    windows: Mapping[str, Value] = {"batch_size": 16, "window": 50}
    write(root / "results/before", {0.1: windows})
    write(root / "results/now", {0.2: {**windows, "batch_size": 300, "batch_unit": "events"}})
    found = space_stage("gru", study_folders(root), "next_item", root)
    of = {each.parameter.name: each for each in found.parameters}
    assert (of["batch_size"].best, of["batch_size"].at_lower) == ((300,), 1)
    assert (of["batch_size"].values, of["window"].values) == (1, 2)
    (root / "windows.yaml").write_text(
        SPACE.replace("batch_size: 8, ", "").replace("defaults: {", "defaults: {batch_size: 16, ")
        + "  batch_size: {int: [8, 64], role: nuisance, why: moves with the rate}\n"
    )
    *_, batches = space_stage("windows.yaml", study_folders(root), "next_item", root).parameters
    assert batches.best == (16,)


def test_choices_are_counted_and_parameters_out_of_use_have_no_value(root: Path) -> None:
    config: Mapping[str, Value] = {"learning_rate": 0.01, "loss": "bpr"}
    write(root / "results/one", {0.1 * n: config for n in range(1, 9)})
    shown = CliRunner().invoke(app, ["space", "gru.yaml"], env={"COLUMNS": "80"})
    assert shown.exit_code == 0, shown.output
    _, loss, negatives = space_stage("gru.yaml", study_folders(root), "next_item", root).parameters
    assert (loss.counts, loss.best) == ((("bpr", 2),), ("bpr",))
    assert (negatives.values, negatives.quantiles, negatives.best) == (0, None, ())
    for said in ("bpr 2", "0.001 to 0.1, log", "8 trials of one."):
        assert said in shown.output


def test_the_ends_that_the_best_lie_at_are_told(root: Path) -> None:
    write(root / "results/one", {0.1: {"learning_rate": 0.099}})
    shown = CliRunner().invoke(app, ["space", "gru.yaml", "results/one"])
    assert "! learning_rate: the best of 1 of 1 study is at the upper end" in shown.output


def test_without_a_study_the_space_alone_is_shown(root: Path) -> None:
    shown = CliRunner().invoke(app, ["space", "lstm"])
    assert "No study here has searched it." in shown.output
    with pytest.raises(BadInput, match="gruu: no family of task next_item; did you mean 'gru'"):
        space_stage("gruu", (), "next_item", root)


def test_an_arm_counts_under_its_name_and_what_is_of_another_kind_or_task_does_not(
    root: Path,
) -> None:
    def save(name: str, families: Mapping[str, str], *rows: TrialRow, **changes: Any) -> None:
        (root / name).mkdir()
        experiment = experiment_of(families=list(families), **changes)
        spaces = {n: DeclaredSpace(family=kind) for n, kind in families.items()}
        write_study(replace(study_with(*rows, experiment=experiment), spaces=spaces), root / name)

    def row(family: str, score: float, rate: float, **changes: Any) -> TrialRow:
        made = trial_row(int(1000 * rate), [score] if score else [], family=family, **changes)
        return replace(made, config={"learning_rate": rate})

    save(
        "arms",
        {"gru": "gru", "gru+x": "gru", "lstm": "lstm"},
        row("gru", 0.1, 0.01),
        row("gru", 0.9, 0.02, state="failed"),
        row("gru", 0.0, 0.03, state="failed"),
        row("gru", 0.2, 0.04, state="pruned"),
        row("gru+x", 0.3, 0.0999),
        row("lstm", 0.9, 0.06),
    )
    save("none", {"gru": "gru"}, row("gru", 0.0, 0.07, state="failed"))
    found = space_stage("gru.yaml", [root / "none", root / "arms"], "next_item", root)
    assert (found.studies, found.trials) == (("arms", "arms (gru+x)"), 3)
    rate = found.parameters[0]
    assert (rate.best, rate.at_lower, rate.at_upper) == ((0.04, 0.0999), 0, 1)
    assert (rate.values, rate.counts) == (2, ())
    assert rate.quantiles == pytest.approx(np.quantile([0.04, 0.0999], (0.1, 0.5, 0.9)))
    assert found.parameters[1].quantiles is None
    other = space_stage(str(own_purchase_space()), [root / "arms"], "purchase", root)
    assert (other.studies, other.trials) == ((), 0)


def own_purchase_space() -> Path:
    path = own_space(family("gru"), "purchase")
    assert path is not None
    return path


def test_a_study_of_another_task_is_passed_over_and_those_after_it_are_not(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        write(root / name, {0.1: {"learning_rate": 0.01}})
    studies = iter([read_study(root / "a"), read_study(root / "b")])
    other = read_study(root / "a").experiment.model_copy(update={"task": "purchase"})
    first = replace(next(studies), experiment=other)
    monkeypatch.setattr(
        space, "read_study", lambda folder: first if folder.name == "a" else next(studies)
    )
    found = space_stage("gru.yaml", [root / "a", root / "b"], "next_item", root)
    assert found.studies == ("b",)


def test_where_less_is_better_the_lowest_score_is_the_best(root: Path) -> None:
    rows = [
        replace(
            trial_row(n, [score], lower_is_better=True), config={"learning_rate": 0.01 * (n + 1)}
        )
        for n, score in enumerate((0.6, 0.5, 0.7))
    ]
    experiment = experiment_of().model_copy(update={"metric": Metric(name="log_loss")})
    (name, ranked), = space._ranked(study_with(*rows, experiment=experiment), "gru")  # fmt: skip
    assert (name, [trial.number for trial in ranked]) == ("gru", [1, 0, 2])


def test_a_family_without_a_space_asks_for_the_path_of_one(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "own_space", lambda family, task: None)
    with pytest.raises(BadInput, match="gru comes without a space; give the path of one"):
        space_stage("gru", (), "next_item", root)


def test_studies_are_found_by_their_record_in_the_order_of_their_names(root: Path) -> None:
    for name in ("b", "a"):
        write(root / "results" / name, {0.1: {"learning_rate": 0.01}})
    (root / "results" / "c").mkdir()
    assert study_folders(root) == [root / "results/a", root / "results/b"]
