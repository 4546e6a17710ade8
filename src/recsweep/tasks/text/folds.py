"""Folds of the task `text`: texts with labels to learn from, and texts to label."""

from dataclasses import replace

import numpy as np
import polars as pl

from recsweep.data.features.dated import ANSWER, COPIES, GROUP, ID, TEXT
from recsweep.data.features.text import is_chinese
from recsweep.data.types import Int64, Sequences, Targets, Training
from recsweep.errors import BadInput
from recsweep.models.text.texts import UNITS, Reading, Texts, WordVectors, labelled
from recsweep.tasks.task import TEST, Split

NEW_LABEL = "label unknown to training"
TRAINING = "training texts"


def training_of(split: Split) -> Training:
    """The texts before the window; where there is no clock, all outside of it.

    Raises:
        BadInput: fewer than two labels.
    """
    rows = np.flatnonzero(split.before)
    table = _table(split)
    answers = table[ANSWER].gather(split.events.user[rows])
    classes = tuple(answers.unique().sort())
    if len(classes) < 2:
        raise BadInput(
            f"{split.name}: its {len(rows)} texts to learn from bear one label, {classes[0]!r}, "
            "and two are needed at least"
            if classes
            else f"{split.name}: there is no text to learn from"
        )
    language = split.experiment.text.language
    texts = table[TEXT].gather(split.events.user[rows]).to_list()
    chinese = is_chinese(texts) if language == "auto" else language == "zh"
    taught = _targets(split, rows, classes, chinese)
    if (held := split.dataset.word_vectors) is not None:
        vectors = _vectors(held, labelled(taught))
        taught = replace(taught, labels=replace(labelled(taught), vectors=vectors))
    return Training(
        sequences=taught.histories,
        n_items=1,
        item_features=np.zeros((1, 0), np.float32),
        user_columns=split.learned.encoder.of_users.sources,
        examples=taught,
    )


def targets_of(split: Split, training: Training) -> Targets:
    """The texts of the window. Those whose label training doesn't know are left out and counted.

    Raises:
        BadInput: no text is left, or all of them bear one label.
    """
    events, taught = split.events, training.examples
    assert taught is not None
    known = labelled(taught)
    inside = np.flatnonzero(split.inside)
    answers = _table(split)[ANSWER].gather(events.user[inside])
    rows = inside[answers.is_in(known.classes).to_numpy()]
    if not len(rows):
        raise BadInput(
            f"{split.name}: none of the {len(inside)} texts in its window bears a label that "
            f"training knows; {split.wider}"
        )
    found = _targets(split, rows, known.classes, known.chinese)
    if len(set(labelled(found).answer)) < 2:
        raise BadInput(
            f"{split.name}: its {len(rows)} texts with a known label all bear one, "
            f"{known.classes[labelled(found).answer[0]]!r}; {split.wider}"
        )
    if split.name == TEST and split.experiment.folds.rule == "stratified":
        learned = known.at(np.flatnonzero(known.copies > 0))
        found = replace(found, labels=replace(labelled(found), learned=learned))
    counts = {NEW_LABEL: len(inside) - len(rows), TRAINING: len(taught)}
    return replace(found, counts=counts)


def _vectors(table: pl.DataFrame, texts: Texts) -> WordVectors:
    """Of all that the texts hold, by characters and by words."""
    readings = [Reading(units, 1, texts.chinese) for units in UNITS]
    held = {part for text in texts.text for reading in readings for part in reading.parts(text)}
    mine = table.filter(pl.col(ID).is_in(list(held)))
    return WordVectors(tuple(mine[ID]), mine.drop(ID).to_numpy().astype(np.float32))


def _table(split: Split) -> pl.DataFrame:
    """Of every text by code; the test's own are in it once it was opened."""
    assert split.dataset.users is not None  # of a prepared folder
    return split.dataset.users


def _targets(split: Split, rows: Int64, classes: tuple[str, ...], chinese: bool) -> Targets:
    """Those of some rows of the log, one group after another."""
    table, codes = _table(split), split.events.user[rows]
    group = table[GROUP].fill_null(table[ID]).gather(codes)
    _, first, sequence = np.unique(group.to_numpy(), return_index=True, return_inverse=True)
    order = np.argsort(sequence, kind="stable")
    codes, row = codes[order], sequence[order].astype(np.int32)
    features = split.learned.encoder.users(codes)
    answer = table[ANSWER].gather(codes)
    texts = Texts(
        text=table[TEXT].gather(codes).to_numpy(),
        answer=np.searchsorted(np.array(classes), answer.to_numpy().astype(str)),
        classes=classes,
        chinese=chinese,
        inputs=features,
        columns=split.learned.encoder.of_users.sources,
        copies=table[COPIES].gather(codes).to_numpy(),
    )
    none = np.zeros(0, np.int64)
    heads = split.events.user[rows][first]
    return Targets(
        histories=Sequences(
            user=heads,
            offsets=np.zeros(len(heads) + 1, np.int64),
            item=none.astype(np.int32),
            time=none,
            kind=none.astype(np.int8),
            features=np.zeros((len(heads), features.shape[1]), np.float32),
        ),
        sequence=row,
        length=np.zeros(len(codes), np.int32),
        item=np.zeros(len(codes), np.int32),
        time=split.events.time[rows][order],
        drop_seen=False,
        counts={},
        labels=texts,
    )
