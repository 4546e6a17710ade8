"""Small worlds that tests are set in."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recsweep.config.schema import Experiment
from recsweep.data.types import UNKNOWN, Cuts, Dataset, Events, Labels, Sequences, Targets, Training

Row = tuple[int, int, int]  # user, item, time


def events_of(rows: Sequence[Row]) -> Events:
    """Events ordered as `prepare` orders them."""
    table = np.array(sorted((u, t, i) for u, i, t in rows), np.int64).reshape(-1, 3)
    return Events(
        user=table[:, 0].astype(np.int32),
        item=table[:, 2].astype(np.int32),
        time=table[:, 1].copy(),
        kind=np.zeros(len(table), np.int8),
    )


def dataset_of(events: Events) -> Dataset:
    """A dataset with nothing but a log."""
    return Dataset(
        folder=Path("nowhere"),
        fingerprint="none",
        cuts=Cuts(validation=(), test=(0, 0)),
        development=events,
        users=None,
        items=None,
        n_users=int(events.user.max(initial=-1)) + 1,
        n_items=int(events.item.max(initial=-1)) + 1,
    )


def experiment_of(**changes: object) -> Experiment:
    """An experiment that needs no files."""
    return Experiment.model_validate(
        {
            "study": "test",
            "data": {
                "name": "test",
                "events": [{"path": "x", "user": "u", "item": "i", "time": "t"}],
            },
            "families": {"gru": "search_spaces/gru.yaml"},
            **changes,
        }
    )


def training_of(histories: Sequence[Sequence[int]], n_items: int | None = None) -> Training:
    """Training histories of items at times 0, 1, 2, …"""
    lengths = [len(history) for history in histories]
    items = np.array([item for history in histories for item in history], np.int32)
    times = np.array([t for length in lengths for t in range(length)], np.int64)
    return Training(
        sequences=Sequences(
            user=np.arange(len(histories), dtype=np.int32),
            offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
            item=items,
            time=times,
            kind=np.zeros(len(items), np.int8),
            features=np.zeros((len(histories), 0), np.float32),
        ),
        n_items=n_items if n_items is not None else int(items.max()) + 1,
        item_features=np.zeros((n_items or int(items.max()) + 1, 0), np.float32),
    )


def labelled(
    lengths: Sequence[Sequence[int]], told: Sequence[Sequence[int]] | None = None
) -> Targets:
    """What learners are asked after so many of their events; the n-th example is about course n of
    eight, and is bought if that is odd.
    """
    told = told or [[0] * max(own) for own in lengths]
    length = [n for own in lengths for n in own]
    number = np.arange(len(length))
    return Targets(
        histories=training_of(told, 8).sequences,
        sequence=np.repeat(np.arange(len(lengths)), [len(own) for own in lengths]).astype(np.int32),
        length=np.array(length, np.int32),
        item=np.where(number < 8, number, UNKNOWN).astype(np.int32),
        time=number.astype(np.int64),
        drop_seen=False,
        counts={},
        labels=Labels(
            number % 2 == 1,
            np.stack((number, -number), 1).astype(np.float32),
            ("a", "b"),
            price=None,
        ),
    )
