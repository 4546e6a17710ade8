"""Between Optuna's trials and ours: what is kept with a trial, and how it is read back.

User attributes of an Optuna trial: `number`, `attempt` (how often it was gone on with), `seed`,
`config`, `batch` (of a repeatable search), `epoch <n>` (fold values, losses and seconds of an
epoch), `measured` (what it takes of what is limited), `refused` (the limits that it broke), and
`reason` of one that failed. The reason `interrupted` marks one that is no trial of ours, since its
driver died while it was asked for.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from recsweep.errors import BadInput
from recsweep.records.study import TrialRow
from recsweep.records.study import TrialState as State
from recsweep.training.epoch import EpochReport
from recsweep.training.rehearsal import outside

INTERRUPTED = "interrupted"
STOPPED = "stopped after epoch {}: unlikely to end as its family's best"
STATES: dict[TrialState, State] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


def trial_id(family: str, number: int) -> str:
    """`gru-0003`."""
    return f"{family}-{number:04d}"


def finished(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Those that ended: complete, pruned, refused or failed, but not cut off."""
    return [t for t in trials if t.state in STATES and t.user_attrs.get("reason") != INTERRUPTED]


def next_number(trials: Iterable[FrozenTrial]) -> int:
    """Of a trial of ours that is to come."""
    return 1 + max((trial.user_attrs.get("number", -1) for trial in trials), default=-1)


def booked(trial: FrozenTrial) -> bool:
    """Was everything written that makes an asked trial one of ours?"""
    return {"config", "seed", "attempt", "number"} <= trial.user_attrs.keys()


def is_refused(trial: FrozenTrial) -> bool:
    """Was its configuration outside of the limits? To Optuna it is one that was stopped."""
    return trial.state == TrialState.PRUNED and "refused" in trial.user_attrs


def epochs_of(trial: FrozenTrial) -> tuple[EpochReport, ...]:
    """What a trial has reported, in order."""
    return tuple(
        EpochReport.of_entry(epoch, value, trial.user_attrs[f"epoch {epoch}"])
        for epoch, value in sorted(trial.intermediate_values.items())
    )


def trial_row(family: str, trial: FrozenTrial, lower_is_better: bool = False) -> TrialRow:
    """A finished trial as the rest of recsweep knows it."""
    attrs = trial.user_attrs
    pruned = trial.state == TrialState.PRUNED
    stopped = STOPPED.format(len(trial.intermediate_values))
    if over := attrs.get("refused"):
        stopped = f"outside of limits: {', '.join(outside(attrs['measured'], over))}"
    epochs = epochs_of(trial)
    return TrialRow(
        id=trial_id(family, attrs["number"]),
        family=family,
        number=attrs["number"],
        state="refused" if is_refused(trial) else STATES[trial.state],
        reason=attrs.get("reason", stopped if pruned else None),
        config=attrs["config"],
        seed=attrs["seed"],
        epochs=epochs,
        fit_seconds=sum(report.fit_seconds for report in epochs),
        evaluate_seconds=sum(report.evaluate_seconds for report in epochs),
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
