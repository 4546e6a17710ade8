import io
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

import recsweep
from recsweep.cli import console, model_lines, models, rebuilding

LINE = "943 learners, 100000 events: 1682 courses"
FITTED = SimpleNamespace(experiment=SimpleNamespace(data=SimpleNamespace(kind="events")))
FOUND = {
    "fit": SimpleNamespace(file=FITTED, labels=()),
    "recommend": None,
    "monitor": None,
    "export": 1e-6,
    "replay": SimpleNamespace(suggestions=8, ends=8, sessions=1, lines=164, difference=None),
}
HERE: Any = Path("here")
COMMANDS: dict[str, Callable[[], None]] = {
    "fit": lambda: models.fit(HERE, HERE, "everything", None, quiet=True),
    "recommend": lambda: models.recommend(HERE, HERE, [], None, False, HERE),
    "monitor": lambda: models.monitor(HERE, HERE, HERE, HERE, None, None, "en", quiet=False),
    "export": lambda: models.export(HERE, HERE),
    "replay": lambda: rebuilding.replay(HERE),
}


def said_by(verb: str, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Its lines in 24 columns, where it finds what is at hand; without what to type next."""
    monkeypatch.setattr(recsweep, verb, lambda *_, **__: FOUND[verb], raising=False)
    for lines in ("fitted_lines", "recommended_lines", "monitored_lines"):
        monkeypatch.setattr(model_lines, lines, lambda _: iter([LINE]))
    said = io.StringIO()
    to = Console(file=said, width=24, force_terminal=terminal, color_system=None)
    monkeypatch.setattr(console, "out", to)
    monkeypatch.setattr(console, "err", to)
    for module in (models, rebuilding):  # those that print by themselves
        for name in ("out", "err"):
            monkeypatch.setattr(module, name, to, raising=False)
        monkeypatch.setattr(module, "hints", lambda *_: None)
    monkeypatch.setattr(rebuilding, "waiting", lambda _: nullcontext())
    COMMANDS[verb]()
    return [line for line in said.getvalue().splitlines() if line]


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_terminal_gets_lines_broken_between_words_and_a_log_gets_them_whole(
    verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = said_by(verb, False, monkeypatch)
    shown = said_by(verb, True, monkeypatch)
    assert len(whole) > 24
    assert max(map(len, shown)) <= 24
    assert " ".join(line.strip() for line in shown) == whole
