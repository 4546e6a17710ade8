"""Between Optuna's trials and ours: what is kept with a trial, and how it is read back.

User attributes of an Optuna trial: `number`, `attempt` (how often it was gone on with), `seed`,
`config`, `batch` (of a repeatable search), `epoch <n>` (fold values, losses and seconds of an
epoch), and `reason` of one that failed. The reason `interrupted` marks one that is no trial of
ours, since its driver died while it was asked for.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from recsweep.errors import BadInput
from recsweep.records.study import EpochRow, TrialRow
from recsweep.records.study import TrialState as State
from recsweep.tracking.events import EpochReported
from recsweep.training.trial import EpochReport

INTERRUPTED = "interrupted"
STOPPED = "stopped after epoch {}: its family's earlier trials were better there"
STATES: dict[TrialState, State] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


def trial_id(family: str, number: int) -> str:
    """`gru-0003`."""
    return f"{family}-{number:04d}"


def finished(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Those that count: complete, pruned or failed, but not cut off."""
    return [t for t in trials if t.state in STATES and t.user_attrs.get("reason") != INTERRUPTED]


def booked(trial: FrozenTrial) -> bool:
    """Was everything written that makes an asked trial one of ours?"""
    return {"config", "seed", "attempt", "number"} <= trial.user_attrs.keys()


def epoch_entry(report: EpochReport) -> dict[str, Any]:
    """What is kept of an epoch, beside its value."""
    return {
        "metrics": {key: list(values) for key, values in report.metrics.items()},
        "losses": list(report.losses),
        "fit_seconds": report.fit_seconds,
        "evaluate_seconds": report.evaluate_seconds,
        "gradient_norms": list(report.gradient_norms),
        "training_events": report.training_events,
        "memory_mb": report.memory_mb,
    }


def epoch_row(epoch: int, value: float, entry: dict[str, Any]) -> EpochRow:
    """The inverse, for one epoch."""
    return EpochRow(
        epoch=epoch,
        value=value,
        metrics={key: tuple(values) for key, values in entry["metrics"].items()},
        losses=tuple(entry["losses"]),
        gradient_norms=tuple(entry.get("gradient_norms", ())),  # older journals have none
    )


def epoch_report(epoch: int, value: float, entry: dict[str, Any]) -> EpochReport:
    """The report that an epoch was booked from, without learners' scores."""
    row = epoch_row(epoch, value, entry)
    return EpochReport(
        epoch=epoch,
        value=value,
        metrics=row.metrics,
        losses=row.losses,
        fit_seconds=entry["fit_seconds"],
        evaluate_seconds=entry["evaluate_seconds"],
        user_values=(),
        gradient_norms=row.gradient_norms,
        training_events=entry.get("training_events"),
        memory_mb=entry.get("memory_mb"),
    )


def epoch_event(id_: str, epoch: int, value: float, entry: dict[str, Any]) -> EpochReported:
    """An epoch as listeners hear of it."""
    return EpochReported(
        id=id_,
        row=epoch_row(epoch, value, entry),
        fit_seconds=entry["fit_seconds"],
        evaluate_seconds=entry["evaluate_seconds"],
        training_events=entry.get("training_events"),
        memory_mb=entry.get("memory_mb"),
    )


def trial_row(family: str, trial: FrozenTrial, lower_is_better: bool = False) -> TrialRow:
    """A finished trial as the rest of recsweep knows it."""
    attrs = trial.user_attrs
    pruned = trial.state == TrialState.PRUNED
    entries = [(e, v, attrs[f"epoch {e}"]) for e, v in sorted(trial.intermediate_values.items())]
    return TrialRow(
        id=trial_id(family, attrs["number"]),
        family=family,
        number=attrs["number"],
        state=STATES[trial.state],
        reason=attrs.get("reason", STOPPED.format(len(entries)) if pruned else None),
        config=attrs["config"],
        seed=attrs["seed"],
        epochs=tuple(epoch_row(*entry) for entry in entries),
        fit_seconds=sum(entry["fit_seconds"] for _, _, entry in entries),
        evaluate_seconds=sum(entry["evaluate_seconds"] for _, _, entry in entries),
        started=_utc(trial.datetime_start),
        ended=_utc(trial.datetime_complete),
        lower_is_better=lower_is_better,
    )


def trial_rows(studies: Sequence[optuna.Study]) -> tuple[TrialRow, ...]:
    """Every finished trial, ordered by (family as given, number)."""
    rows = [
        trial_row(study.study_name, trial, study.direction == StudyDirection.MINIMIZE)
        for study in studies
        for trial in sorted(
            finished(study.get_trials(deepcopy=False)), key=lambda t: t.user_attrs["number"]
        )
    ]
    return tuple(rows)


def check_trials(study: optuna.Study) -> None:
    """Finished trials must be whole; in a journal that lost a line some are not.

    Raises:
        BadInput: names the first that isn't.
    """
    for trial in finished(study.get_trials(deepcopy=False)):
        try:
            trial_row(study.study_name, trial)
        except (KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
            raise BadInput(
                f"{study.study_name}: trial {trial.number} of the journal optuna.log is not whole "
                f"({type(error).__name__}: {error}); put back a copy of the journal, or move the "
                "study's folder away and begin again"
            ) from None


def _utc(moment: datetime | None) -> datetime:
    assert moment is not None  # only a waiting trial has no times
    return moment.astimezone(UTC)
