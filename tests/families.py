"""A configuration of every family, and how tests train and ask one."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from worlds import training_of

from recsweep.data.types import Training
from recsweep.models import registry
from recsweep.models.family import Build
from recsweep.models.protocol import Context, Histories, Recommender
from recsweep.models.registry import families_of

GRADIENT = {"dropout": 0.0, "weight_decay": 0.0, "batch_size": 4, "window": 10}
RECURRENT = GRADIENT | {
    "depth": 1,
    "hidden_size": 16,
    "embedding_size": 8,
    "learning_rate": 0.02,
    "negatives": 16,
    "tied_embeddings": True,
}
FACTORS = GRADIENT | {
    "factors": 8,
    "learning_rate": 0.05,
    "history_exponent": 0.5,
    "negatives": 16,
}
ATTENTION = GRADIENT | {
    "block": "pre_norm",
    "depth": 1,
    "heads": 2,
    "embedding_size": 16,
    "positions": "learned",
    "learning_rate": 0.02,
    "negatives": 16,
    "tied_embeddings": True,
}
WIDE_DEEP = GRADIENT | {
    "embedding_size": 8,
    "hidden_size": 16,
    "depth": 1,
    "learning_rate": 0.02,
    "wide_learning_rate": 0.02,
    "negatives": 16,
}
NEIGHBOURS: dict[str, object] = {"neighbours": 8, "sample_size": 100, "neighbour_events": 20}
NEUMF = GRADIENT | {
    "factors": 8,
    "hidden_size": 8,
    "depth": 2,
    "learning_rate": 0.02,
    "negatives": 16,
}
STAN: dict[str, object] = {
    "similarity": "cosine",
    "query_weights": "fading",
    "neighbour_fading": "time",
    "neighbour_half_life_days": 100.0,
    "closeness": "step",
    "closeness_weight": 0.6,
}
FADED = {"fading": "instant", "fading_weight": 0.7}
CONFIGS: dict[str, tuple[str, dict[str, object]]] = (
    {
        "popularity": ("popularity", {}),
        "popularity time": ("popularity", {"fading": "time", "half_life_days": 1.0}),
        "markov": ("markov", {}),
        "markov memory": ("markov", {"memory": 3} | FADED),
        "matrix_factorization faded als": (
            "matrix_factorization",
            {"loss": "als", "factors": 4, "regularization": 0.01, "alpha": 20.0} | FADED,
        ),
        "matrix_factorization faded": ("matrix_factorization", FACTORS | FADED | {"loss": "bpr"}),
        "wide_deep faded": ("wide_deep", WIDE_DEEP | FADED | {"loss": "cross_entropy"}),
        "item_knn cosine": ("item_knn", {"neighbours": 8, "weighting": "cosine"}),
        "ease": ("ease", {"regularization": 2.0, "fading": "none"}),
        "ease faded": ("ease", {"regularization": 2.0} | FADED),
        "session_knn": ("session_knn", NEIGHBOURS),
        "session_knn stan": (
            "session_knn",
            NEIGHBOURS | STAN | FADED,
        ),
        "item_knn bm25": (
            "item_knn",
            {
                "neighbours": 8,
                "weighting": "bm25",
                "k1": 1.2,
                "b": 0.5,
                "fading": "step",
                "fading_weight": 0.9,
            },
        ),
        "matrix_factorization als": (
            "matrix_factorization",
            {"loss": "als", "factors": 4, "regularization": 0.01, "alpha": 20.0},
        ),
    }
    | {
        f"{family} {loss}": (family, base | {"loss": loss})
        for family, base in (
            ("gru", RECURRENT),
            ("lstm", RECURRENT),
            ("gru_unordered", RECURRENT | FADED),
            ("lstm_unordered", RECURRENT | FADED),
            ("matrix_factorization", FACTORS),
            ("wide_deep", WIDE_DEEP),
            ("neumf", NEUMF | FADED),
        )
        for loss in ("cross_entropy", "sampled_softmax", "bpr")
    }
    | {
        f"{family} {loss}": (family, base | {"loss": loss})
        for family, base, some in (
            ("sasrec", ATTENTION, ("cross_entropy", "sampled_softmax")),
            ("sasrec_unordered", ATTENTION | FADED, ("cross_entropy",)),
            ("matrix_factorization", FACTORS, ("gbce", "bce", "bpr_max")),
        )
        for loss in some
    }
)
EPOCHS, SLOW = 12, {"matrix_factorization bpr_max": 25}
CPU = torch.device("cpu")
FAMILIES = families_of("next_item")


def checkerboard() -> Training:
    """Learners keep to one colour: courses 0-3 or courses 4-7, in any order."""
    rng = np.random.default_rng(0)
    return training_of([(rng.permutation(4) + 4 * (n % 2)).tolist() for n in range(40)])


def build(case: str, training: Training, seed: int = 0) -> Recommender:
    family, config = CONFIGS[case]
    model: Recommender = FAMILIES[family].model(config, Context(training, seed, CPU, "fp32"))
    return model


def fit(case: str, training: Training, seed: int = 0, epochs: int | None = None) -> Recommender:
    model = build(case, training, seed)
    epochs = epochs or SLOW.get(case, EPOCHS)
    for _ in range(min(epochs, FAMILIES[CONFIGS[case][0]].epochs or epochs)):
        model.fit_epoch()
    return model


@cache
def trained(case: str, world: Callable[[], Training], epochs: int | None = None) -> Recommender:
    """The same for all tests of a process, which may ask it and change nothing of it."""
    return fit(case, world(), epochs=epochs)


def asked(*rows: list[int], pad: int = 0) -> Histories:
    """A query after the whole of each row."""
    lengths = torch.tensor([len(row) for row in rows])
    items = torch.zeros(len(rows), int(lengths.max()) + pad, dtype=torch.int64)
    for n, row in enumerate(rows):
        items[n, : len(row)] = torch.tensor(row)
    return Histories(items, torch.zeros(len(rows), 0), torch.arange(len(rows)), lengths)


def scores(model: Recommender, histories: Histories) -> Tensor:
    return model.score(histories).clone()


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, build: Build[Any, Any]) -> None:
    """Let a family rank by other models than its own."""
    known = registry.families()
    changed = {**known, name: replace(known[name], tasks={"next_item": build})}
    monkeypatch.setattr(registry, "families", lambda: changed)
