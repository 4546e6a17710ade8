"""An epoch's figures under the names they have in W&B."""

from collections.abc import Sequence

from recsweep.tracking.events import EpochReported


def epoch_metrics(event: EpochReported) -> dict[str, float]:
    """Means over folds by name, and each fold's own under `fold/<n>/`, folds from 0.

    `events_per_second` is training events of all folds over the time of fitting them.
    """
    row = event.row
    metrics: dict[str, float] = {
        "epoch": row.epoch,
        "fit_seconds": event.fit_seconds,
        "evaluate_seconds": event.evaluate_seconds,
    }
    if event.training_events is not None and event.fit_seconds > 0:
        metrics["events_per_second"] = event.training_events / event.fit_seconds
    if event.memory_mb is not None:
        metrics["memory_mb"] = event.memory_mb
    curves: dict[str, Sequence[float | None]] = {
        **row.metrics,
        "loss": row.losses,
        "gradient_norm": row.gradient_norms,
    }
    for key, values in curves.items():
        known = {n: value for n, value in enumerate(values) if value is not None}
        if known:
            metrics[key] = sum(known.values()) / len(known)
            metrics |= {f"fold/{n}/{key}": value for n, value in known.items()}
    return metrics
