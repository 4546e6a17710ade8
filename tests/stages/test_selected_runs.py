"""The runs of selected configurations, as data."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

from studies import NOW, study_with, trial_row
from worlds import experiment_of

from recsweep.records.confirmation import Confirmation, ConfirmedFamily, Estimate
from recsweep.records.selection import Choice, Selection
from recsweep.records.study import Study, TrialRow
from recsweep.spaces.declared import DeclaredSpace
from recsweep.stages.selected_runs import selected_runs, study_uid
from recsweep.tracking.stage_runs import study_config

GRU = trial_row(0, (0.1, 0.3, 0.2))
LSTM = trial_row(1, (0.2, 0.25), family="lstm")


def study() -> Study:
    return study_with(GRU, LSTM, experiment=experiment_of(families=["gru", "lstm"]))


def choice(trial: TrialRow) -> Choice:
    assert trial.best is not None
    return Choice(
        family=trial.family,
        kind=trial.family,
        trial=trial.id,
        config=trial.config,
        seed=trial.seed,
        epochs=trial.best.epoch,
        value=trial.best.value,
        metrics={},
        converged=True,
        near_edge=(),
        within=1,
        candidates=1,
    )


def selection(metric: str = "ndcg@10") -> Selection:
    return Selection("best_mean", metric, {t.family: choice(t) for t in (GRU, LSTM)})


def confirmation() -> Confirmation:
    family = ConfirmedFamily(
        kind="gru",
        trial=GRU.id,
        config=GRU.config,
        epochs=2,
        seeds=(0, 1, 2),
        deterministic=False,
        steps=None,
        fit_seconds=1.0,
        metrics={"ndcg@10": Estimate(0.28, 0.26, 0.3), "mrr@5": Estimate(0.1, 0.05, 0.15)},
        coverage={},
        novelty={},
    )
    return Confirmation(
        metric="ndcg@10",
        learners=10,
        targets=20,
        cold_targets=0.0,
        level=0.95,
        smallest_effect=0.005,
        families={"gru": family},
        pairs=(),
        subgroups=(),
        openings=(),
        study="test",
        verdicts=(),
        scope="configurations",
        window={},
        dataset="test-0123",
        fingerprint="f00",
        inputs="",
        environment={},
    )


def test_a_selected_configuration_has_its_tag_its_curves_and_its_sealed_scores() -> None:
    *_, gru = selected_runs(study(), selection(), confirmation())
    assert gru.name == "gru-0000 selected"
    assert gru.tags[:2] == ["selected", "gru"]
    assert [row["ndcg@10"] for row in gru.curves] == [0.1, 0.3, 0.2]
    assert [row["epoch"] for row in gru.curves] == [1, 2, 3]
    assert gru.summary["best_value"] == 0.3
    assert gru.summary["sealed/ndcg@10"] == 0.28
    assert gru.summary["sealed/mrr@5"] == 0.1
    assert (gru.summary["sealed/lower"], gru.summary["sealed/upper"]) == (0.26, 0.3)
    assert gru.config["learning_rate"] == GRU.config["learning_rate"]


def test_the_best_on_the_folds_comes_last_whichever_way_is_better() -> None:
    for metric, last in (("ndcg@10", "gru"), ("log_loss", "lstm")):
        runs = selected_runs(study(), selection(metric), None)
        assert runs[-1].config["family"] == last
        assert runs[-1].id < runs[0].id < "report"
        assert not [key for run in runs for key in run.summary if key.startswith("sealed")]


def test_a_trial_without_a_curve_is_not_what_a_viewer_opens_on() -> None:
    flat = replace(GRU, epochs=GRU.epochs[:1])
    known = replace(study(), trials=(flat, LSTM))
    assert selected_runs(known, selection(), None)[-1].config["family"] == "lstm"


def test_a_run_is_logged_again_only_when_it_says_something_else() -> None:
    before = [run.id for run in selected_runs(study(), selection(), None)]
    assert before == [run.id for run in selected_runs(study(), selection(), None)]
    opened = [run.id for run in selected_runs(study(), selection(), confirmation())]
    assert [a == b for a, b in zip(before, opened, strict=True)] == [True, False]  # lstm, gru


def test_a_study_that_was_begun_anew_has_runs_of_its_own() -> None:
    [session] = study().sessions
    anew = replace(study(), sessions=(replace(session, started=NOW + timedelta(days=1)),))
    ids = [{run.id for run in selected_runs(known, selection(), None)} for known in (study(), anew)]
    assert ids[0].isdisjoint(ids[1])


def test_a_run_is_named_by_its_place_what_it_says_and_its_study() -> None:
    """The best on the folds is of place 0, and its summary decides the name."""
    *_, gru = selected_runs(study(), selection(), confirmation())
    summary = {
        "best_value": 0.3,
        "best_epoch": 2,
        "converged": True,
        "fit_seconds": 10.0,
        "sealed/ndcg@10": 0.28,
        "sealed/mrr@5": 0.1,
        "sealed/lower": 0.26,
        "sealed/upper": 0.3,
        "sealed/seeds": 3,
        "sealed/openings": 0,
    }
    assert gru.summary == summary
    digest = hashlib.sha256(json.dumps(summary, sort_keys=True).encode()).hexdigest()[:8]
    began = hashlib.sha256(f"test {NOW.isoformat()}".encode()).hexdigest()[:8]
    assert gru.id == f"best-00-gru-0000-{digest}-{began}"
    assert study_uid(study()) == began
    unbegun = hashlib.sha256(b"test ").hexdigest()[:8]
    assert study_uid(replace(study(), sessions=())) == unbegun


def test_a_run_has_the_studys_settings_and_its_configuration() -> None:
    arm = replace(GRU, family="gru+x")
    known = replace(
        study_with(arm, experiment=experiment_of(families={"gru+x": "gru"})),
        spaces={"gru+x": DeclaredSpace(family="gru")},
    )
    (run,) = selected_runs(known, Selection("best_mean", "ndcg@10", {"gru+x": choice(arm)}), None)
    assert run.config == {
        **study_config(known.experiment, "f00"),
        **{"family": "gru+x", "kind": "gru", "trial": "gru-0000", "seed": 0},
        **GRU.config,
    }
    assert run.job_type == "selected"
    assert run.tags == ["selected", "gru+x", "test", "next_item", "report"]


def test_a_family_that_was_not_confirmed_has_no_sealed_score() -> None:
    lstm, _ = selected_runs(study(), selection(), confirmation())
    assert lstm.config["family"] == "lstm"
    assert not [key for key in lstm.summary if key.startswith("sealed")]
