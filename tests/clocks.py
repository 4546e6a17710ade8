"""A clock that a test moves."""

from types import SimpleNamespace

import pytest


class Clock:
    """In place of a module's `time`: seconds pass when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
        self.now = 100.0
        clock = SimpleNamespace(perf_counter=lambda: self.now)
        monkeypatch.setattr(f"{module}.time", clock)
