"""Reads a study's state: from Optuna's journal while there is one, else from its files."""

import json
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from recsweep.config.schema import lower_is_better
from recsweep.dashboard.state import FamilyState, Phase, Running, StudyState
from recsweep.records.confirmation_files import VERDICTS
from recsweep.records.evidence import Evidence, read_evidence
from recsweep.records.files import read_study
from recsweep.records.live import LiveSweep, process_lives, read_live
from recsweep.records.study import Study, TrialRow
from recsweep.search.enough import target_of
from recsweep.search.sessions import read_sessions
from recsweep.search.storage import JOURNAL, open_storage
from recsweep.search.trials import epochs_of, finished, trial_id, trial_row

FILES = ("report.html", "report.zh.html", "leaderboard.md")


class Reader:
    """Keeps the journal open: each look reads only what was added since the last one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._storage: Any = None
        self._studies: dict[str, optuna.Study] = {}
        self._seen: dict[tuple[str, int], TrialRow] = {}
        self._rows: list[TrialRow] = []
        self._evidence: tuple[tuple[float, ...], Evidence | None] = ((), None)

    def look(self) -> StudyState:
        """The study as it stands.

        Raises:
            BadInput: its files can't be read.
        """
        live = read_live(self._folder)
        if live is not None and (self._folder / JOURNAL).exists():
            return self._from_journal(live)
        if (self._folder / "study.json").exists():
            return self._from_files(read_study(self._folder))
        return StudyState(self._folder.name, "waiting", files=self._files())

    def take_rows(self) -> list[TrialRow]:
        """Trials that were seen to have ended since this was asked last."""
        rows, self._rows = self._rows, []
        return rows

    @property
    def storage(self) -> Any:
        """The journal, for who shows it in another way; None before there is one."""
        if self._storage is None and (self._folder / JOURNAL).exists():
            self._storage = open_storage(self._folder)
        return self._storage

    def _from_journal(self, live: LiveSweep) -> StudyState:
        storage = self.storage
        known = set(optuna.get_all_study_names(storage))
        for name in live.targets:
            if name in known and name not in self._studies:
                self._studies[name] = optuna.load_study(study_name=name, storage=storage)
        busy = live.alive() or holder_lives(self._folder)
        families = tuple(self._family(name, n, busy, live) for name, n in live.targets.items())
        sessions = read_sessions(self._folder)
        last = sessions[-1] if sessions else None
        current = last is not None and (last.started >= live.started or not busy)
        return StudyState(
            name=live.study,
            phase=_phase(families, busy),
            metric=live.metric,
            description=live.description,
            description_zh=live.description_zh,
            families=families,
            workers=live.workers,
            pace=last.busy_seconds / last.wall_seconds if last and current else None,
            wall_seconds=sum(s.wall_seconds for s in sessions),
            epochs=live.epochs,
            files=self._files(),
            wandb_runs=self._wandb_runs(),
            kinds=live.kinds,
            evidence=None if busy and live.stage != "report" else self._confirmed(),
            stage=live.stage if busy else None,
            later=live.later if busy else (),
            done=live.done,
            total=live.total,
            ends=live.ends if busy else None,
        )

    def _family(self, name: str, target: int | None, busy: bool, live: LiveSweep) -> FamilyState:
        study = self._studies.get(name)
        trials = study.get_trials(deepcopy=False) if study else []
        ended = tuple(self._ended(name, trial, live.metric) for trial in finished(trials))
        running = tuple(
            _running(name, trial)
            for trial in trials
            if busy and trial.state == TrialState.RUNNING and "number" in trial.user_attrs
        )
        if study is not None:
            target = target_of(study, target)
        return FamilyState(name, target, ended, running, live.metric, live.seconds or 0.0)

    def _ended(self, family: str, trial: FrozenTrial, metric: str) -> TrialRow:
        key = family, trial.number
        if key not in self._seen:
            row = trial_row(family, trial, lower_is_better(metric))
            self._rows.append(row)
            self._seen[key] = row
        return self._seen[key]

    def _from_files(self, study: Study) -> StudyState:
        self._rows = list(study.trials)
        experiment = study.experiment
        families = []
        for name in experiment.families:
            ended = tuple(trial for trial in study.trials if trial.family == name)
            families.append(FamilyState(name, len(ended), ended, (), experiment.metric.key))
        last = study.sessions[-1] if study.sessions else None
        return StudyState(
            name=experiment.study,
            phase="finished",
            metric=experiment.metric.key,
            description=experiment.description,
            description_zh=experiment.description_zh,
            families=tuple(families),
            workers=last.workers if last else 0,
            pace=last.busy_seconds / last.wall_seconds if last and last.wall_seconds else None,
            wall_seconds=sum(s.wall_seconds for s in study.sessions),
            epochs=experiment.budget.epochs,
            files=self._files(),
            wandb_runs=self._wandb_runs(),
            kinds={name: space.family for name, space in study.spaces.items()},
            evidence=self._confirmed(),
        )

    def _confirmed(self) -> Evidence | None:
        """What the verdicts rest on, read again when a file changed; None: they are of others."""
        paths = [self._folder / VERDICTS, *sorted((self._folder / "best").glob("*.yaml"))]
        if not paths[0].exists() or len(paths) == 1:
            return None
        times = tuple(path.stat().st_mtime for path in paths)
        if times != self._evidence[0]:
            found = read_evidence(self._folder)
            self._evidence = times, found if found.confirmation else None
        return self._evidence[1]

    def _files(self) -> tuple[str, ...]:
        return tuple(name for name in FILES if (self._folder / name).exists())

    def _wandb_runs(self) -> int:
        return len(list((self._folder / "wandb").glob("*run-*/*.wandb")))


def holder_lives(folder: Path) -> bool:
    """Does a process hold the study? Asked without touching the lock, which a sweep may want."""
    try:
        holder = json.loads((folder / "sweep.lock").read_text("utf-8"))
        return process_lives(int(holder["pid"]), holder["host"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _running(family: str, trial: FrozenTrial) -> Running:
    epochs = epochs_of(trial)
    return Running(
        id=trial_id(family, trial.user_attrs["number"]),
        family=family,
        values=tuple(report.value for report in epochs),
        seconds=sum(report.seconds for report in epochs),
    )


def _phase(families: tuple[FamilyState, ...], busy: bool) -> Phase:
    if busy:
        return "running"
    return "finished" if all(family.over for family in families) else "stopped"
