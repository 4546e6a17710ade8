"""Earlier studies in a family's Optuna study: kept with it, their best tried first."""

from collections.abc import Sequence
from itertools import zip_longest

import optuna

from recsweep.config.values import Value
from recsweep.records.earlier import EARLIER, EarlierStudy, EarlierTrial
from recsweep.spaces.space import Space

KEY = "earlier"
"""The user attribute. It is a string, since Optuna copies attributes, deep, at every look."""

BEST = 3
"""Configurations of earlier studies that are tried before the sampler's own; more, where there are
more studies: one of each."""


def keep(study: optuna.Study, earlier: Sequence[EarlierStudy]) -> None:
    """Record them, before the first trial: a resume and a replay take them from here."""
    if earlier:
        study.set_user_attr(KEY, EARLIER.dump_json(tuple(earlier)).decode())


def kept(study: optuna.Study) -> tuple[EarlierStudy, ...]:
    """The inverse of `keep`."""
    text = study.user_attrs.get(KEY)
    return () if text is None else EARLIER.validate_json(text)


def first_configurations(
    space: Space, earlier: Sequence[EarlierStudy], lower_is_better: bool
) -> list[dict[str, Value]]:
    """What is tried first, without the fixed values: the defaults, then the best of each earlier
    study in turn, then the space's other first trials that no earlier study completed.
    """
    defaults, *others = space.first().values()
    ranked = [_best_first(study, lower_is_better) for study in earlier]
    known = [trial.params for trials in ranked for trial in trials]
    found = [defaults]
    for trial in (t for ranks in zip_longest(*ranked) for t in ranks if t is not None):
        if len(found) > max(BEST, len(earlier)):
            break
        if trial.params not in found:
            found.append(dict(trial.params))
    return [*found, *(config for config in others if config not in known)]


def _best_first(study: EarlierStudy, lower_is_better: bool) -> list[EarlierTrial]:
    complete = [trial for trial in study.trials if trial.state == "complete"]
    return sorted(complete, key=lambda t: score(t, lower_is_better), reverse=not lower_is_better)


def score(trial: EarlierTrial, lower_is_better: bool) -> float:
    """Of its best epoch."""
    return (min if lower_is_better else max)(trial.values.values())
