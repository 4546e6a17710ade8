import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studies import scores, study_with, trial_row
from worlds import experiment_of

from recsweep.config.schema import Metric
from recsweep.errors import WorkFailed
from recsweep.records.user_values import FoldValues
from recsweep.stages.select.rules import paired_standard_error, select

SAME = lambda trial: scores((0.1, 0.2), (0.3, 0.4))  # noqa: E731
ONE_ERROR = experiment_of(selection={"rule": "one_standard_error"})


def test_the_best_mean_wins_whatever_it_costs() -> None:
    study = study_with(
        trial_row(0, (0.1, 0.2), fit_seconds=1), trial_row(1, (0.3, 0.1), fit_seconds=99)
    )
    choice = select(study, SAME).families["gru"]
    assert (choice.trial, choice.epochs, choice.value) == ("gru-0001", 1, 0.3)
    assert choice.metrics["ndcg@10"] == (0.3, 0.3)


def test_where_less_is_better_the_lowest_mean_of_the_lowest_epoch_wins() -> None:
    experiment = experiment_of().model_copy(update={"metric": Metric(name="log_loss")})
    trials = (
        trial_row(0, (0.7, 0.5, 0.6), lower_is_better=True),
        trial_row(1, (0.9, 0.8), lower_is_better=True),
    )
    choice = select(study_with(*trials, experiment=experiment), SAME).families["gru"]
    assert (choice.trial, choice.epochs, choice.value) == ("gru-0000", 2, 0.5)


def test_of_equals_the_first_trial_wins() -> None:
    study = study_with(trial_row(0, (0.2,)), trial_row(1, (0.2,)))
    assert select(study, SAME).families["gru"].trial == "gru-0000"


def test_only_a_complete_trial_can_be_selected() -> None:
    study = study_with(
        trial_row(0, (0.1,)),
        trial_row(1, (0.9,), state="pruned"),
        trial_row(2, (0.8,), state="failed", reason="diverged"),
    )
    choice = select(study, SAME).families["gru"]
    assert (choice.trial, choice.candidates) == ("gru-0000", 1)


def test_a_family_without_a_complete_trial_stops_the_selection() -> None:
    study = study_with(trial_row(0, (), state="failed", reason="diverged: nan"))
    with pytest.raises(WorkFailed, match=r"gru: none of its trials is complete.*diverged: nan"):
        select(study, SAME)


SIZES = ((0.1, 10), (0.5, 100), (0.55, 1000), (0.6, 10_000))


@pytest.mark.parametrize(
    ("rule", "number"),
    [
        ({"rule": "limit", "limits": {"parameters": 1000}}, 2),
        ({"rule": "limit", "limits": {"parameters": 9999, "seconds_per_epoch": 2.5}}, 1),
        ({"rule": "knee", "against": "parameters"}, 1),
    ],
)
def test_a_rule_may_weigh_the_score_against_what_was_recorded_of_cost(
    rule: dict[str, object], number: int
) -> None:
    trials = [
        trial_row(n, (value,), parameters=size, fit_seconds=n + 1)
        for n, (value, size) in enumerate(SIZES)
    ]
    study = study_with(*trials, experiment=experiment_of(selection=rule))
    assert select(study, SAME).families["gru"].trial == f"gru-{number:04d}"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            100,
            r"gru: none of its 1 complete trials is inside of selection.limits \(parameters 50\)",
        ),
        (None, "gru-0000: nobody recorded its parameters"),
    ],
)
def test_a_family_with_nothing_inside_or_nothing_recorded_stops_the_selection(
    parameters: int | None, message: str
) -> None:
    experiment = experiment_of(selection={"rule": "limit", "limits": {"parameters": 50}})
    study = study_with(trial_row(0, (0.1,), parameters=parameters), experiment=experiment)
    with pytest.raises(WorkFailed, match=message):
        select(study, SAME)


def test_one_standard_error_takes_the_fewest_epochs_of_the_close_ones_whatever_the_clock_says() -> (
    None
):
    values = {
        "gru-0000": scores((0.5, 0.3, 0.4)),  # mean .400, the best
        "gru-0001": scores((0.2, 0.5, 0.47)),  # .390: differs by .01 with an error of .08
        "gru-0002": scores((0.1, 0.1, 0.1)),  # .100: cheap, and far off
    }
    study = study_with(
        trial_row(0, (0.2, 0.3, 0.4), fit_seconds=20),
        trial_row(1, (0.2, 0.39, 0.3), fit_seconds=30),
        trial_row(2, (0.1,), fit_seconds=1),
        experiment=ONE_ERROR,
    )
    choice = select(study, values.__getitem__).families["gru"]
    assert (choice.trial, choice.within, choice.candidates) == ("gru-0001", 2, 3)


@pytest.mark.parametrize("lower_is_better", [False, True])
def test_a_difference_of_exactly_one_error_is_close(lower_is_better: bool) -> None:
    """Trials that agree on every learner differ by 0, and the error is 0."""
    experiment = ONE_ERROR
    if lower_is_better:
        experiment = experiment.model_copy(update={"metric": Metric(name="log_loss")})
    worse = 0.3 if lower_is_better else 0.2
    rows = [
        trial_row(n, (*[worse] * before, 0.25), lower_is_better=lower_is_better)
        for n, before in enumerate((3, 1, 2))
    ]
    choice = select(study_with(*rows, experiment=experiment), SAME).families["gru"]
    assert (choice.trial, choice.within) == ("gru-0001", 3)


def test_a_small_difference_that_every_learner_shares_is_no_tie() -> None:
    values = {"gru-0000": scores((0.5, 0.3, 0.4)), "gru-0001": scores((0.49, 0.29, 0.39))}
    study = study_with(
        trial_row(0, (0.3, 0.4)),
        trial_row(1, (0.39,)),
        experiment=ONE_ERROR,
    )
    assert select(study, values.__getitem__).families["gru"].trial == "gru-0000"


def test_a_best_epoch_at_the_end_of_the_budget_has_not_converged() -> None:
    study = study_with(trial_row(0, (0.1, 0.2, 0.3)))
    assert not select(study, SAME).families["gru"].converged
    assert select(study_with(trial_row(0, (0.1, 0.3, 0.2))), SAME).families["gru"].converged


def test_a_family_of_fixed_length_has_always_converged() -> None:
    experiment = experiment_of(families={"item_knn": "x"})
    study = study_with(trial_row(0, (0.1,), family="item_knn"), experiment=experiment)
    assert select(study, SAME).families["item_knn"].converged


def test_warnings_of_edges_are_kept_with_the_choice() -> None:
    study = study_with(trial_row(0, (0.1,)))
    found = select(study, SAME, lambda family, config: (f"{family} {config['depth']}",))
    assert found.families["gru"].near_edge == ("gru 1",)


def test_the_error_of_one_fold_is_the_textbooks() -> None:
    a, b = np.array([0.5, 0.1, 0.4, 0.9]), np.array([0.2, 0.3, 0.4, 0.5])
    expected = (a - b).std() / math.sqrt(len(a))
    assert paired_standard_error(scores(a.tolist()), scores(b.tolist())) == pytest.approx(expected)


def test_the_error_of_separate_learners_adds_over_folds() -> None:
    a = [FoldValues("f", np.array([0, 1], np.int32), np.array([0.4, 0.0]))]
    b = [FoldValues("f", np.array([0, 1], np.int32), np.zeros(2))]
    one = paired_standard_error(a, b)
    other = [FoldValues("g", np.array([2, 3], np.int32), np.array([0.4, 0.0]))]
    none = [FoldValues("g", np.array([2, 3], np.int32), np.zeros(2))]
    assert paired_standard_error(a + other, b + none) == pytest.approx(one / math.sqrt(2))
    # The same learners in both folds are no new evidence.
    again = [FoldValues("g", np.array([0, 1], np.int32), np.array([0.4, 0.0]))]
    zero = [FoldValues("g", np.array([0, 1], np.int32), np.zeros(2))]
    assert paired_standard_error(a + again, b + zero) == pytest.approx(one)


def test_trials_on_different_learners_cannot_be_compared() -> None:
    with pytest.raises(WorkFailed, match="different learners"):
        paired_standard_error(
            [FoldValues("f", np.array([0], np.int32), np.zeros(1))],
            [FoldValues("f", np.array([1], np.int32), np.zeros(1))],
        )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_a_trial_is_within_an_error_of_itself(values: list[float]) -> None:
    assert paired_standard_error(scores(values), scores(values)) == 0


def test_each_family_is_selected_from_its_own_trials_alone() -> None:
    study = study_with(
        trial_row(0, (0.1, 0.2)),
        trial_row(1, (0.9,), family="lstm"),
        trial_row(2, (0.3, 0.4, 0.35)),
        experiment=experiment_of(families=["gru", "lstm"]),
    )
    found = select(study, SAME)
    assert (found.rule, found.metric) == ("best_mean", "ndcg@10")
    assert [*found.families] == ["gru", "lstm"]
    gru, lstm = found.families.values()
    assert (gru.family, gru.kind, gru.trial, gru.seed, gru.epochs) == (
        "gru",
        "gru",
        "gru-0002",
        2,
        2,
    )
    assert (gru.config, gru.near_edge) == (study.trials[2].config, ())
    assert (gru.within, gru.candidates) == (1, 2)
    assert (lstm.trial, lstm.within, lstm.candidates) == ("lstm-0001", 1, 1)


def test_one_standard_error_takes_the_better_of_equally_short_ones_and_of_equals_the_first() -> (
    None
):
    values = {"gru-0000": scores((0.5, 0.3, 0.4))} | {
        f"gru-{n:04d}": scores((0.2, 0.5, 0.47)) for n in range(1, 5)
    }
    study = study_with(
        trial_row(0, (0.2, 0.3, 0.4)),
        trial_row(1, (0.2, 0.37)),
        trial_row(2, (0.2, 0.39)),
        trial_row(3, (0.2, 0.39)),
        trial_row(4, (0.2, 0.38)),
        experiment=ONE_ERROR,
    )
    choice = select(study, values.__getitem__).families["gru"]
    assert (choice.trial, choice.within) == ("gru-0002", 5)


def test_the_reason_that_is_told_is_the_last_of_the_family_itself() -> None:
    study = study_with(
        trial_row(0, (), state="failed", reason="first"),
        trial_row(1, (), state="failed", reason="second"),
        trial_row(0, (), family="lstm", state="failed", reason="another's"),
        experiment=experiment_of(families=["gru", "lstm"]),
    )
    with pytest.raises(WorkFailed, match=r"so none can be selected; the last one: second$"):
        select(study, SAME)
    with pytest.raises(WorkFailed, match=r"so none can be selected$"):
        select(study_with(trial_row(0, (0.1,), state="pruned")), SAME)


def test_scores_of_learners_are_asked_for_only_of_complete_trials() -> None:
    asked: list[str] = []

    def values(trial: str) -> tuple[FoldValues, ...]:
        asked.append(trial)
        return scores((0.1, 0.2), (0.3, 0.4))

    study = study_with(
        trial_row(0, (0.1,)), trial_row(1, (0.2,)), trial_row(2, (0.3,), state="pruned")
    )
    select(study, values)
    assert set(asked) == {"gru-0000", "gru-0001"}


def test_an_error_over_folds_of_unequal_size_is_a_plain_loops() -> None:
    rng = np.random.default_rng(0)
    folds = [np.array([4, 7, 9], np.int32), np.array([7, 1], np.int32)]
    a, b = (
        [FoldValues(f"f{n}", users, rng.random(len(users))) for n, users in enumerate(folds)]
        for _ in range(2)
    )
    squares = 0.0
    for user in (1, 4, 7, 9):
        part = 0.0
        for x, y in zip(a, b, strict=True):
            d = x.value - y.value
            for at in range(len(d)):
                if x.user[at] == user:
                    part += (d[at] - sum(d) / len(d)) / (2 * len(d))
        squares += part**2
    assert paired_standard_error(a, b) == pytest.approx(math.sqrt(squares))
