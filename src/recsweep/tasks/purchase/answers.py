"""Who would buy which course, outside of a study: probabilities, calibrated as the study said."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np
import torch

from recsweep.data.types import (
    BOUGHT,
    KINDS,
    UNKNOWN,
    Events,
    Float32,
    Float64,
    Labels,
    Sequences,
    Targets,
)
from recsweep.models.cases import CaseBook, labels_of
from recsweep.models.histories import even_blocks, filled, rows_of_width
from recsweep.models.protocol import Classifier
from recsweep.tasks.asked import Answers, Asked, Known
from recsweep.tasks.purchase.examples import make_examples
from recsweep.tasks.purchase.history_inputs import CourseTotals, HistoryInputs
from recsweep.tasks.purchase.settings import Looks

ROWS = 1 << 10
"""Of a plain table that are asked at once."""
LEARNERS, COURSES = 1 << 4, 1 << 6
"""Of a block: so many learners, each asked about so many courses."""


class Say(Protocol):
    """What a model says of examples."""

    def __call__(self, examples: Targets, width: int | None = None) -> Float64:
        """(n_examples,); `width`: of the grids that their histories are laid out in."""
        ...


def answers(model: Classifier, asked: Asked, known: Known) -> Answers:
    """The probability that a look at each course now ends in buying it, 0 to 1."""
    return answers_to_looks(asked, known, partial(_probability, model, known))


def row_answers(model: Classifier, known: Known) -> Float64:
    """(n_rows,) the probability that each row of a plain table ends in a purchase."""
    return answers_to_rows(known, partial(_probability, model, known))


def _probability(
    model: Classifier, known: Known, examples: Targets, width: int | None = None
) -> Float64:
    book = CaseBook(examples, known.training.n_items, torch.device("cpu"), width)
    return known.calibrator(model.probability(book))


def answers_to_looks(asked: Asked, known: Known, say: Say) -> Answers:
    """What is said of a look at each course now; -inf for courses that nobody asks about and those
    that the learner has bought.
    """
    summary = HistoryInputs(known.kinds, CourseTotals(known.counts), known.encoder, ablation=False)
    targets = [_looks(asked.of_learner(n), known, summary) for n in range(len(asked.moment))]
    found = torch.full((len(targets), len(known.items)), -torch.inf, dtype=torch.float64)
    lengths = np.array([int(each.length.max(initial=0)) for each in targets], np.int64)
    for at, width in even_blocks(lengths, LEARNERS):
        rows = filled(at, rows_of_width(width, LEARNERS))
        for first in range(0, len(asked.courses), COURSES):
            places = np.arange(first, min(first + COURSES, len(asked.courses)))
            block = _joined([targets[n].at(filled(places, COURSES)) for n in rows])
            said = say(block, width).reshape(len(rows), COURSES)
            courses = torch.from_numpy(asked.courses[places])
            block_found = torch.from_numpy(said[: len(at), : len(places)].copy())
            found[torch.from_numpy(at)[:, None], courses] = block_found
    yield np.arange(len(targets)), _without_bought(found, asked)


def _looks(asked: Asked, known: Known, summary: HistoryInputs) -> Targets:
    """One learner's look at every course, each by itself."""
    rule = known.experiment.settings_of(Looks)
    index = asked.courses.astype(np.int32)
    kind = KINDS.index(rule.exposures[0])
    events, index, rows = asked.with_looks(known.items[index], index, kind)
    return make_examples(
        events,
        index,
        rows,
        np.zeros(len(rows), bool),
        {},
        known.encoder,
        summary,
        None,
        int(asked.moment[0]) + 1,
    )


def _joined(parts: Sequence[Targets]) -> Targets:
    """Learners' targets one after another; each part has one history."""
    first, labels = parts[0], [labels_of(part) for part in parts]
    histories = [part.histories for part in parts]
    counts = [len(part) for part in parts]
    dated, of_events = histories[0].item_features, histories[0].event_features
    return replace(
        first,
        histories=Sequences(
            user=np.concatenate([h.user for h in histories]),
            offsets=np.concatenate(([0], np.cumsum([len(h.item) for h in histories]))),
            item=np.concatenate([h.item for h in histories]),
            time=np.concatenate([h.time for h in histories]),
            kind=np.concatenate([h.kind for h in histories]),
            features=np.concatenate([h.features for h in histories]),
            item_features=None if dated is None else _stacked(h.item_features for h in histories),
            event_features=(
                None if of_events is None else _stacked(h.event_features for h in histories)
            ),
        ),
        sequence=np.repeat(np.arange(len(parts), dtype=np.int32), counts),
        length=np.concatenate([part.length for part in parts]),
        item=np.concatenate([part.item for part in parts]),
        time=np.concatenate([part.time for part in parts]),
        labels=Labels(
            bought=np.concatenate([each.bought for each in labels]),
            inputs=np.concatenate([each.inputs for each in labels]),
            columns=labels[0].columns,
            price=None,
        ),
        kind=None,
    )


def _stacked(arrays: Iterable[Float32 | None]) -> Float32:
    return np.concatenate([each for each in arrays if each is not None])


def _without_bought(found: torch.Tensor, asked: Asked) -> torch.Tensor:
    """A course that the learner has bought before is no question any more."""
    events = asked.events
    bought = (events.kind == BOUGHT) & (asked.index != UNKNOWN)
    learner = torch.from_numpy(np.searchsorted(asked.user, events.user[bought]))
    found[learner, torch.from_numpy(asked.index[bought].astype(np.int64))] = -torch.inf
    return found


def answers_to_rows(known: Known, say: Say) -> Float64:
    """(n_rows,) what is said of each row of the table of learners; each is an example by itself, as
    in training.
    """
    n = len(known.encoder.of_users.known.ids)
    found = np.empty(n)
    for first in range(0, n, ROWS):
        at = np.arange(first, min(first + ROWS, n))
        events = Events(
            user=filled(at, ROWS).astype(np.int32),
            item=np.zeros(ROWS, np.int32),
            time=np.zeros(ROWS, np.int64),
            kind=np.zeros(ROWS, np.int8),
        )
        order = np.argsort(events.user, kind="stable")
        rows, nobody = np.arange(ROWS), np.zeros(ROWS, bool)
        events = replace(events, user=events.user[order])
        place = np.zeros(ROWS, np.int32)
        targets = make_examples(events, place, rows, nobody, {}, known.encoder, None, None, end=1)
        found[events.user] = say(targets)
    return found
