"""A W&B run for each selected configuration: its curves, and what the sealed test said of it.

The trial's own run ended with the sweep, before anybody knew; as files it can't be added to.
"""

import hashlib
import json
from collections.abc import Mapping

from recsweep.config.schema import goodness
from recsweep.records.confirmation import Confirmation
from recsweep.records.selection import Choice, Selection
from recsweep.records.study import Study
from recsweep.tracking.epoch_metrics import epoch_metrics
from recsweep.tracking.stage_runs import StageRun, study_config, tags


def selected_runs(
    study: Study, selection: Selection, confirmation: Confirmation | None
) -> list[StageRun]:
    """The best on the folds of those that have a curve comes last, under the first of the ids.

    `wandb leet` opens on the latest run, and on the first by name of those from one second.
    """
    flat = {trial.id for trial in study.trials if len(trial.epochs) < 2}
    choices = sorted(
        selection.families.values(),
        key=lambda choice: (choice.trial in flat, -goodness(selection.metric, choice.value)),
    )
    runs = [
        _run(study, selection.metric, choice, confirmation, place)
        for place, choice in enumerate(choices)
    ]
    return runs[::-1]


def study_uid(study: Study) -> str:
    """The same whenever a stage of this study is run."""
    began = study.sessions[0].started.isoformat() if study.sessions else ""
    return hashlib.sha256(f"{study.experiment.study} {began}".encode()).hexdigest()[:8]


def _run(
    study: Study, metric: str, choice: Choice, confirmation: Confirmation | None, place: int
) -> StageRun:
    trial = next(t for t in study.trials if t.id == choice.trial)
    summary = {
        "best_value": choice.value,
        "best_epoch": choice.epochs,
        "converged": choice.converged,
        "fit_seconds": trial.fit_seconds,
        **_sealed(choice.family, metric, confirmation),
    }
    digest = hashlib.sha256(json.dumps(summary, sort_keys=True).encode()).hexdigest()[:8]
    return StageRun(
        id=f"best-{place:02}-{choice.trial}-{digest}-{study_uid(study)}",
        name=f"{choice.trial} selected",
        job_type="selected",
        tags=["selected", *tags(study.experiment, "report", choice.family)],
        config={
            **study_config(study.experiment, study.fingerprint),
            "family": choice.family,
            "kind": study.spaces[choice.family].family,
            "trial": choice.trial,
            "seed": choice.seed,
            **choice.config,
        },
        summary=summary,
        curves=[epoch_metrics(epoch, trial.config) for epoch in trial.epochs],
    )


def _sealed(
    family: str, metric: str, confirmation: Confirmation | None
) -> Mapping[str, float | int]:
    found = confirmation.families.get(family) if confirmation else None
    if confirmation is None or found is None:
        return {}
    own = found.metrics[metric]
    return {
        **{f"sealed/{key}": estimate.mean for key, estimate in found.metrics.items()},
        "sealed/lower": own.lower,
        "sealed/upper": own.upper,
        "sealed/seeds": len(found.seeds),
        "sealed/openings": len(confirmation.openings),
    }
