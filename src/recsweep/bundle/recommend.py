"""The best courses for learners, by a bundle: lists, and what they rest on.

A learner without an event on a course that training knows has nothing that a ranking could go on:
such a learner gets the courses with the most events in training, and no score.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch

from recsweep.bundle.bundle import Bundle
from recsweep.bundle.learners import Group
from recsweep.bundle.why import Reason, reasons_of
from recsweep.data.features.dated import ID, LABEL
from recsweep.data.types import Float64, Int64
from recsweep.tasks.registry import TASKS


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of a group, one entry a recommended course, learner by learner, best first."""

    learner: Int64  # position in the group
    rank: Int64  # from 1
    course: Int64  # catalogue index
    score: Float64  # nan: by popularity
    by_popularity: int  # learners
    short: int  # learners with fewer courses than were asked for
    why: tuple[tuple[Reason, ...], ...] | None = None  # of each entry


def lists_of(bundle: Bundle, group: Group, k: int, *, why: bool = False) -> Lists:
    """At most `k` courses for each learner of a group."""
    n, shown = len(group.ids), group.asked.courses
    best = np.full((n, k), -1, np.int64)
    score = np.full((n, k), np.nan)
    answered = np.zeros(n, bool)
    for at, values, courses in best_of(bundle, group, k):
        width = courses.shape[1]
        best[at, :width], score[at, :width], answered[at] = courses, values, True
    popular = shown[np.argsort(-bundle.known.counts[shown], kind="stable")][:k]
    best[~answered, : len(popular)] = popular
    learner, place = np.nonzero(best >= 0)
    course = best[learner, place]
    return Lists(
        learner=learner,
        rank=place + 1,
        course=course,
        score=score[learner, place],
        by_popularity=int((~answered).sum()),
        short=int((best < 0).any(axis=1).sum()),
        why=reasons_of(bundle, group, learner, course, score[learner, place]) if why else None,
    )


@torch.inference_mode()
def best_of(bundle: Bundle, group: Group, k: int) -> Iterator[tuple[Int64, Float64, Int64]]:
    """Blocks of learners: positions, (n, k) scores in descending order and (n, k) catalogue
    indices; -1 and nan where a learner has no more candidates. Of equals, the earlier comes first.
    """
    asked = group.asked
    hidden = torch.ones(bundle.file.courses, dtype=torch.bool)
    hidden[torch.from_numpy(asked.courses)] = False
    answers = TASKS[bundle.file.task].answers
    assert answers is not None  # `fit` refuses other tasks
    for at, scores in answers(bundle.model, asked, group.known):
        if len(asked.courses) < len(hidden):
            scores.masked_fill_(hidden, -torch.inf)
        values, courses = scores.topk(min(k, scores.shape[1]), dim=1)
        value, course = values.double().numpy(), courses.numpy()
        order = np.lexsort((course, -value), axis=1)
        value, course = (np.take_along_axis(each, order, 1) for each in (value, course))
        gone = value == -np.inf
        yield at, np.where(gone, np.nan, value), np.where(gone, -1, course)


def frame_of(bundle: Bundle, group: Group, lists: Lists) -> pl.DataFrame:
    """A row for each recommended course: learner, rank, course, title, score, basis."""
    catalogue = bundle.courses.catalogue
    score = pl.Series("score", lists.score)
    return pl.DataFrame(
        {
            "learner": group.ids.gather(lists.learner),
            "rank": pl.Series(lists.rank, dtype=pl.Int32),
            "course": catalogue[ID].gather(lists.course),
            "title": catalogue[LABEL].gather(lists.course),
            "score": score.fill_nan(None),
            "basis": pl.select(
                pl.when(score.is_nan()).then(pl.lit("popularity")).otherwise(pl.lit("model"))
            ).to_series(),
            **({} if lists.why is None else {"why": _reasons(bundle, lists.why)}),
        }
    )


def _reasons(bundle: Bundle, why: tuple[tuple[Reason, ...], ...]) -> pl.Series:
    ids, labels = bundle.courses.ids.to_list(), bundle.courses.of_code[LABEL].to_list()
    fields = {"course": pl.String, "title": pl.String, "share": pl.Float64}
    found = [
        [{"course": ids[r.code], "title": labels[r.code], "share": r.difference} for r in reasons]
        for reasons in why
    ]
    return pl.Series(found, dtype=pl.List(pl.Struct(fields)))
