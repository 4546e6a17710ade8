from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from studies import study_with, trial_row
from typer.testing import CliRunner

from recsweep.cli import app
from recsweep.config.values import Value
from recsweep.errors import BadInput
from recsweep.records.files import write_study
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
