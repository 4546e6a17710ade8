"""By how much copies of a text on both sides of a split would flatter a model."""

from collections.abc import Mapping

import numpy as np

from recsweep.config.schema import Schema
from recsweep.data.types import Float64, Int64, Targets
from recsweep.models.text.texts import Texts, labelled
from recsweep.tasks.task import Outcomes
from recsweep.tasks.text.folds import TRAINING
from recsweep.tasks.text.scores import hits, log_losses, of_targets

ASKED_AGAIN = 2000
"""Of the texts that were learned from and had copies, so many are asked about."""


class Duplicates(Schema):
    """What scores would be expected to read with duplicates left in."""

    texts: int  # of training and sealed test, each once
    rows: int  # with their copies
    seen: float  # share of a random test's rows that would have had a copy in training
    metrics: Mapping[str, float]  # log_loss, accuracy


def asked_again(learned: Texts) -> Texts:
    """Some of the texts that were learned from and had copies, in the order of their checksums."""
    return learned.at(np.arange(min(len(learned), ASKED_AGAIN)))


def with_duplicates(outcomes: Outcomes, targets: Targets) -> Duplicates | None:
    """The expectation over splits at random of all rows, the share of the test as it is.

    A row of a text that stands m times has a copy in training with the probability 1 - t^(m - 1),
    where t is the share of the test. Rows that have one are scored as texts of training are, all
    others as texts of the sealed test: those that stand once and those that stand more often apart.
    None: no text of training had a copy, or it is not asked.
    """
    texts = labelled(targets)
    if texts.learned is None or not len(texts.learned):
        return None
    training = targets.counts[TRAINING]
    test = len(targets) / (len(targets) + training)
    once = training - len(texts.learned)  # of training, without a copy
    times = np.concatenate((texts.learned.copies, texts.copies, np.zeros(once, np.int64))) + 1
    seen = times * (1 - test ** (times - 1))
    single, rows = int((times == 1).sum()), int(times.sum())
    again, found = asked_again(texts.learned), of_targets(outcomes, targets)
    metrics = {}
    for name, scored in (("log_loss", log_losses), ("accuracy", hits)):
        fresh = scored(found, texts.answer)
        of_copies = _mean(fresh, texts.copies, texts.copies > 0)
        of_single = _mean(fresh, texts.copies, texts.copies == 0)
        of_seen = _mean(scored(outcomes[len(targets) :], again.answer), again.copies)
        sums = single * of_single + seen.sum() * of_seen
        metrics[name] = float((sums + (rows - single - seen.sum()) * of_copies) / rows)
    return Duplicates(texts=len(times), rows=rows, seen=float(seen.sum() / rows), metrics=metrics)


def _mean(values: Float64, copies: Int64, of: np.ndarray | None = None) -> float:
    """Over rows, copies included; of all where there is none of the kind."""
    of = np.ones(len(values), bool) if of is None or not of.any() else of
    return float(np.average(values[of], weights=copies[of] + 1))
