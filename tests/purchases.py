"""A small world of looks at courses, some of which end in buying them."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from worlds import dataset_of, experiment_of

from recsweep.config.schema import Experiment
from recsweep.data.clock import DAY
from recsweep.data.types import KINDS, Dataset, Events, Fold
from recsweep.tasks.folds import make_fold

LookOrBuy = tuple[int, int, float, str]  # user, item, day, type
CUT, END = 60, 100


def log_of(rows: Sequence[LookOrBuy]) -> Events:
    """Ordered as `prepare` orders events."""
    ordered = sorted((u, round(d * DAY), i, KINDS.index(k)) for u, i, d, k in rows)
    user, time, item, kind = (np.array(column) for column in zip(*ordered, strict=True))
    return Events(
        user.astype(np.int32), item.astype(np.int32), time.astype(np.int64), kind.astype(np.int8)
    )


def random_log(seed: int, users: int = 30, items: int = 8) -> list[LookOrBuy]:
    """Courses with even codes are bought more often, at once."""
    rng = np.random.default_rng(seed)
    rows: list[LookOrBuy] = []
    for user in range(users):
        for day in np.sort(rng.uniform(0, END, 12)):
            item = int(rng.integers(items))
            rows.append((user, item, float(day), "browse"))
            if rng.random() < (0.7 if item % 2 == 0 else 0.15):
                rows.append((user, item, float(day + rng.uniform(0.05, 0.9)), "purchase"))
    return rows


def purchase_experiment(**changes: object) -> Experiment:
    """Bought within two days."""
    return experiment_of(task="purchase", **{"purchase": {"window_days": 2}, **changes})


def dataset_with_prices(events: Events) -> Dataset:
    """A course's price is its code."""
    dataset = dataset_of(events)
    items = pl.DataFrame({"price": np.arange(dataset.n_items, dtype=np.float64)})
    ages = pl.DataFrame({"age": np.arange(dataset.n_users, dtype=np.float64) % 7})
    return Dataset(
        folder=dataset.folder,
        fingerprint=dataset.fingerprint,
        cuts=dataset.cuts,
        development=events,
        users=ages,
        items=items,
        n_users=dataset.n_users,
        n_items=dataset.n_items,
    )


def fold_of(rows: Sequence[LookOrBuy], experiment: Experiment | None = None) -> Fold:
    """The fold that is cut at day 60 and ends with day 100."""
    events = log_of(rows)
    window = (CUT * DAY, END * DAY)
    chosen = experiment or purchase_experiment()
    return make_fold("fold0", events, window, dataset_with_prices(events), chosen)
