"""Small made-up sets of texts, and folds of them for a task that reads texts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from recsweep.config.schema import Experiment
from recsweep.data.clock import DAY
from recsweep.data.features.dated import ANSWER, COPIES, GROUP, ID, TEXT
from recsweep.data.types import KINDS, Cuts, Dataset, Events, Fold
from recsweep.tasks.folds import make_fold

CUT, END = 60, 100  # days
WORDS = {"good": ("fine", "lovely", "not bad"), "bad": ("awful", "not fine", "dull")}
NEUTRAL = ("the book", "a room", "it was", "delivery", "x")


def text_world(task: str, *, features: bool = True) -> Fold:
    """Sixty texts of a dozen sources, some of one word, one of a word that training lacks."""
    random = np.random.default_rng(0)
    rows = []
    for n in range(60):
        label = ("good", "bad")[n % 2]
        said = [*random.choice(WORDS[label], 2), *random.choice(NEUTRAL, n % 5)]
        rows.append((f"{' '.join(random.permutation(said))} {n}", label, n * END / 60))
    rows[-1] = ("unheard", "good", END - 1)
    return _fold(task, rows, features)


def smallest_text_world(task: str) -> Fold:
    """Two texts of one word each on both sides of the cut."""
    rows = [(text, text, day) for day in (10.0, 70.0) for text in ("good", "bad")]
    return _fold(task, rows, features=False)


def _fold(task: str, rows: Sequence[tuple[str, str, float]], features: bool) -> Fold:
    text, label, day = zip(*rows, strict=True)
    n = len(rows)
    table = pl.DataFrame(
        {
            ID: [f"text {row}" for row in range(n)],
            TEXT: text,
            ANSWER: label,
            GROUP: [f"source {row % 12}" for row in range(n)],
            COPIES: [0] * n,
        }
    )
    if features:
        table = table.with_columns(pl.Series("age", np.random.default_rng(1).normal(size=n)))
    events = Events(
        user=np.arange(n, dtype=np.int32),
        item=np.zeros(n, np.int32),
        time=(np.array(day) * DAY).astype(np.int64),
        kind=np.full(n, KINDS.index("comment"), np.int8),
    )
    columns = {"numeric": ["age"]} if features else {}
    of_texts = {"path": "x", "text": "t", "label": {"column": "l"}, "time": "d", "group": "g"}
    experiment = Experiment.model_validate(
        {
            "study": "made-up",
            "task": task,
            "data": {"name": "made-up", "texts": [{**of_texts, **columns}]},
            "families": {"any": "any.yaml"},
        }
    )
    dataset = Dataset(
        folder=Path("nowhere"),
        fingerprint="none",
        cuts=Cuts(validation=(), test=(0, 0)),
        development=events,
        users=table,
        items=None,
        n_users=n,
        n_items=1,
    )
    return make_fold("fold0", events, (CUT * DAY, END * DAY), dataset, experiment)
