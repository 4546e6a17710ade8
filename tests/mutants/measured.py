"""What each test runs, and how long it takes, where nothing is changed."""

import json
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coverage
import pytest
from mutants.forks import Limits


@dataclass(frozen=True)
class Measured:
    """Names are of tests, and of fixtures that several tests share."""

    lines: dict[str, dict[str, list[str]]]  # by path and number: who runs it
    seconds: dict[str, tuple[float, float]]  # of each test that passes

    def takes(self, items: Iterable[pytest.Item]) -> Limits:
        """How long these tests take, computing and waiting."""
        both = [self.seconds[item.nodeid] for item in items]
        return Limits(sum(c for c, _ in both), sum(w for _, w in both))

    def run(self, path: str, lines: Iterable[int]) -> set[str]:
        """Names of those that run one of the lines."""
        of_path = self.lines.get(path, {})
        return {name for line in lines for name in of_path.get(str(line), ())}


def names(item: pytest.Item) -> set[str]:
    """A test's own, and those of the fixtures that it shares with others."""
    return {item.nodeid, *map(_fixture, getattr(item, "fixturenames", ()))}


def _fixture(name: str) -> str:
    return f"fixture {name}"


class Measuring:
    """A plugin of pytest that tells coverage which test, or which shared fixture, is running."""

    def __init__(self, sources: Path) -> None:
        self.cover = coverage.Coverage(data_file=None, source=[str(sources)], config_file=False)
        self._seconds: dict[str, tuple[float, float]] = {}
        self._failed: set[str] = set()
        self._inside = [""]
        self.cover.start()

    def run(self, session: pytest.Session, found: Path) -> int:
        """Run the session's tests and write down what those did that passed."""
        session.config.pluginmanager.register(self)
        session.config.option.maxfail = 0
        code = run_all(session)
        self.cover.stop()
        data = self.cover.get_data()
        lines = {path: data.contexts_by_lineno(path) for path in data.measured_files()}
        passed = {name: took for name, took in self._seconds.items() if name not in self._failed}
        measured = {"lines": lines, "seconds": passed}
        found.write_text(json.dumps(measured))
        return code

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        computed, began = time.process_time(), time.monotonic()
        with self._inside_of(item.nodeid):
            result = yield
        self._seconds[item.nodeid] = (time.process_time() - computed, time.monotonic() - began)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        with self._inside_of(_fixture(fixturedef.argname)):
            return (yield)

    @contextmanager
    def _inside_of(self, name: str) -> Iterator[None]:
        self._inside.append(name)
        self.cover.switch_context(name)
        try:
            yield
        finally:
            self._inside.pop()
            self.cover.switch_context(self._inside[-1])


def run_all(session: pytest.Session) -> int:
    """Run the session's tests until one fails; 0 if none did."""
    from _pytest.main import pytest_runtestloop

    try:
        pytest_runtestloop(session)
    except (session.Failed, session.Interrupted):
        return 1
    return int(bool(session.testsfailed))
