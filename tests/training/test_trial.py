import weakref
from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from clocks import Clock
from worlds import dataset_of, events_of, experiment_of

from recsweep.config.schema import metric
from recsweep.config.values import Value
from recsweep.data.types import Events, Fold
from recsweep.models.protocol import Context, Histories, Recommender
from recsweep.models.registry import families_of
from recsweep.tasks.folds import make_fold
from recsweep.training.epoch import EpochReport
from recsweep.training.trial import Diverged, Trial, fold_seed

CPU = torch.device("cpu")
CUT, END = 600, 1000
GRU: dict[str, Value] = {
    "depth": 1,
    "hidden_size": 8,
    "embedding_size": 8,
    "dropout": 0.2,
    "learning_rate": 0.01,
    "weight_decay": 0.01,
    "batch_size": 4,
    "window": 10,
    "loss": "cross_entropy",
    "tied_embeddings": True,
}
CONFIGS: dict[str, dict[str, Value]] = {
    "gru": GRU,
    "lstm": GRU,
    "matrix_factorization": {
        "loss": "als",
        "factors": 4,
        "regularization": 0.1,
        "alpha": 10.0,
    },
    "wide_deep": {
        **{k: v for k, v in GRU.items() if k != "tied_embeddings"},
        "wide_learning_rate": 0.01,
    },
    "item_knn": {"neighbours": 10, "weighting": "cosine", "fading": "step", "fading_weight": 0.9},
    "popularity": {},
    "markov": {},
}


def log(seed: int = 0) -> list[tuple[int, int, int]]:
    rng = np.random.default_rng(seed)
    return sorted(
        {
            (int(rng.integers(0, 25)), int(rng.integers(0, 15)), int(rng.integers(0, END)))
            for _ in range(500)
        }
    )


def fold_from(rows: list[tuple[int, int, int]]) -> Fold:
    events: Events = events_of(rows)
    experiment = experiment_of(targets={"seen": "keep"})
    return make_fold("fold0", events, (CUT, END), dataset_of(events), experiment)


def trial(family: str, folds: list[Fold], **changes: Value) -> Trial:
    config = {**CONFIGS[family], **changes}
    return Trial(family, config, folds, experiment_of(), epochs=3, seed=1, device=CPU)


def test_every_report_is_the_mean_over_all_folds() -> None:
    report = trial("gru", [fold_from(log(0)), fold_from(log(1))]).advance()
    for values in report.metrics.values():
        assert len(values) == 2
    assert report.value == pytest.approx(np.mean(report.metrics["ndcg@10"]))
    assert [values.mean() for values in report.user_values] == pytest.approx(
        report.metrics["ndcg@10"]
    )


def test_a_fold_is_trained_the_same_whatever_folds_are_beside_it() -> None:
    first, second = fold_from(log(0)), fold_from(log(1))
    alone, together = trial("gru", [first]), trial("gru", [first, second])
    for _ in range(2):
        one, two = alone.advance(), together.advance()
        assert one.metrics["ndcg@10"][0] == two.metrics["ndcg@10"][0]
        assert one.losses[0] == two.losses[0]


def test_folds_start_from_weights_of_their_own() -> None:
    fold = fold_from(log())
    losses = trial("gru", [fold, fold]).advance().losses
    assert losses[0] != losses[1]
    seeds = [fold_seed(seed, n) for seed in range(100) for n in range(20)]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("values", "best"), [((0.1, 0.3, 0.3), 2), ((0.3, 0.3, 0.3), 1), ((0.1, 0.2, 0.3), 3)]
)
def test_of_epochs_that_are_equally_good_the_earliest_is_the_best(
    monkeypatch: pytest.MonkeyPatch, values: tuple[float, ...], best: int, sign: int
) -> None:
    """A tie must not buy more epochs of training, whichever way is better."""
    left = [sign * value for value in values]
    monkeypatch.setattr("recsweep.training.trial.mean_over_folds", lambda *_: left.pop(0))
    monkeypatch.setattr(metric, "lower_is_better", lambda key: sign < 0)
    running = trial("gru", [fold_from(log())])
    running.run()
    assert running.best is not None
    assert running.best.epoch == best


def test_the_same_seed_gives_the_same_curve_bit_for_bit() -> None:
    def curve() -> list[float]:
        return [report.value for report in trial("lstm", [fold_from(log())]).run()]

    assert curve() == curve()


def test_a_listener_hears_every_epoch_of_a_run() -> None:
    seen: list[EpochReport] = []
    running = trial("gru", [fold_from(log())])
    reports = running.run(seen.append)
    assert tuple(seen) == reports
    assert [report.epoch for report in reports] == [1, 2, 3]
    assert running.best is not None
    assert running.best.value == max(report.value for report in reports)


@pytest.mark.parametrize("family", ["item_knn", "popularity", "markov"])
def test_a_family_that_has_nothing_to_train_further_takes_one_epoch(family: str) -> None:
    assert trial(family, [fold_from(log())]).epochs == 1


def test_of_a_family_that_is_fitted_once_one_fold_at_a_time_is_in_memory() -> None:
    """A dense model of a large catalogue is as large for each fold."""
    running = trial("item_knn", [fold_from(log(0)), fold_from(log(1))])
    first, second = weakref.ref(running._models[0]), running._models[1]
    alive = []

    def fit_epoch() -> None:
        alive.append(first() is not None)
        type(second).fit_epoch(second)

    second.fit_epoch = fit_epoch
    running.run()
    assert alive == [False]


def test_a_loss_that_leaves_the_numbers_ends_the_trial_with_its_reason() -> None:
    running = trial("gru", [fold_from(log())], learning_rate=1e30)
    with pytest.raises(Diverged, match="fold0: the training loss is"):
        running.advance()


def fitted(family: str, fold: Fold) -> Recommender:
    entry = families_of("next_item")[family]
    model: Recommender = entry.model(
        CONFIGS[family], Context(fold.training, fold_seed(1, 0), CPU, "fp32")
    )
    for _ in range(entry.epochs or 2):
        model.fit_epoch()
    return model


def score_of(family: str, fold: Fold, user: int, time: int) -> bytes:
    """The whole catalogue's scores for a target, from its history alone."""
    targets = fold.validation
    n = next(
        n
        for n in range(len(targets))
        if targets.histories.user[targets.sequence[n]] == user and targets.time[n] == time
    )
    s = targets.sequence[n]
    start = targets.histories.offsets[s]
    length = int(targets.length[n])
    history = torch.from_numpy(targets.histories.item[start : start + length]).long()
    features = torch.from_numpy(targets.histories.features[s : s + 1])
    asked = Histories(history[None], features, torch.tensor([0]), torch.tensor([length]))
    return fitted(family, fold).score(asked).numpy().tobytes()


@pytest.mark.parametrize("family", CONFIGS)
def test_nothing_at_or_after_a_targets_own_time_reaches_its_score(family: str) -> None:
    """Perturb: replace the whole log from a target's time on, that target apart."""
    rows = log()
    user, item, time = next(row for row in rows if CUT + 100 < row[2] < END - 100)
    kept = [row for row in rows if row[2] < time]
    late = [row for row in log(seed=9) if row[2] >= time]
    changed = sorted({*kept, *late, (user, item, time)})
    before, after = fold_from(rows), fold_from(changed)
    assert before.items.tobytes() == after.items.tobytes()
    assert score_of(family, before, user, time) == score_of(family, after, user, time)


def test_a_change_before_a_targets_time_does_reach_its_score() -> None:
    """The perturbation above would notice."""
    rows = log()
    user, item, time = next(row for row in rows if CUT + 100 < row[2] < END - 100)
    changed = sorted({*rows, (user, (item + 1) % 15, time - 1)})
    assert score_of("gru", fold_from(rows), user, time) != score_of(
        "gru", fold_from(changed), user, time
    )


SOFTMAX_FACTORS: dict[str, Value] = {
    "loss": "cross_entropy",
    "factors": 8,
    "learning_rate": 0.01,
    "weight_decay": 0.0,
    "batch_size": 4,
    "window": 10,
    "history_exponent": 0.5,
    "dropout": 0.0,
}


@pytest.mark.parametrize("family", ["gru", "lstm", "matrix_factorization", "wide_deep"])
def test_bf16_trains_to_about_the_same_loss(family: str) -> None:
    config = CONFIGS[family] | {"dropout": 0.0}
    if family == "matrix_factorization":
        config = SOFTMAX_FACTORS
    losses = []
    for precision in ("fp32", "bf16"):
        running = Trial(
            family,
            config,
            [fold_from(log())],
            experiment_of(resources={"precision": precision}),
            epochs=1,
            seed=0,
            device=CPU,
        )
        losses.append(running.advance().losses[0])
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert losses[0] != losses[1]


class MadeUp:
    """A model of so many numbers that takes these seconds to fit, and to be asked."""

    def __init__(self, clock: Clock, numbers: int, fit: float, ask: float, **more: object) -> None:
        self._clock, self._numbers, self._fit, self.ask = clock, numbers, fit, ask
        self.loss = None
        self.__dict__.update(more)

    def fit_epoch(self) -> float | None:
        self._clock.now += self._fit
        return self.loss

    def state(self) -> dict[str, torch.Tensor]:
        return {"numbers": torch.zeros(self._numbers)}


def made_up(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, answer_seconds: float = 0.0
) -> tuple[Trial, list[Fold]]:
    """Two folds, of which the second has more to learn from, and a made-up model on each."""
    folds = [fold_from([row for row in log() if row[2] % 2 or row[2] >= CUT]), fold_from(log())]
    running = Trial(
        "gru",
        GRU,
        folds,
        experiment_of(),
        epochs=3,
        seed=1,
        device=CPU,
        answer_seconds=answer_seconds,
    )
    running._models = [
        MadeUp(clock, 10, fit=1.0, ask=0.25, loss=0.5, gradient_norm=3.0),
        MadeUp(clock, 20, fit=2.0, ask=0.5),
    ]

    def outcomes(model: MadeUp) -> MadeUp:
        clock.now += model.ask
        return model

    running._scorers = tuple(SimpleNamespace(outcomes=outcomes) for _ in folds)
    running._task = SimpleNamespace(  # type: ignore[assignment]
        summarise=lambda asked, targets, metric: ({"ndcg@10": asked.ask}, np.array([asked.ask]))
    )
    monkeypatch.setattr("recsweep.training.trial.memory_in_use", lambda device: 12.5)
    return running, folds


def test_a_report_adds_up_all_folds_and_tells_a_models_size_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running, folds = made_up(monkeypatch, Clock(monkeypatch, "recsweep.training.trial"))
    report = running.advance()
    assert report == EpochReport(
        epoch=1,
        value=0.375,
        metrics={"ndcg@10": (0.25, 0.5)},
        losses=(0.5, None),
        fit_seconds=3.0,
        evaluate_seconds=0.75,
        user_values=report.user_values,
        gradient_norms=(3.0, None),
        training_events=sum(len(fold.training.sequences.item) for fold in folds),
        memory_mb=12.5,
        parameters=20,  # of the fold with the most to learn from
        model_bytes=80,
    )
    assert [values.tolist() for values in report.user_values] == [[0.25], [0.5]]
    later = running.advance()
    assert (later.epoch, later.parameters, later.model_bytes) == (2, None, None)


def test_how_fast_it_answers_is_asked_once_for_as_long_as_was_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []

    def p99(task: object, model: object, fold: object, device: object, seconds: float) -> float:
        asked.append((model, fold, seconds))
        return 7.5

    monkeypatch.setattr("recsweep.training.trial.p99_ms", p99)
    running, folds = made_up(
        monkeypatch, Clock(monkeypatch, "recsweep.training.trial"), answer_seconds=0.5
    )
    model = running._models[1]
    reports = running.run()
    assert [report.p99_ms for report in reports] == [7.5, None, None]
    assert asked == [(model, folds[1], 0.5)]
    monkeypatch.undo()
    assert trial("gru", folds[:1]).advance().p99_ms is None


def test_a_trial_goes_on_from_its_checkpoint_bit_for_bit() -> None:
    folds = [fold_from(log(0)), fold_from(log(1))]
    whole, first, then = (trial("gru", folds) for _ in range(3))
    assert first.checkpoint() is None
    reports = whole.run()
    first.advance()
    left = first.checkpoint()
    assert left is not None
    assert (left.last, left.best) == (first.last, first.best)
    assert {name.split("/")[0] for name in left.tensors} == {"0", "1"}
    then.restore(left)
    assert (then.epoch, then.last, then.best) == (1, first.last, first.best)
    later = then.run()
    assert [(r.epoch, r.value, r.losses) for r in later] == [
        (r.epoch, r.value, r.losses) for r in reports[1:]
    ]
    ends = [running.checkpoint() for running in (whole, then)]  # its models outlive its last epoch
    assert ends[0] is not None
    assert ends[1] is not None
    assert all(torch.equal(v, ends[1].tensors[name]) for name, v in ends[0].tensors.items())


def test_each_folds_model_goes_on_from_its_own_part_of_a_checkpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running, _ = made_up(monkeypatch, Clock(monkeypatch, "recsweep.training.trial"))
    report = running.advance()
    restored: list[Mapping[str, torch.Tensor]] = []
    for n, model in enumerate(running._models):
        model.checkpoint = lambda n=n: {"weights": torch.tensor(n), "0/odd": torch.tensor(9)}
        model.restore = restored.append
    left = running.checkpoint()
    assert left is not None
    assert sorted(left.tensors) == ["0/0/odd", "0/weights", "1/0/odd", "1/weights"]
    running.restore(left)
    assert restored == [{"weights": torch.tensor(n), "0/odd": torch.tensor(9)} for n in range(2)]
    assert (running.last, running.best, running.epoch) == (report, report, 1)


def test_a_family_that_is_fitted_in_one_go_has_no_checkpoint_and_takes_none() -> None:
    running = trial("popularity", [fold_from(log())])
    running.advance()
    assert running.checkpoint() is None
    gru = trial("gru", [fold_from(log())])
    gru.advance()
    left = gru.checkpoint()
    assert left is not None
    with pytest.raises(ValueError, match="can't go on from a checkpoint"):
        trial("popularity", [fold_from(log())]).restore(left)


def test_a_family_of_fixed_length_is_trained_no_longer_than_that_or_what_is_asked_for() -> None:
    assert [trial(family, [fold_from(log())]).epochs for family in ("gru", "popularity")] == [3, 1]


def test_a_folds_seed_is_the_one_that_every_record_was_trained_with() -> None:
    assert [fold_seed(2, fold) for fold in range(3)] == [2018, 2019, 2020]
