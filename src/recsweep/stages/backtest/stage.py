"""The verb `backtest`: how long does a best configuration stay best, and how long do its weights?

The sealed test's period is walked through in steps. Nothing of it chose the configuration, so it is
the one period that can say this; it must have been opened by `confirm` before, and the opening is
booked. At each step, every arm knows what happened before the step and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recsweep.config.digest import json_sha256
from recsweep.config.schema import Decides, Experiment, deciding, is_additive
from recsweep.data.sealed import unseal
from recsweep.errors import BadInput
from recsweep.models.registry import families_of
from recsweep.records.backtest import Backtest, backtest_path, read_backtest
from recsweep.records.checked import write_record
from recsweep.records.environment import PACKAGE, code_version, environment
from recsweep.records.lock import study_lock
from recsweep.records.openings import Opened, record_opening
from recsweep.records.selection import read_best
from recsweep.reporting.backtest.page import check_language, write_backtest_page
from recsweep.stages.backtest.fits import Ground, OnFit
from recsweep.stages.backtest.searches import Found, search_at, space_with
from recsweep.stages.backtest.steps import steps_of
from recsweep.stages.backtest.walk import walk
from recsweep.stages.confirm.estimates import LEVEL
from recsweep.stages.confirm.searches import REFITS_FROM
from recsweep.stages.recorded import check_configuration, confirmed, recorded_data, unconfirmed
from recsweep.tracking.events import Listener


@dataclass(frozen=True, slots=True)
class Backtested:
    """What `backtest_stage` gives back."""

    backtest: Backtest
    experiment: Experiment  # of the family alone
    page: Path
    fitted: bool  # False: nothing had changed, and nothing was trained


def backtest_stage(
    path: Path,
    root: Path,
    *,
    every: str = "7d",
    trials: int | None = None,
    lang: str = "en",
    listeners: Sequence[Listener] = (),
    on_end: OnFit = lambda fit, done, total, seconds_left: None,
) -> Backtested:
    """Walk a best configuration through the sealed test's period, or read the record where no input
    has changed.

    Args:
        path: `results/<study>/best/<family>.yaml`.
        root: where `data/` is, or will be.
        every: a step, such as `12h`, `7d` or `2w`.
        trials: of a search at every step; None: nothing is searched.
        lang: of the page.
        listeners: told of those searches.
        on_end: told of every configuration that was fitted, with all its seeds.

    Raises:
        BadInput: a file or key that can't be used, a study that isn't cut by the clock or whose
            verdicts are not out, or steps that don't fit its test.
        WorkFailed: the data differ from the record, or a refit diverged.
    """
    check_language(lang)
    best, folder = read_best(path), path.parent.parent
    check_configuration(best, path)
    experiment = best.experiment.of_family(best.family)
    _check(experiment, path)
    if confirmed(best, folder) is None:
        raise unconfirmed(best, folder)
    dataset = recorded_data(best, root)
    windows = steps_of(dataset.cuts.test, every)
    record = backtest_path(folder, best.family, every)
    inputs = json_sha256(
        {
            "fingerprint": dataset.fingerprint,
            "experiment": deciding(experiment, Decides.CONFIRMATION),
            "opened": Opened.of(best).model_dump(mode="json"),
            "every": every,
            "trials": trials,
        }
    )
    before = read_backtest(record)
    if before is not None and before.inputs == inputs:
        page = write_backtest_page(before, experiment, record, lang)
        return Backtested(before, experiment, page, fitted=False)
    with study_lock(folder, "backtest"):
        space = None if trials is None else space_with(best, folder)
        now = environment(experiment.resources)
        code, mine = code_version(PACKAGE), {best.family: Opened.of(best)}
        record_opening(folder, "backtest", code, dataset.fingerprint, mine)
        random = families_of(experiment.task)[best.kind].random
        runs = range(experiment.confirm.seeds if random else 1)
        seeds = tuple(experiment.seed + REFITS_FROM + n for n in runs)
        ground = Ground(unseal(dataset), experiment, best.kind, windows, seeds)
        found: dict[int, Found] = {}
        if trials is not None and space is not None:
            searches = record.parent / f"{best.family}-searches" / f"{trials}-trials"
            for step, (moment, _) in enumerate(windows):
                place = searches / str(moment)
                found[step] = search_at(
                    moment, step, trials, best, space, ground.dataset, place, listeners
                )
        backtest = Backtest(
            study=best.study,
            family=best.family,
            kind=best.kind,
            trial=best.trial,
            config=best.config,
            metric=experiment.metric.key,
            unit=experiment.data.unit,
            every=every,
            trials=trials,
            seeds=seeds,
            level=LEVEL,
            smallest_effect=experiment.confirm.smallest_effect,
            search_seconds=sum(each.seconds for each in found.values()) if found else None,
            dataset=best.data.dataset,
            fingerprint=dataset.fingerprint,
            inputs=inputs,
            environment=now,
            **walk(best, ground, found, on_end),
        )
        write_record(record, backtest)
    page = write_backtest_page(backtest, experiment, record, lang)
    return Backtested(backtest, experiment, page, fitted=True)


def _check(experiment: Experiment, path: Path) -> None:
    rule, metric = experiment.folds, experiment.metric.key
    if not (rule.in_time and experiment.data.timed):
        cut = "the order of rows" if rule.in_time else f"folds.rule {rule.rule}"
        raise BadInput(f"{path}: its study is cut by {cut}; a backtest needs data cut by the clock")
    if not is_additive(metric):
        raise BadInput(
            f"{path}: {metric} of the learners of one step means nothing; a backtest needs a "
            "metric that is a mean over learners"
        )
