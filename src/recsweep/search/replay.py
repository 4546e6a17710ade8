"""Deriving every suggestion and every stop of a study again from its journal, and comparing.

What came from outside is taken from the journal: sessions, the order of events, what trials
reported and why they failed. Everything else is done once more by the code that did it then, on a
storage that compares each line it is to write with the one that was written.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend

from recsweep.config.files import validate
from recsweep.config.schema import Experiment
from recsweep.errors import BadInput
from recsweep.models.family import Builds
from recsweep.models.registry import families_of
from recsweep.search.enough import KEY as ENOUGH
from recsweep.search.journal import (
    Line,
    Operation,
    described,
    opens_session,
    read_journal,
    same_content,
    starts_trial,
)
from recsweep.search.ledger import Ledger
from recsweep.search.policy import Policy, policy_of
from recsweep.search.repeatable import Repeatable
from recsweep.search.storage import JOURNAL
from recsweep.spaces.files import parse_space
from recsweep.training.epoch import EpochReport


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was derived again."""

    lines: int
    sessions: int
    suggestions: int
    ends: int  # of trials: complete, stopped, failed
    difference: str | None  # the first one; None: the journal follows from the rules


class _Different(Exception):
    """The code writes another line than was written."""


class _CutOff(Exception):
    """The session's driver died before it wrote the line."""


class _Recorded(BaseJournalBackend):
    """A journal of which the lines before `at` are known."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines, self.at, self._writer = lines, 0, ""

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        for line in self.lines[log_number_from : self.at]:
            yield {**line, "worker_id": self._writer}  # Optuna looks for what it wrote itself

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        for log in logs:
            if self.at == len(self.lines) or opens_session(self.lines[self.at]):
                raise _CutOff
            recorded = self.lines[self.at]
            if not same_content(log, recorded):
                raise _Different(
                    f"line {self.at + 1}: recorded {described(recorded)}, derived {described(log)}"
                )
            self._writer = log["worker_id"]
            self.at += 1

    @property
    def next(self) -> Line | None:
        return self.lines[self.at] if self.at < len(self.lines) else None


def replay(folder: Path, families: Builds | None = None) -> Replayed:
    """Derive a study's journal again.

    Args:
        folder: of the study.
        families: stand in for the task's in tests.

    Raises:
        BadInput: there is no journal, it can't be read, or it is from before journals had marks of
            sessions.
    """
    path = folder / JOURNAL
    lines = read_journal(path)
    with tempfile.TemporaryDirectory(prefix="recsweep-") as scratch:
        study = _Study(path, lines, Path(scratch), families)
        difference = None
        try:
            study.run()
        except _Different as found:
            difference = str(found)
    return Replayed(
        lines=len(lines),
        sessions=study.sessions,
        suggestions=study.suggestions,
        ends=study.ends,
        difference=difference,
    )


class _Study:
    def __init__(
        self, path: Path, lines: list[Line], scratch: Path, families: Builds | None
    ) -> None:
        self._path, self._scratch, self._families = path, scratch, families
        self._journal = _Recorded(lines)
        self._live: tuple[Ledger, Policy] | None = None  # a session
        self._studies: Mapping[str, optuna.Study] = {}
        self.sessions = self.suggestions = self.ends = 0

    def run(self) -> None:
        while (line := self._journal.next) is not None:
            try:
                self._go_on(line)
            except _CutOff:
                self._live = None

    def _go_on(self, line: Line) -> None:
        if "session" in line.get("user_attr", {}) and line["op_code"] == Operation.STUDY_ATTR:
            self._begin(line["user_attr"]["session"])
        elif opens_session(line):
            self._live = None
            self._journal.at += 1
        elif self._live is None and ENOUGH in line.get("user_attr", {}):
            self._journal.at += 1  # its driver died before; whoever looked next has written it
        elif self._live is None:
            raise BadInput(
                f"{self._path}: line {self._journal.at + 1}: a trial outside of any session; "
                "studies from before sessions were marked can't be replayed"
            )
        elif line["op_code"] in (Operation.STUDY_NOTE, Operation.TRIAL_NOTE):
            self._journal.at += 1  # a note from a dashboard; a sampler's own follow a suggestion
        else:
            self._follow(line, *self._live)

    def _begin(self, mark: Mapping[str, Any]) -> None:
        experiment = validate(Experiment, mark, self._path)
        storage = JournalStorage(self._journal)
        studies = {
            name: optuna.load_study(study_name=name, storage=storage)
            for name in experiment.families
        }
        families = self._families or families_of(experiment.task)
        try:
            spaces = {
                name: parse_space(study.user_attrs["identity"]["space"], self._path, families)
                for name, study in studies.items()
            }
        except BadInput as error:
            raise BadInput(f"{error}; replay it with the version that searched it") from None
        ledger = Ledger(self._scratch, experiment, spaces, storage, studies, (), lambda event: None)
        self.sessions += 1
        self._studies = studies
        ledger.begin()
        self._live = ledger, policy_of(ledger, experiment)

    def _follow(self, line: Line, ledger: Ledger, policy: Policy) -> None:
        before = ledger.ended
        proposal = ledger.open(line.get("trial_id", -1))
        attr = line.get("user_attr", {})
        if proposal is None:
            self._suggest(line, ledger, policy)
        elif key := next((key for key in attr if key.startswith("epoch ")), None):
            epoch = int(key.removeprefix("epoch "))
            value = self._value(line["trial_id"], epoch)
            if value is None:  # the driver died in between: to no session was it ever reported
                self._journal.at += 1
                return
            report = EpochReport.of_entry(epoch, value, attr[key])
            over = ledger.is_over(proposal, {**ledger.values(proposal.id), epoch: value})
            policy.reported(proposal, report, report if over else None)
        elif "measured" in attr:
            policy.measured(proposal, attr["measured"])
        elif "reason" in attr:
            policy.failed(proposal, attr["reason"])
        elif ledger.is_over(proposal, values := ledger.values(proposal.id)):
            # The driver died between its last report and its end, and it was reported again.
            last = max(values)
            report = EpochReport(last, values[last], {}, ())
            policy.reported(proposal, report, report)
        else:
            raise _Different(
                f"line {self._journal.at + 1}: recorded {described(line)} of {proposal.id}; "
                "by the rules it goes on"
            )
        self.ends += ledger.ended - before

    def _suggest(self, line: Line, ledger: Ledger, policy: Policy) -> None:
        at = self._journal.at
        family = self._family(line)
        if isinstance(policy, Repeatable):
            policy.open(family)
        else:
            policy.next()
        if self._journal.at == at:
            raise _Different(
                f"line {at + 1}: recorded {described(line)} in {family}; "
                "by the rules no trial is due"
            )
        self.suggestions += sum(
            starts_trial(line) for line in self._journal.lines[at : self._journal.at]
        )

    def _family(self, line: Line) -> str:
        for name, study in self._studies.items():
            if line.get("study_id") == study._study_id or any(
                trial._trial_id == line.get("trial_id") for trial in study.trials
            ):
                return name
        raise _Different(f"line {self._journal.at + 1}: {described(line)} belongs to no family")

    def _value(self, trial: int, epoch: int) -> float | None:
        line = self._journal.lines[self._journal.at + 1 : self._journal.at + 2]
        if not line or line[0].get("trial_id") != trial or line[0].get("step") != epoch:
            return None
        return float(line[0]["intermediate_value"])
