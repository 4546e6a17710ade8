from pathlib import Path

import numpy as np
import pytest
from purchases import fold_of, random_log
from sklearn.metrics import log_loss, roc_auc_score

from recsweep.config.schema import Metric
from recsweep.data.types import Labels
from recsweep.errors import BadInput
from recsweep.evaluation.probability import Calibrator, fit_calibrator
from recsweep.models.cases import labels_of
from recsweep.models.registry import families_of, role_of
from recsweep.spaces.files import load_space
from recsweep.tasks.purchase.task import TASK as PURCHASE
from recsweep.tasks.registry import TASKS

ROOT = Path(__file__).parents[3]
LOG_LOSS = Metric(name="log_loss")


def test_means_are_over_examples_and_learners_are_the_parts_that_add_up_to_them() -> None:
    targets = fold_of(random_log(0)).validation
    assert isinstance(targets.labels, Labels)
    probability = np.random.default_rng(0).uniform(0.01, 0.99, len(targets))
    metrics, learners = PURCHASE.summarise(probability, targets, LOG_LOSS)
    assert metrics["log_loss"] == pytest.approx(log_loss(targets.labels.bought, probability))
    assert metrics["roc_auc"] == roc_auc_score(targets.labels.bought, probability)
    assert len(learners) == len(targets.histories)
    assert learners.mean() == pytest.approx(metrics["log_loss"])


def test_a_calibrator_changes_what_is_scored() -> None:
    targets = fold_of(random_log(0)).validation
    probability = np.random.default_rng(0).uniform(0.01, 0.99, len(targets))
    plain, _ = PURCHASE.summarise(probability, targets, LOG_LOSS)
    platt = Metric(name="log_loss", calibration="platt")
    mended, _ = PURCHASE.summarise(probability, targets, platt)
    assert mended["log_loss"] < plain["log_loss"]


def test_outside_of_a_study_a_calibrator_is_fitted_on_all_windows_together() -> None:
    windows = [fold_of(random_log(seed)).validation for seed in (0, 1)]
    rng, platt = np.random.default_rng(0), Metric(name="log_loss", calibration="platt")
    said = [rng.uniform(0.01, 0.99, len(targets)) for targets in windows]
    bought = np.concatenate([labels_of(targets).bought for targets in windows])
    found = PURCHASE.calibrator(said, windows, platt)
    assert found == fit_calibrator(np.concatenate(said), bought, "platt")
    assert found != PURCHASE.calibrator(said[:1], windows[:1], platt)


def test_answers_of_a_task_without_probabilities_stay_as_they_are() -> None:
    targets = fold_of(random_log(0)).validation
    assert (
        TASKS["next_item"].calibrator([np.ones(len(targets))], [targets], LOG_LOSS) == Calibrator()
    )


def test_a_family_that_does_not_serve_the_task_is_refused_in_one_line() -> None:
    with pytest.raises(BadInput, match="'item_knn' does not serve the study's task; allowed: base"):
        load_space(ROOT / "search_spaces/item_knn.yaml", families_of("purchase"))
    with pytest.raises(BadInput, match="'base_rate' does not serve the study's task"):
        load_space(ROOT / "search_spaces/purchase/base_rate.yaml", families_of("next_item"))


def test_every_family_has_a_space_file_of_its_name() -> None:
    spaces = sorted((ROOT / "search_spaces/purchase").glob("*.yaml"))
    loaded = {path.stem: load_space(path, families_of("purchase")).family for path in spaces}
    assert loaded == {name: name for name in families_of("purchase") if role_of(name) != "ensemble"}


def test_a_task_is_known_by_its_name() -> None:
    assert {name: task.name for name, task in TASKS.items()} == {name: name for name in TASKS}
