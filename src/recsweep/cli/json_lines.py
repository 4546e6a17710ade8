"""Progress for programs: one JSON object a line on standard output, documented in the how-to."""

import json
from typing import TYPE_CHECKING, Any, TextIO

from recsweep.tracking.events import (
    EpochReported,
    Event,
    SweepEnded,
    SweepStarted,
    TrialEnded,
    TrialStarted,
)

if TYPE_CHECKING:
    from recsweep.evaluation.power import Power
    from recsweep.records.confirmation import Confirmation
    from recsweep.records.selection import Selection
    from recsweep.records.study import SweepSession, TrialRow


class JsonLines:
    """Writes to `stream`; says nothing where it is None. Also a listener of a sweep."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def say(self, event: str, **fields: Any) -> None:
        """Write a line at once: who reads it may act on it while the sweep goes on."""
        if self._stream is None:
            return
        line = json.dumps({"event": event, **fields}, default=str)  # ASCII: in any encoding alike
        self._stream.write(line + "\n")
        self._stream.flush()

    def __call__(self, event: Event) -> None:
        """What happens in a sweep."""
        match event:
            case SweepStarted():
                self.say(
                    "sweep_started",
                    study=event.experiment.study,
                    metric=event.experiment.metric.key,
                    targets=dict(event.targets),
                    seconds=event.experiment.budget.seconds,
                    done=len(event.done),
                    workers=event.workers,
                )
            case TrialStarted():
                config = dict(event.config)
                self.say("trial_started", trial=event.id, family=event.family, config=config)
            case EpochReported():
                self.say(
                    "epoch",
                    trial=event.id,
                    epoch=event.report.epoch,
                    value=event.report.value,
                    seconds=event.report.seconds,
                )
            case TrialEnded():
                self.say("trial_ended", **_trial(event.trial))
            case SweepEnded():
                self.say("sweep_ended", interrupted=event.interrupted, **_session(event.session))

    def selected(self, selection: "Selection") -> None:
        """Each family's choice."""
        families = {
            name: {"trial": c.trial, "value": c.value, "epochs": c.epochs, "config": dict(c.config)}
            for name, c in selection.families.items()
        }
        self.say("selected", rule=selection.rule, metric=selection.metric, families=families)

    def power(self, power: "Power") -> None:
        """What the sealed test can show."""
        self.say(
            "power",
            metric=power.metric,
            learners=power.learners,
            smallest_differences=[
                {"a": a, "b": b, "difference": difference}
                for (a, b), difference in power.differences.items()
            ],
        )

    def confirmed(self, confirmation: "Confirmation", opened: bool) -> None:
        """What the sealed test said."""
        key = confirmation.metric
        self.say(
            "confirmed",
            opened=opened,
            metric=key,
            families={name: f.metrics[key].mean for name, f in confirmation.families.items()},
            verdicts=[
                {
                    "a": p.a,
                    "b": p.b,
                    "outcome": p.outcome,
                    "difference": p.difference,
                    "p": p.p,
                    "exploratory": p.exploratory,
                    "caveats": p.caveats,
                }
                for p in confirmation.pairs
            ],
        )


def _session(ended: "SweepSession") -> dict[str, Any]:
    return {
        "trials": ended.trials,
        "seconds": ended.wall_seconds,
        "workers": ended.workers,
        "efficiency": ended.efficiency,
    }


def _trial(trial: "TrialRow") -> dict[str, Any]:
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
