"""The next course for learners outside of a study, by the study's own rules."""

import numpy as np
import torch

from recsweep.data.before_cut import sequences_of
from recsweep.data.types import KINDS, UNKNOWN, Int64
from recsweep.models.histories import HistoryTable, even_blocks, filled, rows_of_width
from recsweep.models.protocol import Recommender
from recsweep.tasks.asked import Answers, Asked, Known, closing
from recsweep.tasks.next_item.ranking import drop_seen

ROWS = 32
"""Histories that are scored at once."""


@torch.inference_mode()
def answers(model: Recommender, asked: Asked, known: Known) -> Answers:
    """Scores of the catalogue, for every learner with an event on a course that training knows."""
    rule, cpu = known.experiment.targets, torch.device("cpu")
    events, index = closing(asked)
    end = int(asked.moment.max(initial=known.cut))
    history = index != UNKNOWN
    sequences = sequences_of(events, index, history, known.encoder, end)
    if not len(sequences):
        return
    kinds = [KINDS.index(kind) for kind in rule.seen_types or rule.types]
    table, starts = HistoryTable(sequences, cpu), sequences.offsets
    made = np.append(np.isin(sequences.kind, kinds), False)
    lengths: Int64 = np.diff(starts)
    for at, width in even_blocks(lengths, ROWS):
        rows = filled(at, rows_of_width(width, ROWS))
        histories = table.histories(rows, np.arange(len(rows)), lengths[rows], width)
        scores = model.score(histories)
        if rule.seen == "drop":
            places = np.minimum(starts[rows][:, None] + np.arange(width), len(made) - 1)
            drop_seen(scores, histories, torch.from_numpy(made[places]))
        yield np.searchsorted(asked.user, sequences.user[at]), scores[: len(at)]
