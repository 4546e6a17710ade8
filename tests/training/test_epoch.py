import json
from dataclasses import replace

import numpy as np
import pytest

from recsweep.training.epoch import EpochReport, mean_of_known

REPORT = EpochReport(
    3,
    0.25,
    {"ndcg@10": (0.2, 0.3)},
    (1.5, None),
    fit_seconds=2.0,
    evaluate_seconds=0.5,
    gradient_norms=(4.0, None),
    training_events=7,
)


def test_an_epoch_takes_what_fitting_and_evaluating_take() -> None:
    assert REPORT.seconds == 2.5


def test_what_has_a_value_a_fold_is_a_curve() -> None:
    assert REPORT.curves == {
        "ndcg@10": (0.2, 0.3), "loss": (1.5, None), "gradient_norm": (4.0, None),
    }  # fmt: skip


def test_an_entry_is_json_and_becomes_the_same_report() -> None:
    entry = json.loads(json.dumps(REPORT.entry()))
    assert not {"epoch", "value", "user_values"} & {*entry}
    assert EpochReport.of_entry(3, 0.25, entry) == REPORT
    older = {name: entry[name] for name in ("metrics", "losses")}
    assert EpochReport.of_entry(3, 0.25, older).seconds == 0


def test_of_what_is_told_once_or_on_request_an_entry_says_nothing_where_it_isnt_told() -> None:
    entry = REPORT.entry()
    once = {"parameters", "model_bytes", "p99_ms", "joules", "joules_estimated"}
    assert not once & entry.keys()
    assert entry["memory_mb"] is None
    told = replace(REPORT, parameters=9, joules=0.0)
    assert told.entry() == {**entry, "parameters": 9, "joules": 0.0}
    assert EpochReport.of_entry(3, 0.25, told.entry()) == told


@pytest.mark.parametrize(
    ("values", "mean"), [((1.0, None, 4.0), 2.5), ((0.0, 1.0), 0.5), ((None,), None), ((), None)]
)
def test_a_mean_is_over_the_folds_that_have_a_value(
    values: tuple[float | None, ...], mean: float | None
) -> None:
    assert mean_of_known(values) == mean


def test_scores_of_learners_are_not_printed_with_a_report() -> None:
    assert "user_values" not in repr(replace(REPORT, user_values=(np.array([0.5]),)))
