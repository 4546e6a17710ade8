"""What is learned of treatments, and what is asked: nothing from the cut on reaches training."""

from dataclasses import replace

import numpy as np
import pytest
from purchases import CUT, log_of
from sklearn.linear_model import LogisticRegression
from treatments import treated_log, uplift_experiment, uplift_fold

from recsweep.config.schema import Experiment
from recsweep.data.clock import DAY
from recsweep.data.types import BOUGHT, KINDS, Fold, Labels, Treatments
from recsweep.errors import BadInput
from recsweep.models.cases import examples_of, labels_of
from recsweep.models.uplift import treatments_of
from recsweep.tasks.uplift.folds import _fitted


def taught(fold: Fold) -> tuple[Labels, Treatments]:
    labels = labels_of(examples_of(fold.training))
    return labels, treatments_of(labels)


def test_whatever_happens_from_the_cut_on_leaves_training_as_it_was() -> None:
    """Treatments of the window turn around, and everybody buys what they look at, or nobody."""
    events = treated_log(0)
    assert events.treated is not None
    late = events.time >= CUT * DAY
    later = replace(
        events,
        treated=np.where(late, 1 - events.treated, events.treated).astype(np.float32),
        kind=np.where(late & (np.arange(len(late)) % 3 == 0), 2, events.kind).astype(np.int8),
    )
    (before, who), (after, who_then) = taught(uplift_fold(events)), taught(uplift_fold(later))
    np.testing.assert_array_equal(before.inputs, after.inputs)
    np.testing.assert_array_equal(before.bought, after.bought)
    np.testing.assert_array_equal(who.treated, who_then.treated)
    np.testing.assert_array_equal(who.propensity, who_then.propensity)


def test_nothing_of_an_example_of_the_window_but_what_it_may_read_is_expected_of_it() -> None:
    """Its own treatment and those of others in the window have no say in what models expect."""
    events = treated_log(0)
    assert events.treated is not None
    late = events.time >= CUT * DAY
    turned = np.where(late, 1 - events.treated, events.treated).astype(np.float32)
    found = [uplift_fold(each).validation for each in (events, replace(events, treated=turned))]
    one, other = (treatments_of(labels_of(targets)) for targets in found)
    np.testing.assert_array_equal(one.treated, ~other.treated)
    for name in ("propensity", "expected", "guessed"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(labels_of(found[0]).inputs, labels_of(found[1]).inputs)


def test_looks_without_a_treatment_in_question_are_left_out_and_counted() -> None:
    events = treated_log(1)
    fold = uplift_fold(events)
    assert fold.validation.counts["no treatment in question"] > 0
    assert events.treated is not None
    whole = replace(events, treated=np.nan_to_num(events.treated))
    everything = uplift_fold(whole).validation
    left_out = fold.validation.counts["no treatment in question"]
    assert len(everything) == len(fold.validation) + left_out


def test_the_propensity_is_trainings_share_of_the_treated_unless_the_data_give_it() -> None:
    events = treated_log(2, share=0.3)
    fold = uplift_fold(events)
    known, asked = taught(fold)[1], treatments_of(labels_of(fold.validation))
    assert set(asked.propensity) == {known.treated.mean()}
    assert asked.guessed is not None
    given = replace(events, propensity=np.linspace(0.1, 0.9, len(events)))
    asked = treatments_of(labels_of(uplift_fold(given).validation))
    assert len(set(asked.propensity)) == len(asked.propensity)
    assert asked.guessed is None  # nobody has to guess


def test_a_budget_reaches_the_metrics() -> None:
    def with_budget(experiment: Experiment) -> Experiment:
        return uplift_experiment(uplift={"window_days": 2, "budget": 0.7})

    labels = labels_of(uplift_fold(treated_log(0), with_budget).validation)
    assert treatments_of(labels).budget == 0.7


@pytest.mark.parametrize(("arm", "lacking"), [(1, "untreated"), (0, "treated")])
def test_one_arm_alone_is_refused_in_one_line(arm: int, lacking: str) -> None:
    events = treated_log(0)
    assert events.treated is not None
    everybody = np.where(np.isnan(events.treated), np.nan, arm).astype(np.float32)
    with pytest.raises(BadInput, match=f"none is {lacking} and a purchase; check treatment"):
        uplift_fold(replace(events, treated=everybody))
    late = np.where(events.time >= CUT * DAY, everybody, events.treated).astype(np.float32)
    with pytest.raises(BadInput, match="some must be treated, some must not"):
        uplift_fold(replace(events, treated=late))


@pytest.mark.parametrize(
    ("buy", "told"),
    [
        ({(True, 0), (True, 1), (False, 0)}, "none is treated and no purchase"),
        ({(True, 0), (False, 0), (False, 1)}, "none is untreated and no purchase"),
        ({(True, 0)}, "none is untreated and a purchase"),
        ({(False, 0)}, "none is treated and a purchase"),
    ],
)
def test_each_arm_needs_both_answers(buy: set[tuple[bool, int]], told: str) -> None:
    """Forty learners look once, the odd ones treated; some quarters of them buy the day after."""
    looks = [(n, n % 5, 10.0 + n, "browse") for n in range(40)]
    quarters = [n for n in range(40) if (bool(n % 2), n // 2 % 2) in buy]
    bought = [(n, n % 5, 11.0 + n, "purchase") for n in quarters]
    events = log_of([*looks, *bought])
    treated = np.where(events.kind == 0, events.user % 2, np.nan).astype(np.float32)
    with pytest.raises(BadInput, match=f"of 40 examples to learn from {told}"):
        uplift_fold(replace(events, treated=treated))


def test_what_is_expected_of_an_example_are_logistic_regressions_on_each_arm_of_training() -> None:
    fold = uplift_fold(treated_log(3, share=0.4))
    labels, known = taught(fold)
    asked = labels_of(fold.validation)
    found = treatments_of(asked)

    def regressed(rows: np.ndarray, yes: np.ndarray) -> np.ndarray:
        line = LogisticRegression(solver="newton-cholesky", max_iter=200)
        line.fit(labels.inputs[rows].astype(float), yes[rows])
        return np.asarray(line.predict_proba(asked.inputs.astype(float))[:, 1])

    assert found.expected is not None
    assert found.guessed is not None
    np.testing.assert_allclose(found.expected[:, 0], regressed(~known.treated, labels.bought))
    np.testing.assert_allclose(found.expected[:, 1], regressed(known.treated, labels.bought))
    everybody = np.ones(len(known.treated), bool)
    np.testing.assert_allclose(found.guessed, regressed(everybody, known.treated))


def test_without_an_input_the_share_of_an_arm_is_expected() -> None:
    labels, known = taught(uplift_fold(treated_log(3)))
    found = _fitted(labels, known.treated, labels.bought, np.zeros((3, 0), np.float32))
    np.testing.assert_allclose(found, [labels.bought[known.treated].mean()] * 3)


def test_a_propensity_that_the_data_give_is_taken_where_every_example_has_one() -> None:
    events = treated_log(2)
    given = np.linspace(0.1, 0.9, len(events))
    fold = uplift_fold(replace(events, propensity=given))
    of_time = dict(zip(events.time.tolist(), given.tolist(), strict=True))
    for targets in (examples_of(fold.training), fold.validation):
        found = treatments_of(labels_of(targets)).propensity
        assert found.tolist() == [of_time[time] for time in targets.time.tolist()]
    gap = np.where(events.time == fold.validation.time[0], np.nan, given)
    holed = uplift_fold(replace(events, propensity=gap))
    asked = treatments_of(labels_of(holed.validation))
    learned = treatments_of(labels_of(examples_of(holed.training)))
    assert set(asked.propensity) == {learned.treated.mean()}
    assert set(learned.propensity) != set(asked.propensity)  # training had one for each


def test_the_treated_are_counted_and_nothing_is_said_of_those_that_all_had_a_treatment() -> None:
    events = treated_log(0)
    assert events.treated is not None
    fold = uplift_fold(events)
    treated = treatments_of(labels_of(fold.validation)).treated
    assert fold.validation.counts["treated"] == treated.sum()
    of_time = dict(zip(events.time.tolist(), (events.treated == 1).tolist(), strict=True))
    assert treated.tolist() == [of_time[time] for time in fold.validation.time.tolist()]
    whole = uplift_fold(replace(events, treated=np.nan_to_num(events.treated)))
    assert "no treatment in question" not in whole.validation.counts
    assert len(fold.validation.histories.features) == len(set(fold.validation.sequence))
    assert labels_of(fold.validation).price is None


@pytest.mark.parametrize("lacking", ["purchases", "treated", "untreated"])
def test_a_window_needs_both_arms_and_a_purchase(lacking: str) -> None:
    events = treated_log(0)
    assert events.treated is not None
    late = events.time >= CUT * DAY
    arm = {"treated": 0, "untreated": 1}.get(lacking)
    if arm is not None:
        events = replace(
            events,
            treated=np.where(late & ~np.isnan(events.treated), arm, events.treated).astype(
                np.float32
            ),
        )
    else:
        kind = np.where(late & (events.kind == BOUGHT), KINDS.index("comment"), events.kind)
        events = replace(events, kind=kind.astype(np.int8))
    told = {
        "purchases": r"\d+ are treated and 0 are purchases",
        "treated": r" 0 are treated and \d+ are purchases",
        "untreated": r"of (\d+) examples in its window \1 are treated and",
    }[lacking]
    with pytest.raises(BadInput, match=f"^fold0: .*{told}.*check treatment, or raise folds.valid"):
        uplift_fold(events)
