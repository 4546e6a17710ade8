from collections.abc import Iterator

import pytest
from pydantic import BaseModel
from worlds import experiment_of

from recsweep.config.schema import Experiment
from recsweep.tracking.artifacts import prepared_data
from recsweep.tracking.stage_runs import StageRun, study_config

ELSEWHERE = (
    *("study", "description", "description_zh", "task", "metric", "features", "seed"),
    *("data", "families", "tracking", "storage"),
)
"""What is told under another name, in tags, or nowhere."""


def keys(settings: BaseModel, above: str = "") -> Iterator[str]:
    for name in (*type(settings).model_fields, *(settings.model_extra or ())):
        value = getattr(settings, name)
        if not isinstance(value, BaseModel):
            yield above + name
        elif above or name not in ELSEWHERE:
            yield from keys(value, f"{above}{name}.")


EXPERIMENTS = (
    experiment_of(),
    experiment_of(task="purchase"),
    experiment_of(
        selection={"rule": "limit", "limits": {"parameters": 1000}},
        stopping={"study": {"when": "expected_gain", "below": 0.01}},
        energy={},
    ),
)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_setting_of_a_study_is_told_and_none_holds_others(experiment: Experiment) -> None:
    told = study_config(experiment, "f00")
    assert set(keys(experiment)) - set(ELSEWHERE) <= told.keys()
    assert not [key for key, value in told.items() if isinstance(value, BaseModel)]


def test_settings_stand_under_their_place_in_the_experiment() -> None:
    told = study_config(
        experiment_of(
            task="purchase",
            seed=3,
            repeatable=True,
            metric={"calibration": "platt"},
            search={"sampler": "gp"},
            limits={"parameters": 1000},
            stopping={"study": {"when": "expected_gain", "below": 0.01}},
            resources={"custom": {"tpu": 2}},
            purchase={"window_days": 3},
        ),
        "f00",
    )
    expected = {
        "study": "test",
        "dataset": "test",
        "fingerprint": "f00",
        "task": "purchase",
        "metric": "log_loss",
        "metric_calibration": "platt",
        "features": "all",
        "study_seed": 3,
        "repeatable": True,
        "search.sampler": "gp",
        "limits.parameters": 1000,
        "stopping.study.below": 0.01,
        "resources.custom.tpu": 2,
        "purchase.window_days": 3,
        "budget.epochs": 8,
    }
    assert {key: told[key] for key in expected} == expected


def test_of_a_folder_its_name_alone_is_told() -> None:
    told = study_config(
        experiment_of(
            warm_start=["/home/alice/results/first", "results/second"],
            text={"method": "embeddings", "model": "/home/alice/models/small"},
        ),
        "f00",
    )
    assert told["warm_start"] == ("first", "second")
    assert told["text.model"] == "small"
    assert "alice" not in str(told)


def test_a_run_with_artifacts_has_an_id_that_tells_when_it_is_sent() -> None:
    data = prepared_data("log-abc", "f00")
    with pytest.raises(ValueError, match="audit-1: has artifacts, and begins with none of"):
        StageRun("audit-1", "audit", "study", [], {}, {}, took=(data,))
    assert StageRun("best-1", "best", "selected", [], {}, {}).took == ()
    assert StageRun("portrait-1", "portrait", "study", [], {}, {}, gave=(data,)).gave == (data,)
