import polars as pl
import pytest

from recsweep.config.schema import NO_VALUE
from recsweep.data.odd_values import odd_values


@pytest.mark.parametrize("mark", [mark for mark in NO_VALUE if mark])
def test_every_mark_that_stands_for_no_id_is_pointed_out_in_a_column(mark: str) -> None:
    (found,) = odd_values([pl.Series("level", ["A", mark, None, mark])])
    assert found.startswith(f"Column 'level' holds {mark!r} (2) as values;")


def test_tags_are_looked_at_one_by_one_and_the_frequent_mark_comes_first() -> None:
    tags = pl.Series("tags", [["a", "NA"], ["nan"], None, [], ["nan", "b"]])
    (found,) = odd_values([tags, pl.Series("price", [1.0, -1.0])])
    assert "holds 'nan' (2), 'NA' (1) as values" in found


def test_capitals_make_no_difference() -> None:
    (found,) = odd_values([pl.Series("level", ["na", "Null", "A"])])
    assert "'Null' (1), 'na' (1)" in found


def test_words_are_no_marks() -> None:
    assert odd_values([pl.Series("level", ["Nancy", "no", "0", "NAN1", None])]) == ()
