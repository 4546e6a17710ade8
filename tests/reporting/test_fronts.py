from collections.abc import Callable
from dataclasses import replace

from recsweep.records.selection import Selection
from recsweep.records.study import Study, TrialRow
from recsweep.reporting.charts.fronts import fronts
from recsweep.reporting.view import View

FAMILIES = {"gru": "gru", "item_knn": "item_knn"}


def sized(trial: TrialRow, parameters: int) -> TrialRow:
    first, *rest = trial.epochs
    return replace(trial, epochs=(replace(first, parameters=parameters), *rest))


def test_a_front_has_the_complete_trials_that_no_other_of_the_family_beats(
    make_study: Callable[..., Study], selection_of: Callable[[Study], Selection]
) -> None:
    study = make_study(trials=4, families=FAMILIES)
    complete = [t for t in study.trials if t.state == "complete"]
    best = max((t for t in complete if t.family == "gru"), key=lambda t: t.value or 0)
    sizes = {t.id: 10 if t is best else 20 for t in study.trials}
    study = replace(study, trials=tuple(sized(t, sizes[t.id]) for t in study.trials))
    drawn = fronts(View(study, selection_of(study), "en"))
    assert set(drawn) == {"parameters", "seconds_per_epoch"}
    assert f'data-points="10,{best.value:.7g}"' in drawn["parameters"]  # it dominates its family


def test_what_a_family_has_no_record_of_is_not_drawn(
    make_study: Callable[..., Study], selection_of: Callable[[Study], Selection]
) -> None:
    study = make_study(trials=4, families=FAMILIES)
    some = tuple(sized(t, t.number + 1) if t.family == "gru" else t for t in study.trials)
    study = replace(study, trials=some)
    assert "parameters" not in fronts(View(study, selection_of(study), "en"))
