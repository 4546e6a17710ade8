"""The simulated course that a learner looks at next, with or without a meaning in the order.

Every learner has a list of courses, drawn by popularity and taste and then shuffled, so that the
list's order holds no information. A browse takes the first course of that list that is on offer,
or, with the chance `order`, one that follows from the course browsed just before. At `order` = 0
all orders of a history that the courses' listing dates allow are therefore equally likely,
whatever the learner's taste: given the set of past courses, their order tells nothing.

With the chance `recency` a browse follows from an earlier course instead, drawn with `RECENT` to
the power of its age in browses: then the set of past courses, each weighted by its age, tells all
that there is to know, and their sequence nothing beyond it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.world import Courses, Int, Learners, appeal
from recsweep.data.types import Float64

FOLLOW = np.array([0.6, 0.25, 0.15])
"""Chances of a course's three successors."""
RECENT = 0.7
"""Weight of a course of the history against the next younger one."""
NOTHING = -1
_CELLS = 4_000_000
_SECOND = 1 / 86_400  # days


@dataclass(frozen=True, slots=True)
class Browses:
    """Looks at courses, ordered by (learner, time); a learner looks at a course once."""

    learner: Int
    course: Int
    time: Float64  # days since the log began
    gap: Float64  # days until the learner's next browse


def make_successors(courses: Courses, random: np.random.Generator) -> Int:
    """(n_courses, 3) what may follow each course; popular courses follow more often."""
    n = len(courses.theme)
    keys = 0.5 * courses.log_popularity + random.gumbel(size=(n, n))
    np.fill_diagonal(keys, -np.inf)
    three: Int = np.argpartition(-keys, 2, axis=1)[:, :3]
    return three


def browse(
    settings: SimulatorSettings,
    learners: Learners,
    courses: Courses,
    successors: Int,
    random: np.random.Generator,
) -> Browses:
    """Let every learner browse."""
    step = _CELLS // settings.courses
    # Learners with as many browses stand together: a block ends with its busiest learner.
    order = np.argsort(learners.browses, kind="stable")
    blocks = [
        _browse_block(settings, learners, courses, successors, order[at : at + step], random)
        for at in range(0, len(order), step)
    ]
    learner, course, time = (np.concatenate(column) for column in zip(*blocks, strict=True))
    order = np.lexsort((time, learner))
    learner, course, time = learner[order], course[order], time[order]
    last = np.append(learner[1:] != learner[:-1], True)
    gap = np.where(last, random.exponential(0.5, len(time)), np.roll(time, -1) - time)
    return Browses(learner, course, time, np.maximum(gap, _SECOND))


def _browse_block(
    settings: SimulatorSettings,
    learners: Learners,
    courses: Courses,
    successors: Int,
    rows: Int,
    random: np.random.Generator,
) -> tuple[Int, Int, Float64]:
    count = learners.browses[rows]
    longest = int(count.max())
    times = _times(learners, rows, longest, random)
    wanted = _shuffled_lists(settings, learners, courses, rows, longest, random)
    seen = np.zeros((len(rows), settings.courses), bool)
    chosen = np.full((len(rows), longest), NOTHING)
    last = np.full(len(rows), NOTHING)
    for k in range(longest):
        at = np.flatnonzero(count > k)
        now = times[at, k]
        pick = _first_on_offer(wanted[at], seen[at], courses.listed, now)
        follows = (random.random(len(at)) < settings.order) & (last[at] != NOTHING)
        next_ = _follow(successors[last[at]], seen[at], courses.listed, now, random)
        pick = np.where(follows & (next_ != NOTHING), next_, pick)
        if settings.recency and k:
            place = k - random.geometric(1 - RECENT, len(at))
            source = np.where(place >= 0, chosen[at, np.maximum(place, 0)], NOTHING)
            recent = ~follows & (random.random(len(at)) < settings.recency) & (source != NOTHING)
            next_ = _follow(successors[source], seen[at], courses.listed, now, random)
            pick = np.where(recent & (next_ != NOTHING), next_, pick)
        found = pick != NOTHING
        at, pick = at[found], pick[found]
        chosen[at, k], last[at], seen[at, pick] = pick, pick, True
    row, place = np.nonzero(chosen != NOTHING)
    return rows[row], chosen[row, place], times[row, place]


def _times(learners: Learners, rows: Int, longest: int, random: np.random.Generator) -> Float64:
    """(n_rows, longest) ascending times, at least a second apart, for each learner's own count."""
    count = learners.browses[rows][:, None]
    uniform = random.random((len(rows), longest))
    uniform[np.arange(longest) >= count] = np.inf
    uniform.sort(axis=1)
    start, end = learners.start[rows][:, None], learners.end[rows][:, None]
    return start + (end - start) * uniform + _SECOND * np.arange(longest)


def _shuffled_lists(
    settings: SimulatorSettings,
    learners: Learners,
    courses: Courses,
    rows: Int,
    longest: int,
    random: np.random.Generator,
) -> Int:
    """(n_rows, longest) each learner's own number of courses in random order, then NOTHING."""
    keys = courses.log_popularity + settings.taste * appeal(learners, courses, settings.text, rows)
    keys += random.gumbel(size=keys.shape)  # the largest keys are a draw without replacement
    keys[courses.listed > learners.end[rows][:, None]] = -np.inf
    top = np.argpartition(-keys, longest - 1, axis=1)[:, :longest]
    strength = np.take_along_axis(keys, top, axis=1)
    top = np.take_along_axis(top, np.argsort(-strength, axis=1), axis=1)
    beyond = np.arange(longest) >= learners.browses[rows][:, None]
    beyond |= np.isneginf(-np.sort(-strength, axis=1))
    shuffle = random.random(top.shape)
    shuffle[beyond] = np.inf
    top[beyond] = NOTHING
    lists: Int = np.take_along_axis(top, np.argsort(shuffle, axis=1), axis=1)
    return lists


def _first_on_offer(wanted: Int, seen: NDArray[np.bool_], listed: Float64, now: Float64) -> Int:
    open_ = (wanted != NOTHING) & (listed[wanted] <= now[:, None])
    open_ &= ~np.take_along_axis(seen, wanted, axis=1)
    first = open_.argmax(axis=1)[:, None]
    pick = np.take_along_axis(wanted, first, axis=1)[:, 0]
    return np.where(open_.any(axis=1), pick, NOTHING)


def _follow(
    successors: Int,
    seen: NDArray[np.bool_],
    listed: Float64,
    now: Float64,
    random: np.random.Generator,
) -> Int:
    open_ = (listed[successors] <= now[:, None]) & ~np.take_along_axis(seen, successors, axis=1)
    edges = np.cumsum(FOLLOW * open_, axis=1)
    drawn = (random.random(len(now)) * edges[:, -1])[:, None]
    place = (drawn >= edges[:, :-1]).sum(axis=1)[:, None]
    pick = np.take_along_axis(successors, place, axis=1)[:, 0]
    return np.where(open_.any(axis=1), pick, NOTHING)
