"""A sampler sees a study's other trials, and nothing else of it changes."""

from collections.abc import Sequence
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from recsweep.search.shown import ShownStudy

DONE = create_trial(value=1.0)
PRUNED = create_trial(state=TrialState.PRUNED, intermediate_values={1: 0.5})


class WithPruned(ShownStudy):
    """Shows one trial more."""

    def shown(self, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        return [*trials, PRUNED]


def shown() -> WithPruned:
    study = optuna.create_study()
    study.add_trial(DONE)
    return WithPruned(study)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (None, [TrialState.COMPLETE, TrialState.PRUNED]),
        ((TrialState.PRUNED,), [TrialState.PRUNED]),
        ((TrialState.COMPLETE, TrialState.FAIL), [TrialState.COMPLETE]),
        ((), []),
    ],
)
def test_trials_are_those_that_are_shown_in_the_states_that_are_asked_for(
    states: Sequence[TrialState] | None, expected: list[TrialState]
) -> None:
    assert [trial.state for trial in shown()._get_trials(states=states)] == expected


def test_a_sampler_gets_copies_unless_it_does_without() -> None:
    study = shown()
    assert study._get_trials()[-1] is not PRUNED
    assert study._get_trials(deepcopy=False)[-1] is PRUNED


def test_all_else_is_the_studys_own() -> None:
    study = shown()
    assert study.direction == optuna.study.StudyDirection.MINIMIZE
    assert study.best_value == 1.0
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = study.no_such_thing


def test_trials_are_read_afresh_unless_a_sampler_says_that_old_ones_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study, asked = shown(), list[dict[str, Any]]()

    def get(deepcopy: bool, **named: Any) -> list[FrozenTrial]:
        asked.append(named)
        return []

    monkeypatch.setattr(study._study, "_get_trials", get)
    study._get_trials(states=(TrialState.COMPLETE,))
    study._get_trials(use_cache=True)
    assert asked == [{"states": None, "use_cache": cached} for cached in (False, True)]
