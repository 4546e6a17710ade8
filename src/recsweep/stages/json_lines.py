"""Progress for programs: one JSON object a line on standard output, documented in the how-to."""

import json
import sys
from typing import Any

from recsweep.records.confirmation import Confirmation
from recsweep.records.selection import Selection
from recsweep.records.study import SweepSession, TrialRow
from recsweep.tracking.events import (
    EpochReported,
    Event,
    SweepEnded,
    SweepStarted,
    TrialEnded,
    TrialStarted,
)


def say(event: str, **fields: Any) -> None:
    """Write a line at once: who reads it may act on it while the sweep goes on."""
    line = json.dumps({"event": event, **fields}, ensure_ascii=False, default=str)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def listen(event: Event) -> None:
    """A listener of a sweep."""
    match event:
        case SweepStarted():
            say(
                "sweep_started",
                study=event.experiment.study,
                metric=event.experiment.metric.key,
                targets=dict(event.targets),
                done=len(event.done),
                workers=event.workers,
            )
        case TrialStarted():
            say("trial_started", trial=event.id, family=event.family, config=dict(event.config))
        case EpochReported():
            say(
                "epoch",
                trial=event.id,
                epoch=event.row.epoch,
                value=event.row.value,
                seconds=event.fit_seconds + event.evaluate_seconds,
            )
        case TrialEnded():
            say("trial_ended", **_trial(event.trial))
        case SweepEnded():
            say("sweep_ended", interrupted=event.interrupted, **session(event.session))


def session(ended: SweepSession) -> dict[str, Any]:
    """What a session took."""
    return {
        "trials": ended.trials,
        "seconds": ended.wall_seconds,
        "workers": ended.workers,
        "efficiency": ended.efficiency,
    }


def selected(selection: Selection) -> None:
    """Each family's choice."""
    families = {
        name: {"trial": c.trial, "value": c.value, "epochs": c.epochs, "config": dict(c.config)}
        for name, c in selection.families.items()
    }
    say("selected", rule=selection.rule, metric=selection.metric, families=families)


def confirmed(confirmation: Confirmation, opened: bool) -> None:
    """What the sealed test said."""
    key = confirmation.metric
    say(
        "confirmed",
        opened=opened,
        metric=key,
        families={name: f.metrics[key].mean for name, f in confirmation.families.items()},
        verdicts=[
            {"a": p.a, "b": p.b, "outcome": p.outcome, "difference": p.difference, "p": p.p}
            for p in confirmation.pairs
        ],
    )


def _trial(trial: TrialRow) -> dict[str, Any]:
    best = trial.best
    return {
        "trial": trial.id,
        "family": trial.family,
        "state": trial.state,
        "reason": trial.reason,
        "value": best.value if best else None,
        "best_epoch": best.epoch if best else None,
        "epochs": len(trial.epochs),
        "seconds": trial.fit_seconds + trial.evaluate_seconds,
    }
