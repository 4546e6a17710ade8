"""What every family of the task `purchase` must do, whatever it is made of."""

from dataclasses import replace

import numpy as np
import pytest
from purchase_families import CONFIGS, CPU, GRADIENT_CASES, PURCHASE_FAMILIES
from purchases import fold_of, random_log
from resuming import undisturbed_and_resumed
from sklearn.ensemble import HistGradientBoostingClassifier

from recsweep.data.types import UNKNOWN, Fold, Targets
from recsweep.evaluation.probability import log_losses
from recsweep.models.cases import CaseBook
from recsweep.models.protocol import Classifier, Context, Portrayable

every_case = pytest.mark.parametrize("case", CONFIGS)


@pytest.fixture(scope="module")
def fold() -> Fold:
    return fold_of(random_log(3, users=60))


def build(case: str, fold: Fold, seed: int = 0) -> Classifier:
    kind, config = CONFIGS[case]
    model: Classifier = PURCHASE_FAMILIES[kind].model(
        config, Context(fold.training, seed, CPU, "fp32")
    )
    return model


def fitted(case: str, fold: Fold, epochs: int = 6, seed: int = 0) -> Classifier:
    model = build(case, fold, seed)
    for _ in range(PURCHASE_FAMILIES[CONFIGS[case][0]].epochs or epochs):
        model.fit_epoch()
    return model


def asked(model: Classifier, fold: Fold, targets: Targets | None = None) -> np.ndarray:
    return model.probability(CaseBook(targets or fold.validation, fold.n_items, CPU))


def test_every_family_is_put_to_the_test() -> None:
    assert {kind for kind, _ in CONFIGS.values()} == set(PURCHASE_FAMILIES)


@pytest.mark.parametrize("case", GRADIENT_CASES)
def test_a_restored_checkpoint_goes_on_bit_for_bit(
    case: str, fold: Fold, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, config = CONFIGS[case]
    monkeypatch.setitem(CONFIGS, case, (kind, config | {"dropout": 0.3}))
    undisturbed_and_resumed(lambda: build(case, fold))


@every_case
def test_what_is_in_the_data_is_learned(case: str, fold: Fold) -> None:
    labels = fold.validation.labels
    assert labels is not None
    losses, model = [], build(case, fold)
    for _ in range(PURCHASE_FAMILIES[CONFIGS[case][0]].epochs or 6):
        model.fit_epoch()
        losses.append(log_losses(asked(model, fold), labels.bought).mean())
    loss = min(losses)  # with so little data some overfit soon
    floor = log_losses(asked(fitted("base_rate", fold), fold), labels.bought).mean()
    if case == "base_rate":
        assert loss == floor
    elif case not in {"logistic_regression", "gradient_boosting"}:
        assert loss < floor - 0.02  # even courses are bought: courses' ids tell
    else:
        assert loss < floor + 0.05


@every_case
def test_probabilities_are_probabilities_of_every_example(case: str, fold: Fold) -> None:
    found = asked(fitted(case, fold, 1), fold)
    assert found.shape == (len(fold.validation),)
    assert ((found > 0) & (found < 1)).all()


@every_case
def test_a_saved_state_answers_the_same(case: str, fold: Fold) -> None:
    model, other = fitted(case, fold, 2), build(case, fold, seed=9)
    other.load_state(model.state())
    np.testing.assert_array_equal(asked(model, fold), asked(other, fold))


@every_case
def test_the_same_seed_gives_the_same_model_and_asking_changes_nothing(
    case: str, fold: Fold
) -> None:
    first, second = build(case, fold), build(case, fold)
    for _ in range(PURCHASE_FAMILIES[CONFIGS[case][0]].epochs or 3):
        first.fit_epoch()
        second.fit_epoch()
        asked(second, fold)
    np.testing.assert_array_equal(asked(first, fold), asked(second, fold))


@every_case
def test_nothing_past_an_examples_length_reaches_its_probability(case: str, fold: Fold) -> None:
    model, targets = fitted(case, fold, 2), fold.validation
    at = int(np.flatnonzero(targets.length > 3)[0])
    one = targets.at(np.array([at]))
    histories = one.histories
    changed = histories.item.copy()
    start = histories.offsets[one.sequence[0]] + one.length[0]
    end = histories.offsets[one.sequence[0] + 1]
    changed[start:end] = (changed[start:end] + 1) % fold.n_items
    other = replace(targets, histories=replace(histories, item=changed))
    # Asked with all others, so that longer histories stand in the same row.
    assert asked(model, fold)[at] == asked(model, fold, other)[at]


@every_case
def test_an_unknown_course_and_an_empty_history_get_a_probability(case: str, fold: Fold) -> None:
    n = len(fold.validation)
    cold = replace(
        fold.validation,
        item=np.full(n, UNKNOWN, np.int32),
        length=np.zeros(n, np.int32),
    )
    assert np.isfinite(asked(fitted(case, fold, 1), fold, cold)).all()


@pytest.mark.parametrize("case", ["gru", "lstm"])
def test_recurrent_families_read_the_order_of_a_history(case: str, fold: Fold) -> None:
    model, histories = fitted(case, fold, 3), fold.validation.histories
    turned = replace(histories, item=histories.item[::-1].copy())
    other = replace(fold.validation, histories=turned)
    assert not np.allclose(asked(model, fold), asked(model, fold, other))


@every_case
def test_a_family_says_whether_it_has_a_state_of_a_learner(case: str, fold: Fold) -> None:
    portrays = PURCHASE_FAMILIES[CONFIGS[case][0]].portrays
    assert isinstance(build(case, fold), Portrayable) == portrays


@pytest.mark.parametrize("case", GRADIENT_CASES)
def test_every_learner_has_a_vector_whoever_stands_beside_them(case: str, fold: Fold) -> None:
    model, whole = fitted(case, fold, 2), fold.training.sequences
    assert isinstance(model, Portrayable)
    some = np.flatnonzero(np.diff(whole.offsets))
    assert len(some) == len(whole)
    found = model.learner_vectors(whole)
    assert len(found) == len(whole)
    assert np.isfinite(found).all()
    assert np.array_equal(found, model.learner_vectors(whole))
    end = whole.offsets[1]
    first = replace(
        whole,
        user=whole.user[:1],
        offsets=whole.offsets[:2],
        item=whole.item[:end],
        time=whole.time[:end],
        kind=whole.kind[:end],
        features=whole.features[:1],
    )
    np.testing.assert_allclose(model.learner_vectors(first)[0], found[0], rtol=1e-5, atol=1e-5)


def test_trees_answer_as_the_library_does(fold: Fold) -> None:
    examples = fold.training.examples
    assert examples is not None
    assert examples.labels is not None
    assert fold.validation.labels is not None
    library = HistGradientBoostingClassifier(
        learning_rate=0.1, max_iter=20, max_leaf_nodes=7, min_samples_leaf=5,
        early_stopping=False, random_state=0,
    )  # fmt: skip
    library.fit(examples.labels.inputs, examples.labels.bought)
    expected = library.predict_proba(fold.validation.labels.inputs)[:, 1]
    found = asked(fitted("gradient_boosting", fold), fold)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("case", [c for c in PURCHASE_FAMILIES if not PURCHASE_FAMILIES[c].random])
def test_families_that_are_called_deterministic_are(case: str, fold: Fold) -> None:
    first, second = (asked(fitted(case, fold, seed=seed), fold) for seed in (0, 1))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("case", ["gru", "lstm", "gru both ways"])
def test_the_dwell_of_a_historys_events_reaches_the_probability(case: str, fold: Fold) -> None:
    def with_dwell(targets: Targets, sign: float) -> Targets:
        dwell = np.sin(np.arange(len(targets.histories.item)))[:, None] * sign
        timed = replace(targets.histories, event_features=dwell.astype(np.float32))
        return replace(targets, histories=timed)

    examples = fold.training.examples
    assert examples is not None
    training = replace(
        fold.training, examples=with_dwell(examples, 1), event_columns=("event.dwell",)
    )
    model = fitted(case, replace(fold, training=training), epochs=2)
    one, other = (
        model.probability(CaseBook(with_dwell(fold.validation, sign), fold.n_items, CPU))
        for sign in (1, -1)
    )
    assert np.isfinite(one).all()
    assert not np.array_equal(one, other)
