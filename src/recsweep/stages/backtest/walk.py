"""Every arm's fits, each made once, and what they say step by step and together."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recsweep.errors import BadInput
from recsweep.records.backtest import Arm, Step
from recsweep.records.selection import BestFile
from recsweep.stages.backtest.fits import Fit, Fitted, Ground, OnFit, fit_all
from recsweep.stages.backtest.judge import Scores, means, over_steps, scores_of, verdicts
from recsweep.stages.backtest.searches import Found


def walk(
    best: BestFile, ground: Ground, found: Mapping[int, Found], on_end: OnFit
) -> dict[str, Any]:
    """What a backtest found, under the names that the record has for it.

    Raises:
        BadInput: fewer than two steps in which anything can be asked.
        WorkFailed: a refit diverged, or a process was killed.
    """
    experiment, every = ground.experiment, range(len(ground.windows))
    # At the first step, never refitting and refitting are the same model.
    fits = [Fit(n, best.config, best.epochs, (n,) if n else tuple(every)) for n in every]
    places: dict[Arm, list[int]] = {"never": [0 for _ in every], "refit": list(every)}
    if found:
        places["search"] = [_place(n, found[n], fits) for n in every]
    fitted = fit_all(fits, ground, on_end)
    arms = {arm: [fitted[n] for n in of] for arm, of in places.items()}
    steps = {n: scores for n in every if (scores := _scores(arms, n, ground)) is not None}
    if len(steps) < 2:
        reason = next((each.reason for each in arms["refit"] if each.reason), "too few targets")
        raise BadInput(
            f"{len(steps)} of {len(every)} steps can be scored, and two are needed ({reason}); "
            "give a longer --every"
        )
    whole = over_steps(list(steps.values()))
    return {
        "steps": tuple(_step(n, steps, ground, found.get(n)) for n in steps),
        "empty": len(every) - len(steps),
        "learners": len(np.unique(whole.user)),
        "targets": len(whole.user),
        "left_out": whole.left_out,
        "scores": means(whole, experiment),
        "pairs": verdicts(whole, experiment),
        "fit_seconds": {arm: float(np.mean([f.seconds for f in of])) for arm, of in arms.items()},
    }


def _place(step: int, found: Found, fits: list[Fit]) -> int:
    """Where the fit of what was found is among `fits`; put there if it isn't the old one."""
    choice = found.choice
    same = fits[step].config == choice.config and fits[step].epochs == choice.epochs
    if same:
        return step
    fits.append(Fit(step, choice.config, choice.epochs, (step,)))
    return len(fits) - 1


def _scores(arms: Mapping[Arm, list[Fitted]], step: int, ground: Ground) -> Scores | None:
    answers = {arm: of[step].answers.get(step) for arm, of in arms.items()}
    return None if answers["refit"] is None else scores_of(answers, ground.experiment)


def _step(number: int, steps: Mapping[int, Scores], ground: Ground, found: Found | None) -> Step:
    scores, (start, end) = steps[number], ground.windows[number]
    return Step(
        number=number,
        start=start,
        end=end,
        learners=len(np.unique(scores.user)),
        targets=len(scores.user),
        unknown=scores.unknown,
        scores=means(scores, ground.experiment),
        pairs=verdicts(scores, ground.experiment, among=len(steps)),
        found=None if found is None else found.choice.config,
        epochs=None if found is None else found.choice.epochs,
    )
