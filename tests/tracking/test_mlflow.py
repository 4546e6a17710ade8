"""What a sweep leaves in MLflow's local store, read back by MLflow."""

import sys
from pathlib import Path

import pytest
from studies import NOW, trial_row
from worlds import experiment_of

from recsweep.errors import BadInput
from recsweep.records.study import SweepSession
from recsweep.spaces.declared import DeclaredSpace
from recsweep.tracking.events import (
    EpochReported,
    SweepEnded,
    SweepStarted,
    TrialEnded,
    TrialStarted,
)
from recsweep.tracking.mlflow import MlflowListener, metric_name

SESSION = SweepSession(NOW, 10.0, 1.0, 2, 15.0, 2)


def test_without_the_extra_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(BadInput, match=r"pip install 'recsweep\[mlflow\]'"):
        MlflowListener(experiment_of())


def test_a_metric_is_called_as_mlflow_takes_it() -> None:
    assert metric_name("fold/0/ndcg@10") == "fold/0/ndcg_at_10"


def test_every_trial_is_a_run_with_its_curve_under_its_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow")
    store = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    experiment = experiment_of(study="mine", tracking={"close_seconds": 60})
    listener = MlflowListener(experiment)
    spaces = {"gru": DeclaredSpace(family="gru")}
    listener(SweepStarted(experiment, spaces, {"gru": 2}, (), 1, uid="u", session=0))
    done, cut = trial_row(0, [0.1, 0.3, 0.2]), trial_row(1, [0.2])
    for trial in (done, cut):
        listener(TrialStarted(trial.id, "gru", 0, trial.config, trial.seed))
        for report in trial.epochs:
            listener(EpochReported(trial.id, report))
    listener(TrialEnded(done))
    listener(SweepEnded(SESSION, interrupted=True))
    client = mlflow.MlflowClient(store)
    found = client.get_experiment_by_name("mine")
    runs = {run.info.run_name: run for run in client.search_runs([found.experiment_id])}
    assert set(runs) == {"mine, session 0", "gru-0000", "gru-0001"}
    session, first, second = (runs[name] for name in ("mine, session 0", "gru-0000", "gru-0001"))
    assert first.data.tags["mlflow.parentRunId"] == session.info.run_id
    assert (first.info.status, second.info.status) == ("FINISHED", "KILLED")
    assert (first.data.tags["state"], second.data.tags["state"]) == ("complete", "interrupted")
    assert first.data.params["learning_rate"] == str(done.config["learning_rate"])
    assert session.data.params["budget.epochs"] == str(experiment.budget.epochs)
    curve = client.get_metric_history(first.info.run_id, "ndcg_at_10")
    assert [(point.step, point.value) for point in curve] == [(1, 0.1), (2, 0.3), (3, 0.2)]
    assert (first.data.metrics["best_epoch"], first.data.metrics["best_value"]) == (2, 0.3)
