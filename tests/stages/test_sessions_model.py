"""A model of a table of sessions is fitted, and asked with rows of such a table."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from typer.testing import CliRunner

from recsweep.bundle.bundle import load_bundle, parts_of
from recsweep.bundle.files import write_bundle
from recsweep.bundle.format import BundleFile
from recsweep.cli import app
from recsweep.config.schema import Experiment
from recsweep.data.prepare import prepare
from recsweep.evaluation.probability import Calibrator
from recsweep.models.registry import families, families_of
from recsweep.tasks.development import whole_split
from recsweep.tasks.registry import TASKS
from recsweep.testing import cases_of
from recsweep.testing.bundles import pieces_of
from recsweep.training.refit import refit


@pytest.mark.parametrize("family", ["logistic_regression", "wide_deep"])
def test_every_session_has_the_probability_that_the_model_gives_it(
    tmp_path: Path, family: str
) -> None:
    random = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "pages": random.integers(0, 20, 120),
            "month": random.choice(["May", "June", "July"], 120),
            "bought": random.choice(["yes", "no"], 120),
        }
    ).with_row_index("id")
    frame.write_csv(tmp_path / "sessions.csv")
    table = {"path": str(tmp_path / "sessions.csv"), "label": "bought", "positive": ["yes"]}
    experiment = Experiment.model_validate(
        {
            "study": "sessions",
            "task": "purchase",
            "data": {
                "name": "sessions",
                "sessions": {**table, "numeric": ["pages"], "categorical": ["month"]},
            },
            "folds": {"rule": "stratified"},
            "families": [family],
        }
    )
    dataset = prepare(experiment, tmp_path)
    split = whole_split(dataset, experiment, dataset.cuts.test[0])
    task = TASKS["purchase"]
    training = task.training(split)
    case = next(cases_of(families()[family], "purchase"))
    cpu = torch.device("cpu")
    model = refit(family, case.config, training, epochs=2, seed=0, device=cpu, task=task)
    record, _ = pieces_of(case)
    content = {name: getattr(record, name) for name in BundleFile.model_fields if name != "files"}
    parts, files = parts_of(model, split, training, Calibrator())
    more = {"experiment": experiment, "kind": family, "family": family}
    write_bundle(tmp_path / "m", {**content, **parts, **more}, files)
    assert load_bundle(tmp_path / "m").file.kind in families_of("purchase")
    asked = frame.drop("bought", "id")
    asked.write_csv(tmp_path / "asked.csv")
    command = ["recommend", str(tmp_path / "m"), str(tmp_path / "asked.csv")]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "120 sessions." in done.stderr
    found = pl.read_csv(done.stdout.encode())
    assert found["session"].to_list() == list(range(1, 121))
    examples = training.examples
    assert examples is not None
    assert dataset.users is not None
    said = task.scorer(examples, training.n_items, cpu).outcomes(model)
    of_row = {
        (row["pages"], row["month"]): p
        for row, p in zip(dataset.users.iter_rows(named=True), said, strict=True)
    }
    checked = 0
    for row, p in zip(asked.iter_rows(named=True), found["probability"], strict=True):
        expected = of_row.get((row["pages"], row["month"]))
        if expected is not None:
            assert p == pytest.approx(expected, rel=1e-5)
            checked += 1
    assert checked > 60
    again = CliRunner().invoke(app, [*command, "--only", "a=b"])
    assert "give a file of sessions, and no option but --out" in str(again.exception)
    alone = CliRunner().invoke(app, [*command[:2], "--learner", "u1"])
    assert "give a file of sessions, and no option but --out" in str(alone.exception)
