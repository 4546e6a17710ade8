"""One bundle in memory, asked by several clients at once. Knows neither HTTP nor Ray."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import torch

from recsweep.bundle.bundle import load_bundle
from recsweep.bundle.learners import Group, group_of, has_dwell, no_learners
from recsweep.bundle.recommend import best_of, lists_of
from recsweep.data.features.dated import ID, LABEL, DatedTable
from recsweep.data.types import KINDS, UNKNOWN, Events, Int64
from recsweep.serving.messages import (
    CourseOut,
    HistoryIn,
    ProbabilityOut,
    PurchaseIn,
    PurchaseOut,
    RecommendIn,
    RecommendOut,
)


class ServedBundle:
    """Answers requests together; who is asked beside whom moves no bit of an answer."""

    def __init__(self, folder: Path) -> None:
        self.bundle = load_bundle(folder.resolve())
        experiment = self.bundle.known.experiment
        torch.set_num_threads(experiment.resources.threads)
        logs = experiment.data.events
        constant = logs[0].type.constant if len(logs) == 1 else None
        self._kind = KINDS.index(constant or "browse")
        self._unknown: dict[int, tuple[pl.Series, DatedTable]] = {}  # by the number of learners
        self._code = {course: code for code, course in enumerate(self.bundle.courses.ids.to_list())}
        catalogue = self.bundle.courses.catalogue
        self._ids, self._titles = catalogue[ID].to_list(), catalogue[LABEL].to_list()
        self._place = {course: place for place, course in enumerate(self._ids)}
        self._all = np.arange(len(self._ids))

    def recommend(self, requests: Sequence[RecommendIn]) -> list[RecommendOut]:
        """A list for each; those that may show the same courses are scored together."""
        found: dict[int, RecommendOut] = {}
        allowed: dict[tuple[str, ...] | None, list[int]] = {}
        for n, request in enumerate(requests):
            allowed.setdefault(request.allow, []).append(n)
        for allow, together in allowed.items():
            shown = self._all if allow is None else self._places(allow)
            some = [requests[n] for n in together]
            lists = self._lists(some, shown) if len(shown) else [(False, ())] * len(some)
            for n, request, (by_model, courses) in zip(together, some, lists, strict=True):
                found[n] = RecommendOut(
                    model=self.bundle.name,
                    learner=request.learner,
                    basis="model" if by_model else "popularity",
                    courses=courses[: request.k],
                )
        return [found[n] for n in range(len(requests))]

    def purchase(self, requests: Sequence[PurchaseIn]) -> list[PurchaseOut]:
        """Probabilities for each."""
        return [self._probabilities(request) for request in requests]

    def _lists(
        self, requests: Sequence[RecommendIn], shown: Int64
    ) -> list[tuple[bool, tuple[CourseOut, ...]]]:
        group = self._group(requests, shown)
        lists = lists_of(self.bundle, group, max(request.k for request in requests))
        starts = np.searchsorted(lists.learner, np.arange(len(requests) + 1)).tolist()
        course, score = lists.course.tolist(), lists.score.tolist()
        by_model = ~np.isnan(lists.score)
        found = []
        for n in range(len(requests)):
            rows = range(starts[n], starts[n + 1])
            courses = tuple(
                CourseOut(
                    course=self._ids[course[row]],
                    title=self._titles[course[row]],
                    score=score[row] if by_model[row] else None,
                )
                for row in rows
            )
            found.append((any(by_model[row] for row in rows), courses))
        return found

    def _probabilities(self, request: PurchaseIn) -> PurchaseOut:
        shown, of = self._places(request.courses), dict[int, float]()
        if len(shown):
            group = self._group([request], shown)
            for _, values, courses in best_of(self.bundle, group, len(shown)):
                pairs = zip(courses[0].tolist(), values[0].tolist(), strict=True)
                of |= {course: value for course, value in pairs if course != UNKNOWN}
        return PurchaseOut(
            model=self.bundle.name,
            learner=request.learner,
            courses=tuple(
                ProbabilityOut(course=course, probability=of.get(self._place.get(course, UNKNOWN)))
                for course in request.courses
            ),
        )

    def _places(self, courses: Sequence[str]) -> Int64:
        """(n,) catalogue indices of those that it knows, ascending."""
        found = {self._place[course] for course in courses if course in self._place}
        return np.array(sorted(found), np.int64)

    def _group(self, requests: Sequence[HistoryIn], shown: Int64) -> Group:
        """By arrays alone: joins of frames would take longer than the scores."""
        unknown = len(self._code)
        rows = [
            (
                n,
                event.microseconds,
                self._code.get(event.course, unknown),
                self._kind_of(event.type),
            )
            for n, request in enumerate(requests)
            for event in request.events
        ]
        columns = np.unique(np.array(rows, np.int64).reshape(-1, 4), axis=0)  # in order, each once
        user, time, item, kind = columns.T
        events = Events(
            user=user.astype(np.int32),
            item=item.astype(np.int32),
            time=np.ascontiguousarray(time),
            kind=kind.astype(np.int8),
            dwell=np.full(len(user), np.nan, np.float32) if has_dwell(self.bundle) else None,
        )
        ids, learners = self._nobody(len(requests))
        return group_of(self.bundle, events, ids, learners, shown, None)

    def _nobody(self, n: int) -> tuple[pl.Series, DatedTable]:
        """So many learners of whom nothing is known."""
        if n not in self._unknown:
            ids = pl.Series([str(place) for place in range(n)], dtype=pl.String)
            self._unknown[n] = ids, no_learners(self.bundle.known.experiment).of(ids)
        return self._unknown[n]

    def _kind_of(self, name: str | None) -> int:
        return self._kind if name is None else KINDS.index(name)
