"""An epoch's figures under the names they have in W&B."""

from recsweep.training.epoch import EpochReport, mean_of_known


def epoch_metrics(report: EpochReport) -> dict[str, float]:
    """Means over folds by name, and each fold's own under `fold/<n>/`, folds from 0.

    `events_per_second` is training events of all folds over the time of fitting them.
    """
    metrics: dict[str, float] = {
        "epoch": report.epoch,
        "fit_seconds": report.fit_seconds,
        "evaluate_seconds": report.evaluate_seconds,
    }
    if report.training_events is not None and report.fit_seconds > 0:
        metrics["events_per_second"] = report.training_events / report.fit_seconds
    if report.memory_mb is not None:
        metrics["memory_mb"] = report.memory_mb
    for key, values in report.curves.items():
        if (mean := mean_of_known(values)) is not None:
            metrics[key] = mean
            metrics |= {f"fold/{n}/{key}": v for n, v in enumerate(values) if v is not None}
    return metrics
