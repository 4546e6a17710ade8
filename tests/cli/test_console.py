import pytest

from recsweep.cli.console import hints


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
