"""A problem is one line, whatever stands in the file that it quotes."""

from recsweep.errors import BadInput


def test_line_ends_and_control_characters_are_spelt_out() -> None:
    assert str(BadInput("x.csv: found 'two\nlines\x1b[31m'")) == (
        r"x.csv: found 'two\nlines\x1b[31m'"
    )


def test_letters_of_any_script_stay() -> None:
    assert str(BadInput("naïve 课程 '…'")) == "naïve 课程 '…'"
