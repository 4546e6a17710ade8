"""A learner's last event before the cut is an example to learn from; their last in the window is
asked for. What an example may read is strictly earlier.
"""

from typing import Protocol

import numpy as np
import torch

from recsweep.config.schema import Metric, Schema
from recsweep.data.before_cut import sequences_of
from recsweep.data.types import KINDS, UNKNOWN, Float64, Labels, Mask, Targets, Training
from recsweep.errors import BadInput
from recsweep.evaluation.probability import log_losses
from recsweep.tasks.task import Outcomes, Split, Task
from recsweep_next_kind.settings import NextKind


class Teller(Protocol):
    """A model of this task."""

    def probability(self, targets: Targets) -> Float64:
        """(n_targets,)."""
        ...


class Details(Schema):
    """What a confirmation records besides."""

    share: float  # of the targets that are of the kind
    promised: float  # the mean probability


class Probabilities:
    """What a model says of one fold's targets."""

    def __init__(self, targets: Targets, n_items: int, device: torch.device) -> None:
        self._targets = targets

    def outcomes(self, model: Teller) -> Outcomes:
        """(n_targets,)."""
        return model.probability(self._targets)


def _training(split: Split) -> Training:
    examples = _examples(split, split.before, split.window[0])
    return Training(
        sequences=examples.histories,
        n_items=len(split.learned.items),
        item_features=split.learned.encoder.items(split.learned.items),
        examples=examples,
    )


def _targets(split: Split, training: Training) -> Targets:
    return _examples(split, split.events.time >= split.window[0], split.window[1])


def _examples(split: Split, of: Mask, end: int) -> Targets:
    """The last event `of` each learner that has a history, which is what lies before it."""
    events, index = split.events, split.learned.index
    rows = np.flatnonzero(of)
    rows = rows[np.append(np.diff(events.user[rows]) > 0, True)]
    time = np.full(int(events.user.max()) + 1, -1)
    time[events.user[rows]] = events.time[rows]
    earlier = (index != UNKNOWN) & (events.time < time[events.user])
    histories = sequences_of(events, index, earlier, split.learned.encoder, end)
    rows = rows[np.isin(events.user[rows], histories.user)]
    if len(rows) == 0:
        raise BadInput(f"{split.name}: no learner has two events; use fewer or longer folds")
    kind = split.experiment.settings_of(NextKind).kind
    is_kind = events.kind[rows] == KINDS.index(kind)
    return Targets(
        histories=histories,
        sequence=np.arange(len(rows), dtype=np.int32),
        length=np.diff(histories.offsets).astype(np.int32),
        item=index[rows],
        time=events.time[rows],
        drop_seen=False,
        counts={"of the kind": int(is_kind.sum())},
        labels=Labels(is_kind, np.zeros((len(rows), 0), np.float32), (), None),
    )


def _answers(targets: Targets) -> Mask:
    assert isinstance(targets.labels, Labels)
    return targets.labels.bought


def _values(outcomes: Outcomes, targets: Targets, metric: Metric) -> dict[str, Float64]:
    answers = _answers(targets)
    return {
        "log_loss": log_losses(outcomes, answers),
        "accuracy": ((outcomes > 0.5) == answers).astype(np.float64),
    }


TASK: Task[Teller] = Task(
    name="next_kind",
    training=_training,
    targets=_targets,
    scorer=Probabilities,
    target_values=_values,
    steps=lambda config, training: None,
    cold=lambda targets, n_known: targets.item == UNKNOWN,
    details=lambda outcomes, targets, metric: Details(
        share=float(_answers(targets).mean()), promised=float(outcomes.mean())
    ),
)
