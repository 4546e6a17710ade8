"""The same fold with some of its features."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from recsweep.data.likeness import LIKENESS, cosine
from recsweep.data.types import Float32, Fold, Labels, Sequences, Targets, Training


def with_features(fold: Fold, columns: Collection[str] | None) -> Fold:
    """The fold as if only these declared columns were used; None: all that it has.

    Columns are encoded one by one, so what is left is what encoding only these would give.
    """
    training = fold.training
    if columns is None or {*training.user_columns, *training.item_columns} <= set(columns):
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
            examples=None if examples is None else _targets(examples, training, columns),
        ),
        validation=_targets(fold.validation, training, columns),
    )


def _targets(targets: Targets, training: Training, columns: Collection[str]) -> Targets:
    labels = targets.labels
    return replace(
        targets,
        histories=_histories(targets.histories, training, columns),
        labels=None if labels is None else _labels(labels, training, columns),
    )


def _histories(histories: Sequences, training: Training, columns: Collection[str]) -> Sequences:
    dated = histories.item_features
    return replace(
        histories,
        features=_chosen(histories.features, training.user_columns, columns),
        item_features=None if dated is None else _chosen(dated, training.item_columns, columns),
    )


def _labels(labels: Labels, training: Training, columns: Collection[str]) -> Labels:
    """Summaries of histories stay; the one that is made of features is made anew."""
    left_out = {*training.user_columns, *training.item_columns} - set(columns)
    kept = [column for column in labels.columns if column not in left_out]
    inputs, parts = _chosen(labels.inputs, labels.columns, kept), labels.likeness
    if parts is not None:
        of_items = [column in columns for column in dict.fromkeys(training.item_columns)]
        parts = parts[:, of_items]
        inputs[:, kept.index(LIKENESS)] = cosine(parts)
    return replace(labels, inputs=inputs, columns=tuple(kept), likeness=parts)


def _chosen(features: Float32, sources: Sequence[str], columns: Collection[str]) -> Float32:
    wanted = np.array([source in columns for source in sources], bool)
    return np.ascontiguousarray(features[:, wanted])
