"""What is learned of treatments, and what is asked: nothing from the cut on reaches training."""

from dataclasses import replace

import numpy as np
import pytest
from purchases import CUT, log_of
from treatments import treated_log, uplift_experiment, uplift_fold

from recsweep.config.schema import Experiment
from recsweep.data.clock import DAY
from recsweep.data.types import Fold, Labels, Treatments
from recsweep.errors import BadInput
from recsweep.models.cases import examples_of, labels_of
from recsweep.models.uplift import treatments_of


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
