"""Folds of the task `purchase`: labelled examples to learn from, and labelled ones to score."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recsweep.config.files import nearest
from recsweep.config.schema import Experiment
from recsweep.data.examples import BOUGHT, find_examples, make_examples
from recsweep.data.features import Encoder, known_items
from recsweep.data.history_inputs import HistoryInputs
from recsweep.data.types import (
    UNKNOWN,
    Dataset,
    Events,
    Float64,
    Fold,
    Int32,
    Int64,
    Targets,
    Training,
)
from recsweep.errors import BadInput

Mask = NDArray[np.bool_]


def make_purchase_fold(
    name: str,
    events: Events,
    window: tuple[int, int],
    before: Mask,
    index: Int32,
    items: Int32,
    encoder: Encoder,
    dataset: Dataset,
    experiment: Experiment,
) -> Fold:
    """The fold that learns from the examples of the events `before`, and scores its window's.

    Args:
        name: of the fold.
        events: up to the window's end; a table of sessions: all.
        window: microseconds since 1970 UTC.
        before: (n_events,) what may be learned from.
        index: (n_events,) fold-local item of every event.
        items: (n_items,) item code of each fold-local index.
        encoder: of features, fitted on what may be learned from.
        dataset: with the tables.
        experiment: with the rules.

    Raises:
        BadInput: no example, or none with one of the answers, to learn from or to score.
    """
    rule = experiment.purchase
    assert rule is not None  # the schema: the task has it
    sessions = experiment.data.sessions is not None
    summary = None
    if not sessions:
        known = index[before & (index != UNKNOWN)]
        summary = HistoryInputs(
            kinds=tuple(int(kind) for kind in np.unique(events.kind[before])),
            popularity=np.bincount(known, minlength=len(items)).astype(np.int64),
            encoder=encoder,
        )

    def examples(start: int | None, end: int, of: Mask) -> Targets:
        counts: dict[str, int] = {}
        if sessions:
            rows = np.flatnonzero(of)
            bought = events.kind[rows] == BOUGHT
        else:
            rows, bought, counts = find_examples(events, rule, start, end)
        price = _prices(dataset, rule.price, events, rows)
        return make_examples(events, index, rows, bought, counts, encoder, summary, price)

    cut, end = window
    training = examples(None, cut, before)
    validation = examples(cut, end, (events.time >= cut) & (events.time < end))
    for part, what in ((training, "to learn from"), (validation, "in its window")):
        _check_both_answers(part, f"{name}: of {len(part)} examples {what}")
    censored = training.counts.get("window not over by the end", 0)
    counts = {
        **validation.counts,
        "training: window not over by the cut": censored,
        "training examples": len(training),
        "training purchases": training.counts["purchases"],
    }
    return Fold(
        name=name,
        cut=cut,
        items=items,
        training=Training(
            sequences=training.histories,
            n_items=len(items),
            item_features=encoder.items(items),
            examples=training,
        ),
        validation=replace(validation, counts=counts),
    )


def _check_both_answers(targets: Targets, what: str) -> None:
    bought = targets.counts["purchases"]
    if 0 < bought < len(targets):
        return
    found = ", ".join(f"{count} {rule}" for rule, count in targets.counts.items())
    raise BadInput(
        f"{what} {bought} are purchases, and both answers are needed ({found}); "
        "check purchase.exposures and purchase.window_days, or use fewer or longer folds"
    )


def _prices(dataset: Dataset, column: str | None, events: Events, rows: Int64) -> Float64 | None:
    """(n_rows,) the price of each example's course, as known just before it."""
    if column is None:
        return None
    known = known_items(dataset)
    if column not in known.table.columns or not known.table[column].dtype.is_numeric():
        numeric = [c for c in known.table.columns if known.table[c].dtype.is_numeric()]
        raise BadInput(
            f"purchase.price: {column!r} is no numeric column of items{nearest(column, numeric)}"
        )
    place = known.rows(events.item[rows], events.time[rows] - 1)
    values = np.append(known.table[column].to_numpy().astype(np.float64), np.nan)
    return values[place]  # NOTHING is -1
