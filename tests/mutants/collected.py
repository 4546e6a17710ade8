"""Tests that are collected once, in a process that forks for each change: what a judgement costs
is then the few tests that run the changed line.
"""

import ast
import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

import pytest
from mutants.afresh import arguments, enter, starts_ray
from mutants.changes import Change
from mutants.forks import PATIENT, in_fork
from mutants.in_place import Alive, MoreThanFunctions
from mutants.measured import Measured, Measuring, names, run_all

FORK = get_context("fork")


class Unjudged(Exception):
    """Tests that fail anyhow tell nothing of a change."""


@dataclass(frozen=True)
class Asked:
    """A change of the source at a path, and the files of tests in the order in which they come."""

    path: Path
    source: bytes
    change: Change
    parts: Sequence[Sequence[str]]


class Collected:
    """As a context: tests of some files, that can be asked of one change after another."""

    def __init__(self, folder: Path, tests: Sequence[str]) -> None:
        self._ours, theirs = FORK.Pipe()
        arguments = (folder, tuple(tests), theirs, self._ours)
        self._process = FORK.Process(target=_serve, args=arguments)
        self._process.start()
        theirs.close()
        self._ready = self._answer()  # nothing is changed on disk while it imports

    def notice(self, asked: Asked) -> bool:
        """Does a test fail? If none does, it may still be that only an import shows the change.

        What is on disk is changed already, for processes that a test starts.
        """
        if self._ready:
            self._ours.send(asked)
        noticed = self._answer()
        if noticed is None:
            raise Unjudged("its tests can't be collected, start threads at import, or wait")
        return noticed

    def _answer(self) -> bool | None:
        try:
            answer: bool = self._ours.recv()
        except (OSError, EOFError):
            return None
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._process.join()


def _serve(folder: Path, tests: tuple[str, ...], pipe: Connection, theirs: Connection) -> None:
    theirs.close()
    enter(folder)
    pytest.main(arguments(folder, tests), plugins=[_Host(folder, pipe)])


class _Host:
    """A plugin of pytest: instead of running the tests that it has collected, it answers."""

    def __init__(self, folder: Path, pipe: Connection) -> None:
        self.folder = folder
        self.pipe = pipe
        self.measuring = Measuring(folder / "src/recsweep")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if len([*Path("/proc/self/task").iterdir()]) > 1:
            return True  # a fork has no threads, and would wait for them
        session.items = [item for item in session.items if not starts_ray(item)]
        found = self.folder / ".measured.json"
        in_fork(lambda: self.measuring.run(session, found), PATIENT)
        self.measuring.cover.stop()
        measured, alive = Measured(**json.loads(found.read_text())), Alive(self.folder)
        session.items = [item for item in session.items if item.nodeid in measured.seconds]
        self.pipe.send(True)
        with suppress(EOFError):
            while True:
                self.pipe.send(_noticed(session, measured, alive, self.pipe.recv()))
        return True


def _noticed(
    session: pytest.Session, measured: Measured, alive: Alive, asked: Asked
) -> bool | None:
    path, change = str(asked.path), asked.change
    run_it = measured.run(path, _lines(asked.source, change))
    items = _in_order(session.items, run_it, measured, asked.parts)

    def work() -> int:
        try:
            alive.put(path, asked.source, change.apply(asked.source))
        except MoreThanFunctions:
            return 0
        session.items = items
        return run_all(session)

    return bool(items) and in_fork(work, measured.takes(items).around(20)).noticed


def _lines(source: bytes, change: Change) -> range:
    """From the beginning of the statement to the end of what is changed."""
    statements = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.stmt)]
    first = max(n.lineno for n in statements if n.lineno <= change.line <= (n.end_lineno or 0))
    return range(first, change.line + change.old.count("\n") + 1)


def _in_order(
    items: list[pytest.Item],
    run_it: set[str],
    measured: Measured,
    parts: Sequence[Sequence[str]],
) -> list[pytest.Item]:
    """Those that run the change: in the order of their files, in each the quick ones first. A
    file's tests stay together, for they share fixtures.
    """
    files: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if not run_it.isdisjoint(names(item)):
            files[item.nodeid.partition("::")[0]].append(item)

    def takes(item: pytest.Item) -> float:
        return measured.takes([item]).waiting

    ordered = dict.fromkeys(name for part in parts for name in part)
    return [item for name in ordered for item in sorted(files[name], key=takes)]
