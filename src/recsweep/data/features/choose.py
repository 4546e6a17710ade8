"""The same fold with some of its features."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from recsweep.data.types import Float32, Fold


def with_features(fold: Fold, columns: Collection[str] | None) -> Fold:
    """The fold as if only these declared columns were used; None: all that it has.

    Columns are encoded one by one, so what is left is what encoding only these would give.
    """
    training, validation = fold.training, fold.validation
    if columns is None or {*training.user_columns, *training.item_columns} <= set(columns):
        return fold

    def of_users(features: Float32) -> Float32:
        return _chosen(features, training.user_columns, columns)

    sequences, histories = training.sequences, validation.histories
    return replace(
        fold,
        training=replace(
            training,
            sequences=replace(sequences, features=of_users(sequences.features)),
            item_features=_chosen(training.item_features, training.item_columns, columns),
            user_columns=tuple(c for c in training.user_columns if c in columns),
            item_columns=tuple(c for c in training.item_columns if c in columns),
        ),
        validation=replace(
            validation, histories=replace(histories, features=of_users(histories.features))
        ),
    )


def _chosen(features: Float32, sources: Collection[str], columns: Collection[str]) -> Float32:
    wanted = np.array([source in columns for source in sources], bool)
    return np.ascontiguousarray(features[:, wanted])
