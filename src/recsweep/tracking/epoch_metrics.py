"""An epoch's figures under the names they have in W&B."""

from typing import Any

from recsweep.config.values import Configuration
from recsweep.spaces.declared import DeclaredSpace
from recsweep.training.epoch import EpochReport, mean_of_known


def epoch_metrics(report: EpochReport, config: Configuration) -> dict[str, float]:
    """Means over folds by name, and each fold's own under `fold/<n>/`, folds from 0.

    `events_per_second` is training events of all folds over the time of fitting them. The training
    loss is `loss/<which>` where the configuration says which: two losses are not of one scale.
    """
    metrics: dict[str, float] = {
        "epoch": report.epoch,
        "fit_seconds": report.fit_seconds,
        "evaluate_seconds": report.evaluate_seconds,
    }
    if report.training_events is not None and report.fit_seconds > 0:
        metrics["events_per_second"] = report.training_events / report.fit_seconds
    metrics |= {
        name: value
        for name in ("memory_mb", "joules", "joules_estimated")
        if (value := getattr(report, name)) is not None
    }
    for name, values in report.curves.items():
        key = _loss_key(config.get("loss")) if name == "loss" else name
        if (mean := mean_of_known(values)) is not None:
            metrics[key] = mean
            metrics |= {f"fold/{n}/{key}": v for n, v in enumerate(values) if v is not None}
    return metrics


def loss_keys(space: DeclaredSpace) -> list[str]:
    """Under which the trials of a space have their training loss."""
    declared = space.parameters.get("loss")
    return [
        _loss_key(name) for name in (declared.choices if declared else [space.fixed.get("loss")])
    ]


def define_metrics(run: Any, metric: str, *, lower_is_better: bool) -> None:
    """Everything by epochs; the summary keeps the best of the study's metric and of each loss."""
    best = "min" if lower_is_better else "max"
    run.define_metric("epoch", summary="last")
    run.define_metric(metric, step_metric="epoch", summary=f"{best},last")
    run.define_metric("loss", step_metric="epoch", summary="min,last")
    run.define_metric("loss/*", step_metric="epoch", summary="min,last")
    run.define_metric("*", step_metric="epoch")


def _loss_key(loss: object) -> str:
    return "loss" if loss is None else f"loss/{loss}"
