"""An event of weight two is an event that came twice, in every family."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from families import CONFIGS, CPU, FAMILIES, asked
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from worlds import training_of

from recsweep.data.batches import Batch
from recsweep.data.clock import DAY
from recsweep.data.types import KINDS, Training
from recsweep.errors import BadInput
from recsweep.models.als import AlternatingLeastSquares
from recsweep.models.protocol import Context, Recommender
from recsweep.models.ranker import GradientRanker
from recsweep.models.weights import TrainingWeights

BROWSE, FAVOURITE, PURCHASE = (KINDS.index(k) for k in ("browse", "favourite", "purchase"))
TIMES = {BROWSE: 1, FAVOURITE: 3, PURCHASE: 2}
"""How often an event comes that weighs so much."""
BY_TYPE = {f"weight_{KINDS[kind]}": float(times) for kind, times in TIMES.items()}
GRADIENT = [
    case
    for case, (family, config) in CONFIGS.items()
    if FAMILIES[family].epochs is None and config["loss"] != "als"
]


def funnel(seed: int = 0) -> Training:
    """Browsed, bought and favourited courses, each event at an instant of its own."""
    rng = np.random.default_rng(seed)
    training = training_of([rng.integers(0, 9, 8).tolist() for _ in range(12)], n_items=9)
    kinds = rng.choice([BROWSE, PURCHASE, FAVOURITE], len(training.sequences.item))
    return replace(training, sequences=replace(training.sequences, kind=kinds.astype(np.int8)))


def repeated(training: Training) -> Training:
    """Every event as often as it weighs, at its instant."""
    sequences = training.sequences
    at = np.repeat(np.arange(len(sequences.item)), [TIMES[k] for k in sequences.kind])
    return replace(
        training,
        sequences=replace(
            sequences,
            offsets=np.searchsorted(at, sequences.offsets),
            item=sequences.item[at],
            time=sequences.time[at],
            kind=sequences.kind[at],
        ),
    )


def mean_times(training: Training) -> float:
    return float(np.mean([TIMES[kind] for kind in training.sequences.kind]))


def new(family: str, config: dict[str, Any], training: Training) -> Recommender:
    model: Recommender = FAMILIES[family].model(config, Context(training, 0, CPU, "fp32"))
    return model


def scored(family: str, config: dict[str, Any], training: Training) -> torch.Tensor:
    model = new(family, config, training)
    for _ in range(FAMILIES[family].epochs or 2):
        model.fit_epoch()
    return model.score(asked([0], [1, 2], [8, 3, 3]))


@given(
    half_life=st.none() | st.floats(0.01, 100),
    browse=st.sampled_from([0.0, 0.5, 1.0]),
    watch=st.sampled_from([0.25, 1.0, 7.0]),
    events=st.lists(st.tuples(st.floats(0, 50), st.sampled_from(["browse", "watch"])), max_size=6),
)
def test_weights_are_their_plain_definition(
    half_life: float | None, browse: float, watch: float, events: list[tuple[float, str]]
) -> None:
    config = TrainingWeights(
        training_fading="none" if half_life is None else "time",
        training_half_life_days=half_life,
        weight_browse=browse,
        weight_watch=watch,
    )
    time = np.array([round(day * DAY) for day, _ in events], np.int64)
    kind = np.array([KINDS.index(name) for _, name in events], np.int8)
    if events and not browse and all(name == "browse" for _, name in events):
        with pytest.raises(BadInput, match="weight_browse = 0: no training event"):
            config.weights(time, kind)
        return
    plain = []
    for day, name in events:
        age = max(when for when, _ in events) - day
        by_age = 1.0 if half_life is None else 0.5 ** (age / half_life)
        plain.append({"browse": browse, "watch": watch}[name] * by_age)
    found = config.weights(time, kind)
    if found is None:
        assert plain == pytest.approx(plain[:1] * len(plain))
    elif sum(plain) > 1e-200:  # below, the definition itself loses what little it holds
        expected = np.array(plain) / np.mean(plain)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)
    if found is not None:
        assert found.mean() == pytest.approx(1)


def test_every_event_type_has_a_weight() -> None:
    names = {name for name in TrainingWeights.model_fields if name.startswith("weight_")}
    assert names == {f"weight_{kind}" for kind in KINDS}


def test_however_short_the_half_life_some_event_weighs_something() -> None:
    config = TrainingWeights(
        training_fading="time", training_half_life_days=1e-6, weight_browse=0.0
    )
    time = np.array([0, 1, 900, 1000], np.int64) * DAY  # the last one is browsed
    found = config.weights(time, np.array([PURCHASE, PURCHASE, PURCHASE, BROWSE], np.int8))
    assert found is not None
    assert found.tolist() == [0, 0, 4, 0]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"training_fading": "time"}, "go together"),
        ({"training_half_life_days": 3.0}, "go together"),
        ({f"weight_{kind}": 0.0 for kind in KINDS}, "no weight_<type> is above 0"),
        ({"weight_watch": -1.0}, "greater than or equal to 0"),
    ],
)
def test_weights_that_say_nothing_are_refused(keys: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TrainingWeights.model_validate(keys)


@pytest.mark.parametrize("case", CONFIGS)
def test_equal_weights_change_no_bit(case: str) -> None:
    family, config = CONFIGS[case]
    as_it_was = scored(family, config, funnel())
    equal = dict.fromkeys(BY_TYPE, 2.5)
    nobodys = {"weight_comment": 4.0}
    assert torch.equal(as_it_was, scored(family, {**config, **equal}, funnel()))
    assert torch.equal(as_it_was, scored(family, {**config, **nobodys}, funnel()))


@pytest.mark.parametrize("case", CONFIGS)
@pytest.mark.parametrize(
    "weights", [BY_TYPE, {"training_fading": "time", "training_half_life_days": 2 / DAY}]
)
def test_weights_by_type_and_by_age_reach_every_family(
    case: str, weights: dict[str, object]
) -> None:
    family, config = CONFIGS[case]
    found = scored(family, {**config, **weights}, funnel())
    assert bool(found.isfinite().all())
    assert not torch.equal(found, scored(family, config, funnel()))


def two_answers() -> Training:
    """After course 0 one buys 1 and looks at 2, after course 3 the other way round."""
    mine, others = [[0, 1, 2], [0, 2, 1]] * 6, [[3, 1, 2], [3, 2, 1]] * 4
    training = training_of(others + mine, n_items=8)
    sequences = training.sequences
    bought = np.repeat([2, 1], [3 * len(others), 3 * len(mine)])
    return replace(
        training,
        sequences=replace(
            sequences,
            kind=np.where(sequences.item == bought, PURCHASE, BROWSE).astype(np.int8),
        ),
    )


@pytest.mark.parametrize("case", CONFIGS)
def test_what_was_bought_comes_before_what_was_looked_at_the_more_a_purchase_weighs(
    case: str,
) -> None:
    family, config = CONFIGS[case]
    if config.get("loss") == "als":  # with more room it gives every event its 1, whatever it weighs
        config = {**config, "factors": 2, "regularization": 1.0}
    leads = []
    for weight in (0.2, 5.0):
        model = new(family, {**config, "weight_purchase": weight}, two_answers())
        for _ in range(FAMILIES[family].epochs or 6):
            model.fit_epoch()
        of_bought, of_seen = model.score(asked([0]))[0, [1, 2]].tolist()
        leads.append(of_bought - of_seen)
    assert leads[0] < 0 < leads[1]


# BPR-max draws its negatives from the batch's targets: targets that come more often are drawn more.
DRAWN_APART = [case for case in GRADIENT if CONFIGS[case][1]["loss"] != "bpr_max"]


@pytest.mark.parametrize("case", DRAWN_APART)
def test_the_gradient_of_a_heavier_target_is_that_of_a_target_that_comes_more_often(
    case: str,
) -> None:
    family, config = CONFIGS[case]
    whole = {**config, "batch_size": 99}
    weighted, plain = (new(family, {**whole, **w}, funnel()) for w in (BY_TYPE, {}))
    assert isinstance(weighted, GradientRanker)
    assert isinstance(plain, GradientRanker)
    (batch,) = weighted.training_batches(0)
    kinds = funnel().sequences.kind[batch.target_event.numpy()]
    times = torch.tensor([TIMES[kind] for kind in kinds])
    again = replace(
        batch,
        target=batch.target.repeat_interleave(times),
        target_state=batch.target_state.repeat_interleave(times),
        target_event=batch.target_event.repeat_interleave(times),
    )
    found, expected = _step(weighted, batch), _step(plain, again)
    assert found.keys() == expected.keys()
    for name in found:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-4, atol=1e-6)


def _step(model: GradientRanker, batch: Batch) -> dict[str, torch.Tensor]:
    """The loss and its gradients, with the same draws for everybody."""
    torch.manual_seed(0)
    loss, _ = model.loss(batch)
    loss.backward()  # type: ignore[no-untyped-call]
    named = model.network.named_parameters()
    return {"loss": loss.detach()} | {n: p.grad for n, p in named if p.grad is not None}


def test_an_epochs_loss_is_the_weighted_mean_whatever_the_batches() -> None:
    family, config = CONFIGS["matrix_factorization cross_entropy"]
    still = {**config, **BY_TYPE, "learning_rate": 1e-12}
    whole, parts = (
        new(family, {**still, "batch_size": size}, funnel()).fit_epoch() for size in (99, 3)
    )
    assert whole == pytest.approx(parts, rel=1e-5)


def alike(config: dict[str, Any], training: Training) -> dict[str, Any]:
    return config


def saturating_alike(config: dict[str, Any], training: Training) -> dict[str, Any]:
    """BM25 saturates by the number of events, and weights have mean 1."""
    return {**config, "k1": config["k1"] * mean_times(training)}


@pytest.mark.parametrize(
    ("family", "config", "other"),
    [
        ("popularity", {}, alike),
        ("popularity", {"fading": "time", "half_life_days": 3 / DAY}, alike),
        ("item_knn", {"neighbours": 4, "weighting": "cosine"}, alike),
        ("item_knn", {"neighbours": 4, "weighting": "tfidf"}, alike),
        ("item_knn", {"neighbours": 4, "weighting": "bm25", "k1": 2.0, "b": 0.5}, saturating_alike),
    ],
)
def test_a_family_that_counts_takes_a_heavier_event_for_several(
    family: str,
    config: dict[str, Any],
    other: Callable[[dict[str, Any], Training], dict[str, Any]],
) -> None:
    training = funnel()
    found = scored(family, {**config, **BY_TYPE}, training)
    expected = scored(family, other(config, training), repeated(training))
    torch.testing.assert_close(found / found.sum(), expected / expected.sum())


def test_an_event_without_weight_is_no_interaction() -> None:
    training = funnel()
    sequences, kept = training.sequences, training.sequences.kind != PURCHASE
    fewer = replace(
        training,
        sequences=replace(
            sequences,
            offsets=np.concatenate(([0], np.cumsum(kept)))[sequences.offsets],
            item=sequences.item[kept],
            time=sequences.time[kept],
            kind=sequences.kind[kept],
        ),
    )
    config = {"neighbours": 4, "weighting": "tfidf"}  # counts the learners of a course
    found = scored("item_knn", {**config, "weight_purchase": 0.0}, training)
    torch.testing.assert_close(found, scored("item_knn", config, fewer))


def test_als_is_as_sure_of_a_heavier_event_as_of_several() -> None:
    training = funnel()
    config = {"loss": "als", "factors": 3, "regularization": 5.0}
    found = new("matrix_factorization", {**config, "alpha": 5.0, **BY_TYPE}, training)
    alpha = 5.0 / mean_times(training)
    expected = new("matrix_factorization", {**config, "alpha": alpha}, repeated(training))
    for model in (found, expected):
        assert isinstance(model, AlternatingLeastSquares)
        model.fit_epoch()
    torch.testing.assert_close(
        found.state()["items"], expected.state()["items"], rtol=1e-3, atol=1e-5
    )


def test_a_transition_weighs_as_the_event_that_it_leads_to() -> None:
    training = funnel()
    model = new("markov", BY_TYPE, training)
    model.fit_epoch()
    expected, counts = np.zeros((9, 9)), np.zeros(9)
    sequences, mean = training.sequences, mean_times(training)
    for first, end in zip(sequences.offsets, sequences.offsets[1:], strict=False):
        for n in range(first, end):
            times = TIMES[sequences.kind[n]] / mean
            counts[sequences.item[n]] += times
            if n > first:
                expected[sequences.item[n - 1], sequences.item[n]] += times
    popularity = counts / (counts.max() + 1)
    found = model.score(asked(*([item] for item in range(9)))).numpy()
    scores = np.where(expected > 0, 1 + expected, 0) + 1e-3 * popularity
    np.testing.assert_allclose(found, scores, rtol=1e-5)
