"""Folds of the task `purchase`: labelled examples to learn from, and labelled ones to score."""

from dataclasses import replace

import numpy as np

from recsweep.config.files import nearest
from recsweep.config.schema import Experiment
from recsweep.data.before_cut import Learned, Mask
from recsweep.data.features import known_items
from recsweep.data.types import (
    UNKNOWN,
    Dataset,
    Events,
    Float64,
    Fold,
    Int64,
    Targets,
    Training,
)
from recsweep.errors import BadInput
from recsweep.tasks.purchase.examples import BOUGHT, find_examples, make_examples
from recsweep.tasks.purchase.history_inputs import HistoryInputs


def make_purchase_fold(
    name: str,
    events: Events,
    window: tuple[int, int],
    before: Mask,
    learned: Learned,
    dataset: Dataset,
    experiment: Experiment,
) -> Fold:
    """The fold that learns from the examples of the events `before`, and scores its window's.

    Args:
        name: of the fold.
        events: up to the window's end; a table of sessions: all.
        window: microseconds since 1970 UTC.
        before: (n_events,) what may be learned from.
        learned: from those.
        dataset: with the tables.
        experiment: with the rules.

    Raises:
        BadInput: no example, or none with one of the answers, to learn from or to score.
    """
    cut, end = window
    training = purchase_training(name, events, cut, before, learned, dataset, experiment)
    in_window = (events.time >= cut) & (events.time < end)
    validation = _Maker(events, before, learned, dataset, experiment).examples(cut, end, in_window)
    _check_both_answers(validation, f"{name}: of {len(validation)} examples in its window")
    taught = training.examples
    assert taught is not None
    counts = {
        **validation.counts,
        "training: window not over by the cut": taught.counts.get("window not over by the end", 0),
        "training examples": len(taught),
        "training purchases": taught.counts["purchases"],
    }
    return Fold(name, cut, learned.items, training, replace(validation, counts=counts))


def purchase_training(
    name: str,
    events: Events,
    cut: int,
    before: Mask,
    learned: Learned,
    dataset: Dataset,
    experiment: Experiment,
) -> Training:
    """What the task `purchase` learns from the events `before`; see `make_purchase_fold`.

    Raises:
        BadInput: no example, or none with one of the answers.
    """
    taught = _Maker(events, before, learned, dataset, experiment).examples(None, cut, before)
    _check_both_answers(taught, f"{name}: of {len(taught)} examples to learn from")
    return Training(
        sequences=taught.histories,
        n_items=len(learned.items),
        item_features=learned.encoder.items(learned.items),
        user_columns=learned.encoder.of_users.sources,
        item_columns=learned.encoder.of_items.sources,
        event_columns=learned.encoder.of_events.sources,
        examples=taught,
    )


class _Maker:
    """Makes the examples of a period, each with what was known by then."""

    def __init__(
        self,
        events: Events,
        before: Mask,
        learned: Learned,
        dataset: Dataset,
        experiment: Experiment,
    ) -> None:
        assert experiment.purchase is not None  # the schema: the task has it
        self._events, self._learned, self._dataset = events, learned, dataset
        self._rule, self._sessions = experiment.purchase, experiment.data.sessions is not None
        self._summary = None
        if not self._sessions:
            known = learned.index[before & (learned.index != UNKNOWN)]
            self._summary = HistoryInputs(
                kinds=tuple(int(kind) for kind in np.unique(events.kind[before])),
                popularity=np.bincount(known, minlength=len(learned.items)).astype(np.int64),
                encoder=learned.encoder,
                ablation=experiment.is_ablation,
            )

    def examples(self, start: int | None, end: int, of: Mask) -> Targets:
        """Those of `[start, end)`; of a table of sessions, the rows `of`."""
        events, learned = self._events, self._learned
        counts: dict[str, int] = {}
        if self._sessions:
            rows = np.flatnonzero(of)
            bought = events.kind[rows] == BOUGHT
        else:
            rows, bought, counts = find_examples(events, self._rule, start, end)
        price = _prices(self._dataset, self._rule.price, events, rows)
        return make_examples(
            events, learned.index, rows, bought, counts, learned.encoder, self._summary, price, end
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
