"""The same fold with some of its features."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from recsweep.data.features.events import summaries
from recsweep.data.likeness import LIKENESS, cosine
from recsweep.data.types import Float32, Fold, Labels, RowLabels, Sequences, Targets, Training


def with_features(fold: Fold, columns: Collection[str] | None) -> Fold:
    """The fold as if only these declared columns were used; None: all that it has.

    Columns are encoded one by one, so what is left is what encoding only these would give.
    """
    training = fold.training
    if columns is None or _columns(training) <= set(columns):
        return fold
    examples = training.examples
    return replace(
        fold,
        training=replace(
            training,
            sequences=_histories(training.sequences, training, columns),
            item_features=_chosen(training.item_features, training.item_columns, columns),
            user_columns=tuple(c for c in training.user_columns if c in columns),
            item_columns=tuple(c for c in training.item_columns if c in columns),
            event_columns=tuple(c for c in training.event_columns if c in columns),
            examples=None if examples is None else _targets(examples, training, columns),
        ),
        validation=_targets(fold.validation, training, columns),
    )


def _columns(training: Training) -> set[str]:
    return {*training.user_columns, *training.item_columns, *training.event_columns}


def _targets(targets: Targets, training: Training, columns: Collection[str]) -> Targets:
    labels = targets.labels
    return replace(
        targets,
        histories=_histories(targets.histories, training, columns),
        labels=None if labels is None else _labels(labels, training, columns),
    )


def _histories(histories: Sequences, training: Training, columns: Collection[str]) -> Sequences:
    dated, events = histories.item_features, histories.event_features
    if events is not None:
        events = _chosen(events, training.event_columns, columns)
    return replace(
        histories,
        features=_chosen(histories.features, training.user_columns, columns),
        item_features=None if dated is None else _chosen(dated, training.item_columns, columns),
        event_features=events,
    )


def _labels(labels: RowLabels, training: Training, columns: Collection[str]) -> RowLabels:
    """Counts of a history stay; what is made of left out features of its events goes with them,
    and the likeness that is made of courses' features is made anew.
    """
    left_out = _columns(training) - set(columns)
    left_out |= {name for source in left_out for name in summaries(source)}
    kept = [column for column in labels.columns if column not in left_out]
    inputs = _chosen(labels.inputs, labels.columns, kept)
    if isinstance(labels, Labels) and labels.likeness is not None:
        of_items = [column in columns for column in dict.fromkeys(training.item_columns)]
        likeness = labels.likeness[:, of_items]
        inputs[:, kept.index(LIKENESS)] = cosine(likeness)
        labels = replace(labels, likeness=likeness)
    return replace(labels, inputs=inputs, columns=tuple(kept))


def _chosen(features: Float32, sources: Sequence[str], columns: Collection[str]) -> Float32:
    wanted = np.array([source in columns for source in sources], bool)
    return np.ascontiguousarray(features[:, wanted])
