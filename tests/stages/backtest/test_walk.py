"""Who is fitted and who answers at each step; what the answers come to."""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from worlds import experiment_of

from recsweep.errors import BadInput
from recsweep.stages.backtest import walk as module
from recsweep.stages.backtest.fits import Answered, Fit, Fitted, Ground
from recsweep.stages.backtest.judge import Scores, means, over_steps, scores_of, verdicts
from recsweep.stages.backtest.walk import _place, walk

OLD = {"memory": 3}


def found(config: dict[str, int], epochs: int) -> Any:
    return SimpleNamespace(choice=SimpleNamespace(config=config, epochs=epochs))


def test_what_was_known_already_is_fitted_once() -> None:
    fits = [Fit(0, OLD, 2, (0, 1)), Fit(1, OLD, 2, (1,))]
    assert [_place(step, found(OLD, 2), fits) for step in (0, 1)] == [0, 1]
    assert len(fits) == 2


@pytest.mark.parametrize(("config", "epochs"), [({"memory": 4}, 2), (OLD, 3)])
def test_another_configuration_or_another_length_is_one_fit_more(
    config: dict[str, int], epochs: int
) -> None:
    fits = [Fit(0, OLD, 2, (0, 1)), Fit(1, OLD, 2, (1,))]
    assert _place(1, found(config, epochs), fits) == 2
    assert fits[2] == Fit(1, config, epochs, (1,))


WINDOWS = ((0, 10), (10, 20), (20, 30))
BEST: Any = SimpleNamespace(config=OLD, epochs=2)
USERS = np.array([0, 0, 1, 3], np.int32)


def ground(**changes: object) -> Ground:
    experiment = experiment_of(confirm={"resamples": 1000}, **changes)
    return Ground(None, experiment, "markov", WINDOWS, (0, 1))  # type: ignore[arg-type]


def answer(fit: int, step: int) -> Answered:
    """Of two seeds; what the fit of one step says of that step and of others."""
    values = np.random.default_rng(10 * fit + step).random((2, 4))
    return Answered(USERS + step % 2, np.array([3, 4, 5, 6]) + 10 * step, values)


def walked(
    monkeypatch: pytest.MonkeyPatch,
    known: Mapping[int, Any] | None = None,
    lacking: Sequence[tuple[int, int]] = (),
    reason: str | None = None,
    of: Callable[[int, int], Answered] = answer,
    **changes: Any,
) -> tuple[list[Fit], dict[str, Any]]:
    """The fits that were asked for, and what was found; some answers are lacking."""
    seen: list[Fit] = []

    def fit_all(fits: list[Fit], shared: Ground, on_end: Any) -> list[Fitted]:
        assert on_end == "told"
        assert shared.windows == WINDOWS
        seen.extend(fits)
        return [
            Fitted(
                fit,
                {step: of(n, step) for step in fit.asked if (n, step) not in lacking},
                reason if n == 2 else None,
                float(n + 1),
            )
            for n, fit in enumerate(fits)
        ]

    monkeypatch.setattr(module, "fit_all", fit_all)
    return seen, walk(BEST, ground(**changes), known or {}, "told")  # type: ignore[arg-type]


def told(fits: Mapping[str, int], step: int) -> Scores:
    """Of arms by the fits that answer for them."""
    scores = scores_of({arm: answer(n, step) for arm, n in fits.items()}, experiment_of())  # type: ignore[misc]
    assert scores is not None
    return scores


def test_the_first_model_answers_every_step_and_each_refit_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fits, record = walked(monkeypatch)
    assert fits == [Fit(0, OLD, 2, (0, 1, 2)), Fit(1, OLD, 2, (1,)), Fit(2, OLD, 2, (2,))]
    experiment, each = ground().experiment, [told({"never": 0, "refit": n}, n) for n in range(3)]
    whole = over_steps(each)
    assert (record["learners"], record["targets"]) == (5, 12)
    assert (record["empty"], record["left_out"]) == (0, 0)
    assert record["scores"] == means(whole, experiment)
    assert record["pairs"] == verdicts(whole, experiment)
    assert record["fit_seconds"] == {"never": 1.0, "refit": 2.0}
    assert [(s.number, s.start, s.end) for s in record["steps"]] == [
        (0, 0, 10), (1, 10, 20), (2, 20, 30)
    ]  # fmt: skip
    for step, scores in zip(record["steps"], each, strict=True):
        assert (step.learners, step.targets, step.unknown) == (3, 4, 0)
        assert step.scores == means(scores, experiment)
        assert step.pairs == verdicts(scores, experiment, among=3)
        assert (step.found, step.epochs) == (None, None)
    assert record["steps"][0].pairs == ()  # there the two are the same model


def test_what_a_search_found_is_an_arm_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    new = {"memory": 5}
    known = {0: found(OLD, 2), 1: found(new, 3), 2: found(OLD, 2)}
    fits, record = walked(monkeypatch, known)
    assert fits[3:] == [Fit(1, new, 3, (1,))]
    assert record["fit_seconds"] == {"never": 1.0, "refit": 2.0, "search": (1 + 4 + 3) / 3}
    assert [(step.found, step.epochs) for step in record["steps"]] == [(OLD, 2), (new, 3), (OLD, 2)]
    middle = told({"never": 0, "refit": 1, "search": 3}, 1)
    assert record["steps"][1].scores == means(middle, ground().experiment)


def test_a_step_without_targets_is_counted_and_what_the_old_model_lacks_is_its_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, record = walked(monkeypatch, lacking=[(1, 1), (0, 2)])
    assert [step.number for step in record["steps"]] == [0, 2]
    assert record["empty"] == 1
    last = record["steps"][1]
    assert (last.scores["never"], last.unknown) == (0.0, 4)
    assert (last.start, last.end) == WINDOWS[2]
    assert record["targets"] == 8


def test_of_a_metric_without_a_worst_value_what_the_old_model_lacks_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = answer(1, 1)
    fewer = Answered(other.user[1:], other.time[1:], other.values[:, 1:])

    def lacking(fit: int, step: int) -> Answered:
        return fewer if (fit, step) == (0, 1) else answer(fit, step)

    _, record = walked(monkeypatch, of=lacking, task="purchase", metric={"name": "log_loss"})
    assert (record["targets"], record["left_out"]) == (11, 1)


def test_fewer_than_two_steps_are_refused_with_the_first_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(BadInput, match=r"^1 of 3 steps can be scored.*\(nothing there\); give"):
        walked(monkeypatch, lacking=[(1, 1), (2, 2)], reason="nothing there")
    with pytest.raises(BadInput, match=r"^0 of 3 steps .*\(too few targets\)"):
        walked(monkeypatch, lacking=[(0, 0), (1, 1), (2, 2)])
    _, two = walked(monkeypatch, lacking=[(1, 1)])
    assert len(two["steps"]) == 2
