import io
import time

import pytest
from rich.console import Console
from typer.testing import CliRunner

import recsweep
from recsweep.cli import app, console
from recsweep.cli.console import counted, hints, say, waiting


def test_a_long_command_pushes_no_other_comment_off_the_screen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hints(("a", "one"), ("bcd", "two"), ("x" * 100, "three"))
    assert capsys.readouterr().out.splitlines() == [
        "a    # one",
        "bcd  # two",
        "x" * 100 + "  # three",
    ]
    hints(("x" * 100, "alone"))
    assert capsys.readouterr().out == "x" * 100 + "  # alone\n"


def test_the_version_is_the_packages() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"recsweep {recsweep.__version__}\n"


def test_a_log_is_told_of_a_wait_only_if_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(console, "out", Console(file=said))
    monkeypatch.setattr(console, "PATIENCE", 0.05)
    with waiting("Thinking"):
        pass
    assert said.getvalue() == ""
    with waiting("Thinking"):
        time.sleep(0.2)
    assert said.getvalue() == "Thinking …\n"
    with waiting("Thinking", quiet=True):
        time.sleep(0.2)
    assert said.getvalue() == "Thinking …\n"


def test_a_terminal_gets_lines_that_are_broken_between_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = "a difference of [−0.0046, +0.0098] NDCG@10"
    for terminal, words in ((True, line.split()), (False, [line])):
        said = io.StringIO()
        out = Console(file=said, width=24, force_terminal=terminal, color_system=None)
        monkeypatch.setattr(console, "out", out)
        say(line)
        shown = said.getvalue().split() if terminal else said.getvalue().splitlines()
        assert shown == words
        assert (max(map(len, said.getvalue().splitlines())) <= 24) is terminal


def test_one_is_no_plural() -> None:
    assert [counted(n, "worker") for n in (0, 1, 2, 1200)] == [
        "0 workers", "1 worker", "2 workers", "1,200 workers",
    ]  # fmt: skip
    assert [counted(n, "caveat is", "caveats are") for n in (1, 2)] == [
        "1 caveat is", "2 caveats are",
    ]  # fmt: skip
