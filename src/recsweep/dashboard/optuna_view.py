"""The journal as Optuna's dashboard shows it: metrics by name, few attributes that people can read.

What is kept for a resume (each epoch's figures, whole configurations, the experiment) would be a
column each, thousands of letters wide. The journal itself is not written to.
"""

import copy
from collections.abc import Container
from typing import Any

from optuna.storages import JournalStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from recsweep.config.schema import Metric, written
from recsweep.search.trials import booked, epochs_of, trial_id

METRIC_NAMES = "study:metric_names"  # where `Study.set_metric_names` has them


class ReadableStorage(JournalStorage):
    """Reads what another storage of the same journal reads."""

    def __init__(self, storage: Any) -> None:
        super().__init__(storage._backend)

    def get_all_studies(self) -> list[FrozenStudy]:
        """With the metric's name, without the experiment."""
        return [_readable_study(study) for study in super().get_all_studies()]

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,  # copies are what it gives
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """With attributes for people."""
        name = self.get_study_name_from_id(study_id)
        lower = self.get_study_directions(study_id) == [StudyDirection.MINIMIZE]
        trials = super().get_all_trials(study_id, deepcopy=False, states=states)
        return [_readable_trial(name, trial, lower) for trial in trials]


def _readable_study(study: FrozenStudy) -> FrozenStudy:
    session = study.user_attrs.get("session", {})
    try:
        metric = written(Metric.model_validate(session["metric"]).key)
    except (KeyError, ValueError):  # a journal of another version, or none of ours
        return study
    budget = ", ".join(f"{key} {value}" for key, value in session["budget"].items() if value)
    study.user_attrs = {"study": session.get("study"), "metric": metric, "budget": budget}
    study.system_attrs = {**study.system_attrs, METRIC_NAMES: [metric]}
    return study


def _readable_trial(family: str, trial: FrozenTrial, lower_is_better: bool) -> FrozenTrial:
    if not booked(trial):
        return trial
    attrs, epochs = trial.user_attrs, epochs_of(trial)
    told = {
        "trial": trial_id(family, attrs["number"]),
        "seed": attrs["seed"],
        "epochs": len(epochs),
    }
    if epochs:
        best = (min if lower_is_better else max)(epochs, key=lambda report: report.value)
        told |= {
            "best epoch": best.epoch,
            "training seconds": round(sum(report.fit_seconds for report in epochs), 1),
        }
    if "reason" in attrs:
        told["reason"] = attrs["reason"]
    readable = copy.copy(trial)
    readable.user_attrs = told
    return readable
