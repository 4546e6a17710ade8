import polars as pl
import pytest

from recsweep.data.odd_ids import odd_ids


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ("u1", " u1", "spaces around them"),
        ("u1", "u1\u00a0", "spaces around them"),
        ("u1", "\ufeffu1", "spaces around them"),
        ("7", "7.0", "a .0 at the end"),
        ("caf\u00e9", "cafe\u0301", "how their letters are composed"),
    ],
)
def test_ids_that_nobody_tells_apart_are_counted(one: str, other: str, difference: str) -> None:
    (found,) = odd_ids(pl.Series([one, other, "u2"]), "learners")
    assert found.startswith(f"1 learners have the id of another but for {difference};")


def test_ids_that_a_spreadsheet_rounded_are_counted() -> None:
    (found,) = odd_ids(pl.Series(["1.23457E+15", "1.23458E+15", "7"]), "courses")
    assert found.startswith("2 courses have ids like 1.23457E+15")


def test_capitals_and_leading_zeros_tell_ids_apart() -> None:
    assert odd_ids(pl.Series(["aB", "ab", "07", "7", "12E+3", "A b"]), "learners") == ()
