import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from families import stand_in
from worlds import experiment_of

from recsweep.data.batches import Batches
from recsweep.data.types import Fold
from recsweep.models.family import Build
from recsweep.models.protocol import Context, FamilyConfig
from recsweep.models.registry import families_of
from recsweep.tasks.next_item.ranking import Ranker
from recsweep.tasks.next_item.task import TASK as NEXT_ITEM
from recsweep.training.refit import optimizer_steps, refit
from recsweep.training.trial import Diverged, Trial

CPU = torch.device("cpu")
FAMILIES = families_of("next_item")
MakeFold = Callable[..., Fold]
CONFIGS: dict[str, dict[str, Any]] = {
    "matrix_factorization": {"loss": "als", "factors": 4, "regularization": 0.1, "alpha": 2.0},
    "item_knn": {"neighbours": 5, "weighting": "cosine", "fading": "step", "fading_weight": 0.8},
    "popularity": {},
    "markov": {},
    "ease": {"regularization": 2.0},
    "session_knn": {"neighbours": 5, "sample_size": 20, "neighbour_events": 9},
    "gru": {
        "depth": 1,
        "hidden_size": 8,
        "embedding_size": 8,
        "dropout": 0.2,
        "tied_embeddings": False,
        "learning_rate": 0.01,
        "weight_decay": 0.0,
        "batch_size": 3,
        "window": 4,
        "loss": "cross_entropy",
    },
}


@pytest.fixture
def fold(fold_of: MakeFold) -> Fold:
    """Ten learners, seven courses."""
    rows = [(u, (u + step * step) % 7, 10 * step + u) for u in range(10) for step in range(10)]
    return fold_of(rows, (80, 110), targets={"seen": "keep"})


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_refit_is_what_a_trial_trains_on_its_first_fold(fold: Fold, kind: str) -> None:
    model = refit(kind, CONFIGS[kind], fold.training, epochs=3, seed=7, device=CPU, task=NEXT_ITEM)
    trial = Trial(kind, CONFIGS[kind], [fold], experiment_of(), epochs=3, seed=7, device=CPU)
    trained = trial._models[0]
    while trial.epoch < trial.epochs:
        report = trial.advance()
    ranks = Ranker(fold.validation, fold.n_items, CPU).ranks(model)
    again = refit(kind, CONFIGS[kind], fold.training, epochs=3, seed=7, device=CPU, task=NEXT_ITEM)
    assert np.array_equal(ranks, Ranker(fold.validation, fold.n_items, CPU).ranks(again))
    assert all(torch.equal(value, trained.state()[name]) for name, value in model.state().items())
    assert report.epoch == trial.epochs


@pytest.mark.parametrize("kind", [kind for kind in FAMILIES if not FAMILIES[kind].random])
def test_families_that_are_called_deterministic_are(fold: Fold, kind: str) -> None:
    states = [
        refit(
            kind,
            CONFIGS[kind],
            fold.training,
            epochs=1,
            seed=seed,
            device=CPU,
            task=NEXT_ITEM,
        ).state()
        for seed in (0, 1)
    ]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_a_loss_that_is_no_number_ends_it(fold: Fold, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([0.5, math.nan])

    class Model:
        def fit_epoch(self) -> float:
            return next(losses)

    stand_in(monkeypatch, "popularity", Build(FamilyConfig, lambda config, context: Model()))
    with pytest.raises(Diverged, match="nan in epoch 2"):
        refit("popularity", {}, fold.training, epochs=3, seed=0, device=CPU, task=NEXT_ITEM)


def test_steps_are_the_batches_of_every_epoch(fold: Fold) -> None:
    config = CONFIGS["gru"]
    made = Batches(fold.training, config["window"], config["batch_size"], CPU)
    batches = len(list(made.epoch(0)))
    assert optimizer_steps(config, fold.training, 2, NEXT_ITEM) == 2 * batches
    assert optimizer_steps(CONFIGS["matrix_factorization"], fold.training, 2, NEXT_ITEM) is None


class Counted:
    """A model of no numbers that counts its epochs."""

    def __init__(self, losses: list[float | None], context: Context) -> None:
        self.context, self._losses, self.epochs = context, losses, 0

    def fit_epoch(self) -> float | None:
        self.epochs += 1
        return self._losses[self.epochs - 1]


@pytest.mark.parametrize(
    ("length", "losses", "ends"),
    [
        (None, [0.5, 0.25, 0.0], [(1, 3), (2, 3), (3, 3)]),
        (None, [None, None, None], [(1, 3), (2, 3), (3, 3)]),
        (1, [None], [(1, 1)]),
        (9, [0.5, 0.4, 0.3], [(1, 3), (2, 3), (3, 3)]),
    ],
)
def test_a_refit_takes_the_epochs_that_are_asked_for_and_no_more_than_the_familys(
    fold: Fold,
    monkeypatch: pytest.MonkeyPatch,
    length: int | None,
    losses: list[float | None],
    ends: list[tuple[int, int]],
) -> None:
    heard: list[tuple[int, int]] = []
    build = Build(FamilyConfig, lambda config, context: Counted(losses, context), epochs=length)
    stand_in(monkeypatch, "popularity", build)
    model = refit(
        "popularity",
        {},
        fold.training,
        epochs=3,
        seed=7,
        device=CPU,
        task=NEXT_ITEM,
        on_epoch=lambda *told: heard.append(told),
    )
    assert heard == ends
    assert model.epochs == len(ends)
    assert model.context == Context(fold.training, 7 * 1009, CPU, "fp32")


def test_a_refit_of_another_fold_draws_what_a_trial_draws_there(
    fold: Fold, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = Build(FamilyConfig, lambda config, context: Counted([None] * 9, context))
    stand_in(monkeypatch, "popularity", build)
    model = refit(
        "popularity",
        {},
        fold.training,
        epochs=1,
        seed=7,
        device=CPU,
        precision="bf16",
        task=NEXT_ITEM,
        fold=2,
    )
    assert (model.context.seed, model.context.precision) == (7 * 1009 + 2, "bf16")


def test_a_loss_that_is_infinite_ends_it_before_its_epoch_is_told(
    fold: Fold, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    losses: list[float | None] = [0.5, math.inf]
    build = Build(FamilyConfig, lambda config, context: Counted(losses, context))
    stand_in(monkeypatch, "popularity", build)
    with pytest.raises(Diverged, match="the training loss is inf in epoch 2"):
        refit(
            "popularity",
            {},
            fold.training,
            epochs=3,
            seed=0,
            device=CPU,
            task=NEXT_ITEM,
            on_epoch=lambda epoch, epochs: heard.append(epoch),
        )
    assert heard == [1]
