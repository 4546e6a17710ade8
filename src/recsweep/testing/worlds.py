"""Small made-up logs, and folds of them for any task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
import polars as pl
from pydantic import ValidationError

from recsweep.config.schema import Experiment, question_of
from recsweep.data.clock import DAY
from recsweep.data.features.dated import ID, VALID_FROM
from recsweep.data.types import BOUGHT, KINDS, Cuts, Dataset, Events, Fold
from recsweep.tasks.development import whole_split
from recsweep.tasks.folds import make_fold
from recsweep.tasks.task import Split
from recsweep.testing.text_worlds import smallest_text_world, text_world

CUT, END = 60, 100  # days
COURSES, UNSEEN = 10, 2  # so many are new to the window, and so many stand in the table alone

LOOK = KINDS.index("browse")
Row = tuple[int, float, int, int]  # learner, day, course, kind
Settings = Mapping[str, object]

P = ParamSpec("P")
T = TypeVar("T")


def _once(make: Callable[P, T]) -> Callable[P, T]:
    """The same for all who ask, and who change nothing of it."""
    made: dict[str, T] = {}

    @wraps(make)
    def found(*asked: P.args, **named: P.kwargs) -> T:
        key = repr((asked, named))
        if key not in made:
            made[key] = make(*asked, **named)
        return made[key]

    return found


@_once
def world(task: str, settings: Settings, features: bool = True) -> Fold:
    """A fold of two dozen learners: trained on sixty days, asked about forty.

    Courses with an even number are often bought soon after a look. Some events share a moment, and
    some courses are new to the window. Where the task knows a catalogue beyond the log, courses
    without any event are in it; where it is about treatments, every second look is treated.

    Args:
        task: its name.
        settings: what an experiment says under that name; empty: nothing.
        features: are there columns of learners and courses, and the dwell of events?
    """
    if "texts" in question_of(task).reads:
        return text_world(task, features=features)
    return fold_of(task, settings, _rows(), COURSES + UNSEEN, features)


@_once
def whole_world(task: str, settings: Settings) -> Split:
    """All of the same log as what is learned from, with nothing after it."""
    experiment = _experiment(task, settings, features=True)
    dataset = _dataset(experiment, _rows(), COURSES + UNSEEN)
    return whole_split(dataset, experiment, END * DAY)


def _rows() -> list[Row]:
    random = np.random.default_rng(0)
    rows: list[Row] = []
    for learner in range(24):
        for day in np.sort(random.integers(0, END, 14)):  # whole days: some share a moment
            course = int(random.integers(COURSES if day >= CUT else COURSES - UNSEEN))
            rows.append((learner, int(day), course, LOOK))
            if random.random() < (0.7 if course % 2 == 0 else 0.2):
                rows.append((learner, int(day) + 0.5, course, BOUGHT))
    return rows


@_once
def smallest_world(task: str, settings: Settings) -> Fold:
    """One course, and ten learners who come one after the other; every second buys it."""
    if "texts" in question_of(task).reads:
        return smallest_text_world(task)
    looks = [(n, 10.0 * n + day, 0, LOOK) for n in range(10) for day in (0, 1)]
    bought = [(n, 10.0 * n + 1.5, 0, BOUGHT) for n in range(0, 10, 2)]
    return fold_of(task, settings, [*looks, *bought], n_items=1, features=False)


def fold_of(
    task: str, settings: Settings, rows: Sequence[Row], n_items: int, features: bool = True
) -> Fold:
    """A fold of any events, cut as in `world`.

    Args:
        task: its name.
        settings: as of `world`.
        rows: learners and courses are numbered from 0, days lie between 0 and END.
        n_items: courses of the table.
        features: as of `world`.
    """
    experiment = _experiment(task, settings, features)
    dataset = _dataset(experiment, rows, n_items)
    return make_fold("fold0", dataset.development, (CUT * DAY, END * DAY), dataset, experiment)


def _dataset(experiment: Experiment, rows: Sequence[Row], n_items: int) -> Dataset:
    features = bool(experiment.event_features)
    events = _events(rows, dwell=features)
    if experiment.data.treatments:
        is_look = events.kind == LOOK
        treated = np.where(is_look, np.cumsum(is_look) % 2, np.nan)  # every second look
        events = replace(events, treated=treated.astype(np.float32))
    users, seen = int(events.user.max()) + 1, int(events.item.max()) + 1
    random = np.random.default_rng(1)
    ids = [f"c{code}" for code in range(n_items)]
    courses = pl.DataFrame(
        {ID: ids, VALID_FROM: [None] * n_items}, schema_overrides={VALID_FROM: pl.Int64}
    )
    learners = None
    if features:
        price, level = random.uniform(5, 50, n_items), list("abc" * n_items)[:n_items]
        courses = courses.with_columns(pl.Series("price", price), pl.Series("level", level))
        ages = random.normal(size=users)
        learners = pl.DataFrame({ID: [f"u{code}" for code in range(users)], "age": ages})
    return Dataset(
        folder=Path("nowhere"),
        fingerprint="none",
        cuts=Cuts(validation=(), test=(0, 0)),
        development=events,
        users=learners,
        items=courses[:seen].drop(VALID_FROM),
        n_users=users,
        n_items=seen,
        item_rows=courses,
    )


def _events(rows: Sequence[Row], *, dwell: bool) -> Events:
    ordered = sorted((u, int(d * DAY), i, kind) for u, d, i, kind in rows)
    user, time, item, kind = np.array(ordered).T
    seconds = np.random.default_rng(2).exponential(60, len(user)).astype(np.float32)
    return Events(
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        time=time,
        kind=kind.astype(np.int8),
        dwell=seconds if dwell else None,
    )


def _experiment(task: str, settings: Settings, features: bool) -> Experiment:
    table = {"path": "x", "key": "id", "immutable": True}
    columns = ({"numeric": ["age"]}, {"numeric": ["price"], "categorical": ["level"]})
    users, items = ({**table, **(of if features else {})} for of in columns)
    log = {
        "path": "x",
        "user": "u",
        "item": "i",
        "time": "t",
        **({"dwell": "d"} if features else {}),
        **({"treatment": {"column": "x", "treated": ["1"]}} if question_of(task).treatment else {}),
    }
    keys: dict[str, Any] = {
        "study": "made-up",
        "task": task,
        "data": {"name": "made-up", "events": [log], "users": users, "items": items},
        "families": {"any": "any.yaml"},
        **({task: settings} if settings else {}),
    }
    try:
        asked = {"candidates": "catalogue", "seen": "keep"}
        return Experiment.model_validate({**keys, "targets": asked})
    except ValidationError:  # a task that ranks no catalogue
        return Experiment.model_validate(keys)
