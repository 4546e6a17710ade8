"""One W&B run for a stage as a whole: its tables, its results, what it took in and gave out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import wandb

from recsweep.config.schema import Experiment, Schema
from recsweep.tracking.artifacts import Item, give_out, take_in
from recsweep.tracking.tables import RunTable
from recsweep.tracking.wandb_session import Session

JobType = Literal["study", "confirm", "reproduce", "selected"]
STAGES = ("study", "select", "confirm", "report", "portrait", "reproduce")
"""What the ids of runs begin with that stand in a study's lineage."""
ELSEWHERE = {
    *("study", "description", "description_zh", "task", "metric", "features", "seed"),
    *("data", "families", "tracking", "storage"),
}
"""Keys of an experiment that a run tells under names of their own, or in its tags and artifacts."""


@dataclass(frozen=True, slots=True)
class StageRun:
    """A run as data, to be logged in one go."""

    id: str
    name: str
    job_type: JobType
    tags: list[str]
    config: Mapping[str, object]
    summary: Mapping[str, object]
    curves: Sequence[Mapping[str, float]] = ()  # what a selected trial reported, epoch by epoch
    tables: Mapping[str, RunTable] = field(default_factory=dict)
    took: tuple[Item, ...] = ()
    gave: tuple[Item, ...] = ()

    def __post_init__(self) -> None:
        """Raise `ValueError` where `recsweep sync` would not know the run's place by its id."""
        if (self.took or self.gave) and not self.id.startswith(tuple(f"{s}-" for s in STAGES)):
            raise ValueError(f"{self.id}: has artifacts, and begins with none of {STAGES}")


def log_stage(session: Session, stage: StageRun) -> None:
    """Begin, fill and end the run."""
    run = session.open(
        id=stage.id,
        name=stage.name,
        job_type=stage.job_type,
        tags=stage.tags,
        config=dict(stage.config),
    )
    for item in stage.took:
        take_in(run, item, session.folder)
    for item in stage.gave:
        give_out(run, item, session.folder)
    if stage.tables:
        run.log({name: _table(table) for name, table in stage.tables.items()})
    if stage.curves:
        run.define_metric("*", step_metric="epoch")
    for epoch in stage.curves:
        run.log(dict(epoch))
    run.summary.update(dict(stage.summary))
    session.close(run)


def tags(experiment: Experiment, stage: str, family: str | None = None) -> list[str]:
    """What runs can be filtered by: family, data set, task and stage."""
    shared = [experiment.data.name, experiment.task, stage]
    return [family, *shared] if family else shared


def study_config(experiment: Experiment, fingerprint: str) -> dict[str, object]:
    """Every setting of the study that can be compared between runs, flat."""
    metric, model = experiment.metric, experiment.text.model
    return {
        "study": experiment.study,
        "dataset": experiment.data.name,
        "fingerprint": fingerprint,
        "task": experiment.task,
        "metric": metric.key,
        "metric_report_k": metric.report_k,
        "metric_calibration": metric.calibration,
        "features": "all" if experiment.features is None else ", ".join(experiment.features),
        "study_seed": experiment.seed,
        **dict(_flat((key, value) for key, value in experiment if key not in ELSEWHERE)),
        # Of paths the last part: a folder of somebody's may have their name.
        "warm_start": tuple(Path(folder).name for folder in experiment.warm_start),
        "text.model": None if model is None else Path(model).name,
    }


def _flat(settings: Iterator[tuple[str, object]], above: str = "") -> Iterator[tuple[str, object]]:
    """`stopping.study.below` and its value; those at their defaults as well."""
    for key, value in settings:
        if isinstance(value, Schema):
            yield from _flat(iter(value), f"{above}{key}.")
        elif isinstance(value, Mapping) and value:
            yield from _flat(iter(value.items()), f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _table(table: RunTable) -> wandb.Table:
    columns, rows = table
    return wandb.Table(columns=list(columns), data=rows)
