"""A study's search, and the same search begun again with other seeds.

One search picks one configuration a family, by luck as well as by merit. A verdict on families
needs the luck of several: each repetition has the study's spaces, folds and budget, and draws
other configurations, weights and batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recsweep.config.schema import Experiment
from recsweep.records.confirmation_files import read_confirmation
from recsweep.records.ensemble import entrants
from recsweep.records.files import read_study
from recsweep.records.openings import Opened
from recsweep.records.study import Study
from recsweep.search.storage import kept_earlier
from recsweep.stages.recorded import bound_spaces
from recsweep.stages.select.stage import choose, select_stage
from recsweep.stages.sweep.stage import Inputs, searched_data, sweep
from recsweep.tasks.folds import development_folds
from recsweep.tracking.events import Listener

SEEDS_APART = 10_000
"""Between the seeds of two searches: more than a study has trials and refits."""
REFITS_FROM = 9_000
"""Of these, refits take seeds from here on: trials count from 0, and a refit with the seed of the
trial that was selected would repeat the luck that it was selected for."""


@dataclass(frozen=True, slots=True)
class Search:
    """What one search found."""

    study: Study
    selected: dict[str, Opened]  # family -> what goes to the test

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the refits: the same for every family, others than any trial's, others in every
        search.
        """
        experiment = self.study.experiment
        first = experiment.seed + REFITS_FROM
        return tuple(first + n for n in range(experiment.confirm.seeds))


def own_search(study: Study, folder: Path) -> Search:
    """The study's own, and the ensemble that was made of it, if there is one.

    Raises:
        BadInput: the ensemble in its folder is of another study.
        WorkFailed: a family has no complete trial.
    """
    return Search(study, entrants(study, choose(study, folder), folder))


def repeat_searches(
    folder: Path, root: Path, count: int | None = None, listeners: Sequence[Listener] = ()
) -> tuple[Search, ...]:
    """Searches 2 to `count`, run or resumed in `searches/<n>` of the study's folder.

    A search with all its trials is only read.

    Args:
        folder: of the study.
        root: the folder that holds `data/`.
        count: of searches, the study's own included; None: as many as its confirmation had.
        listeners: told of everything as it happens.

    Raises:
        BadInput, WorkFailed, KeyboardInterrupt: see `sweep` and `select_stage`.
    """
    before = read_confirmation(folder)
    count = count or (1 + len(before.repeated) if before else 1)
    if count < 2:
        return ()
    study = read_study(folder)
    dataset = searched_data(study, root)
    folds = development_folds(dataset, study.experiment)
    spaces = bound_spaces(study, folder / "study.json")
    found = []
    for number in range(2, count + 1):
        experiment, place = repeated_experiment(study, number), folder / "searches" / str(number)
        inputs = Inputs(experiment, place, dataset, folds, spaces, kept_earlier(folder))
        repeat, _ = sweep(inputs, listeners=listeners)
        found.append(Search(repeat, select_stage(place, root).opened))
    return tuple(found)


def repeated_experiment(study: Study, number: int) -> Experiment:
    """The question of search `number`: the study's own with other seeds and as many trials, or
    seconds.
    """
    experiment = study.experiment
    trials = max((len(study.trials_of(name)) for name in study.tuned), default=1)
    more = {} if experiment.budget.trials is None else {"trials": trials}
    return experiment.model_copy(
        update={
            "study": f"{experiment.study[:50]}-search-{number}",
            "seed": experiment.seed + SEEDS_APART * (number - 1),
            "budget": experiment.budget.model_copy(update=more),
            "storage": experiment.storage.model_copy(update={"mirror": None}),  # the study's has it
        }
    )
