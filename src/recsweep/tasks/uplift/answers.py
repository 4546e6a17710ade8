"""Whom a treatment would move, outside of a study: the difference that it is estimated to make."""

from functools import partial

import torch

from recsweep.data.types import Float64, Targets
from recsweep.models.uplift import UpliftBook, UpliftModel
from recsweep.tasks.asked import Answers, Asked, Known
from recsweep.tasks.purchase.answers import answers_to_looks, answers_to_rows


def answers(model: UpliftModel, asked: Asked, known: Known) -> Answers:
    """Of a look at each course now: the probability of buying it with treatment less that without;
    -1 to 1.
    """
    return answers_to_looks(asked, known, partial(_difference, model, known))


def row_answers(model: UpliftModel, known: Known) -> Float64:
    """(n_rows,) the same of each row of a plain table."""
    return answers_to_rows(known, partial(_difference, model, known))


def _difference(
    model: UpliftModel, known: Known, examples: Targets, width: int | None = None
) -> Float64:
    return model.uplift(UpliftBook(examples, known.training.n_items, torch.device("cpu"), width))
