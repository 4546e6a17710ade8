"""Folds of the task `purchase`: labelled examples to learn from, and labelled ones to score."""

from dataclasses import replace

import numpy as np

from recsweep.config.files import nearest
from recsweep.data.before_cut import FittedCatalogue
from recsweep.data.features.fit import known_items
from recsweep.data.types import (
    BOUGHT,
    UNKNOWN,
    Dataset,
    Events,
    Float64,
    Int64,
    Mask,
    Targets,
    Training,
)
from recsweep.errors import BadInput
from recsweep.tasks.purchase.examples import LATE, find_examples, make_examples
from recsweep.tasks.purchase.history_inputs import CourseCounts, HistoryInputs
from recsweep.tasks.purchase.settings import Looks, Purchase
from recsweep.tasks.task import Split


def training_of(split: Split) -> Training:
    """The examples of the events before the window.

    Raises:
        BadInput: no example, or none with one of the answers.
    """
    taught = _examples(split, None, split.window[0], split.before)
    _check_both_answers(taught, f"{split.name}: of {len(taught)} examples to learn from", LESS)
    return training_on(taught, split.learned)


def training_on(taught: Targets, learned: FittedCatalogue) -> Training:
    """Training whose histories are those of labelled examples."""
    return Training(
        sequences=taught.histories,
        n_items=len(learned.items),
        item_features=learned.encoder.items(learned.items),
        user_columns=learned.encoder.of_users.sources,
        item_columns=learned.encoder.of_items.sources,
        event_columns=learned.encoder.of_events.sources,
        examples=taught,
    )


def targets_of(split: Split, training: Training) -> Targets:
    """The examples of the window.

    Raises:
        BadInput: no example, or none with one of the answers.
    """
    (cut, end), taught = split.window, training.examples
    assert taught is not None
    found = _examples(split, cut, end, split.inside)
    what = f"{split.name}: of {len(found)} examples in its window"
    _check_both_answers(found, what, split.wider)
    return with_counts_of(taught, found)


def with_counts_of(taught: Targets, found: Targets) -> Targets:
    """The examples of a window; their counts tell of those that were learned from as well."""
    in_training = {
        "training examples": len(taught),
        "training purchases": taught.counts["purchases"],
    }
    if LATE in taught.counts:
        in_training = {"training: window not over by the cut": taught.counts[LATE], **in_training}
    return replace(found, counts={**found.counts, **in_training})


def _examples(split: Split, start: int | None, end: int, of: Mask) -> Targets:
    """Those of `[start, end)`, each with what was known by then; of a table of sessions, the rows
    `of`.
    """
    events, learned, rule = split.events, split.learned, split.experiment.settings_of(Purchase)
    rows, bought, counts = examples_in(split, rule, start, end, of)
    price, summary = _prices(split.dataset, rule.price, events, rows), history_inputs(split)
    return make_examples(
        events, learned.index, rows, bought, counts, learned.encoder, summary, price, end
    )


def examples_in(
    split: Split, rule: Looks, start: int | None, end: int, of: Mask
) -> tuple[Int64, Mask, dict[str, int]]:
    """Rows of the split's events that are examples, whether each is a purchase, and what rules took
    out; of a table of sessions, the rows `of`.
    """
    if split.experiment.data.sessions is None:
        return find_examples(split.events, rule, start, end)
    rows = np.flatnonzero(of)
    return rows, split.events.kind[rows] == BOUGHT, {}


def history_inputs(split: Split) -> HistoryInputs | None:
    """What the summary of a history needs to know of training; None: a table of sessions."""
    if split.experiment.data.sessions is not None:
        return None
    events, learned = split.events, split.learned
    known = split.before & (learned.index != UNKNOWN)
    return HistoryInputs(
        kinds=tuple(int(kind) for kind in np.unique(events.kind[split.before])),
        counted=CourseCounts.of(learned.index[known], events.time[known]),
        encoder=learned.encoder,
        ablation=split.experiment.is_ablation,
    )


LESS = "lower folds.count, folds.validation or folds.test"


def _check_both_answers(targets: Targets, what: str, advice: str) -> None:
    bought = targets.counts["purchases"]
    if 0 < bought < len(targets):
        return
    found = ", ".join(f"{count} {rule}" for rule, count in targets.counts.items())
    raise BadInput(
        f"{what} {bought} are purchases, and both answers are needed ({found}); "
        f"check purchase.exposures and purchase.window_days, or {advice}"
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
