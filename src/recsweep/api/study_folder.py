"""A study's folder as frames, read anew whenever it is asked: what it shows is what is there.

The selection of a whole study is derived by its stage, which is imported only then: what is kept
with the code is read without any of the vendors.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, get_args

import polars as pl

from recsweep.api.notebook import study_html
from recsweep.config.schema import Experiment
from recsweep.errors import BadInput
from recsweep.records.confirmation import Confirmation
from recsweep.records.confirmation_files import read_confirmation
from recsweep.records.evidence import read_evidence
from recsweep.records.files import read_study
from recsweep.records.flat import flat_trials
from recsweep.records.selection import BestFile, Choice, read_best
from recsweep.records.study import EarlyEnd, Study, SweepSession, TrialState

if TYPE_CHECKING:
    from recsweep.evaluation.power import Power
    from recsweep.reporting.answer import Answer


def load_study(path: str | Path) -> StudyFolder:
    """Open a study: its whole folder, or what of it is kept with the code (`best/` at least).

    Raises:
        BadInput: no study lies there.

    Examples:
        >>> study = load_study("results/mine")
        >>> study.leaderboard.columns[:3]
        ['family', 'ndcg@10', 'sd']
        >>> study.best("item_knn").epochs
        1
        >>> study.verdicts.select("a", "b").rows()
        [('gru', 'item_knn'), ('gru', 'popularity'), ('item_knn', 'popularity')]
    """
    study = StudyFolder(Path(path))
    if not (study.has_trials or any(study.folder.glob("best/*.yaml"))):
        raise BadInput(f"{path}: has neither study.json nor best/<family>.yaml: no study lies here")
    return study


@dataclass(frozen=True, slots=True, repr=False)
class StudyFolder:
    """`results/<study>`. Every property reads the files, checks them, and raises `BadInput` where
    they are missing, damaged or changed. Frames are polars'; `.to_pandas()` makes them pandas'.
    """

    folder: Path
    session: SweepSession | None = None  # of the sweep that gave this back, if it ran a trial

    @property
    def has_trials(self) -> bool:
        """Is the whole study here, or only what is kept with the code?"""
        return (self.folder / "study.json").exists()

    @property
    def experiment(self) -> Experiment:
        """What was asked."""
        if self.has_trials:
            return read_study(self.folder).experiment
        return read_evidence(self.folder).experiment

    @property
    def early_end(self) -> EarlyEnd | None:
        """Where `stopping.study` ended the search; None: at its budget's end, or not yet."""
        return read_study(self.folder).early_end

    @property
    def trials(self) -> pl.DataFrame:
        """One row a trial; each hyperparameter is a column `config.<name>`, null where not in use.

        The other columns are those of `trials.parquet`.
        """
        read_study(self.folder)  # checks the files
        return flat_trials(pl.read_parquet(self.folder / "trials.parquet"))

    @property
    def curves(self) -> pl.DataFrame:
        """One row for each trial, epoch, fold and metric, as `curves.parquet` has them, and the
        trial's family. A row without a fold is of all: the score, and what the epoch took.
        """
        read_study(self.folder)
        trials, curves = (
            pl.read_parquet(self.folder / name) for name in ("trials.parquet", "curves.parquet")
        )
        families = trials.select("family", trial="id")
        return curves.join(families, on="trial", how="left", maintain_order="left")

    @property
    def leaderboard(self) -> pl.DataFrame:
        """One row a family, the best first, as the rule selects on the folds.

        The study's metric and its standard deviation over folds, the trial, its epochs, and the
        mean over folds of every other metric; with the whole study also how its trials ended and
        the seconds that they took.
        """
        if not self.has_trials:
            return _leaderboard(read_evidence(self.folder).best.values(), self.experiment)
        from recsweep.stages.select.stage import choose

        study = read_study(self.folder)
        selected = choose(study, self.folder).families.values()
        board = _leaderboard(selected, study.experiment)
        return board.join(_ends(study), on="family", how="left", maintain_order="left")

    def best(self, family: str) -> BestFile:
        """A family's selected configuration, with everything that it takes to rebuild it."""
        path = self.folder / "best" / f"{family}.yaml"
        if not path.exists():
            names = ", ".join(sorted(p.stem for p in self.folder.glob("best/*.yaml"))) or "none"
            raise BadInput(f"{self.folder}: no configuration of {family} was selected; {names} was")
        return read_best(path)

    @property
    def power(self) -> Power | None:
        """The smallest differences that the sealed test is likely to show of what is selected now,
        told from the folds; None: one family alone has nobody to be compared with.
        """
        from recsweep.stages.confirm.power import power_of_study
        from recsweep.stages.confirm.searches import own_search

        study = read_study(self.folder)
        selected = own_search(study, self.folder).selected
        return power_of_study(study, selected, self.folder, root_of(self.folder))

    @property
    def confirmation(self) -> Confirmation | None:
        """What the sealed test said of this selection; None: it was not opened for it."""
        if not self.has_trials:
            return read_confirmation(self.folder)
        from recsweep.stages.report import current_confirmation
        from recsweep.stages.select.stage import choose

        study = read_study(self.folder)
        return current_confirmation(study, choose(study, self.folder), self.folder)

    @property
    def answer(self) -> Answer:
        """The answer to the study's question in a sentence and in numbers, as every page gives it.

        While the sealed test is closed it says so.
        """
        from recsweep.reporting.answer import answer_of, answer_of_evidence

        if not self.has_trials:
            return answer_of_evidence(read_evidence(self.folder))
        from recsweep.stages.select.stage import choose

        study = read_study(self.folder)
        return answer_of(study, choose(study, self.folder), self.confirmation)

    @property
    def verdicts(self) -> pl.DataFrame:
        """One row a pair of families: outcome, difference, simultaneous interval, and a sentence.

        `outcome` is said of `a`; `difference` is the mean of `a` less that of `b`. An `exploratory`
        pair was not declared before the test was opened.
        """
        found = self.confirmation
        if found is None:
            raise BadInput(f"{self.folder}: nothing was confirmed yet; run recsweep confirm")
        rows = [
            {**asdict(pair), "sentence": sentence}
            for pair, sentence in zip(found.pairs, found.verdicts, strict=True)
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def __repr__(self) -> str:
        return f"StudyFolder({str(self.folder)!r})"

    def _repr_html_(self) -> str:
        return study_html(self.experiment, self.answer, self.leaderboard, self.confirmation)


Place: TypeAlias = StudyFolder | str | Path
"""A study, or the path of its folder."""


def folder_of(study: Place) -> Path:
    """The study's folder."""
    return study.folder if isinstance(study, StudyFolder) else Path(study)


def root_of(folder: Path) -> Path:
    """The folder that holds `data/` and `results/`; of a study that lies elsewhere, the one that
    one runs in.
    """
    return folder.parent.parent if folder.parent.name == "results" else Path()


def _leaderboard(entries: Iterable[Choice | BestFile], experiment: Experiment) -> pl.DataFrame:
    metric = experiment.metric
    rows = []
    for entry in sorted(entries, key=lambda entry: -metric.goodness(entry.value)):
        values = entry.metrics[metric.key]
        rows.append(
            {
                "family": entry.family,
                metric.key: entry.value,
                "sd": statistics.stdev(values) if len(values) > 1 else 0.0,
                "trial": entry.trial,
                "epochs": entry.epochs,
                "converged": entry.converged,
                **{
                    name: statistics.fmean(folds)
                    for name, folds in entry.metrics.items()
                    if name != metric.key and folds
                },
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def _ends(study: Study) -> pl.DataFrame:
    """Family, how its trials ended, and the seconds that they took."""
    refused = any(trial.state == "refused" for trial in study.trials)
    shown = [state for state in get_args(TrialState) if state != "refused" or refused]
    rows = []
    for family in study.experiment.families:
        trials = [trial for trial in study.trials if trial.family == family]
        states = [trial.state for trial in trials]
        rows.append(
            {
                "family": family,
                **{state: states.count(state) for state in shown},
                "seconds": sum(t.fit_seconds + t.evaluate_seconds for t in trials),
            }
        )
    return pl.DataFrame(rows)
