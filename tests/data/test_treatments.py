"""Who was treated, by what a raw table says."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from recsweep.config.schema import Treatment
from recsweep.data.treatments import read_treatment
from recsweep.errors import BadInput

LOG = Path("log.csv")


def read(
    groups: Sequence[object],
    chances: Sequence[object] | None = None,
    first_row: int = 0,
    missing: Sequence[str] = ("", "NULL"),
    **keys: object,
) -> dict[str, pl.Series]:
    chance = "p" if chances is not None else None
    declared = {"column": "group", "treated": ["mail"], "propensity": chance, **keys}
    raw = pl.DataFrame({"group": groups, "p": chances or [None] * len(groups)}, strict=False)
    return read_treatment(raw, Treatment.model_validate(declared), missing, LOG, first_row)


def test_without_a_treatment_a_log_has_no_such_columns() -> None:
    assert read_treatment(pl.DataFrame({"a": [1]}), None, (), LOG) == {}


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        ([], [1, 0, 0, None, None, 1]),  # every other value is a control
        (["none"], [1, 0, None, None, None, 1]),
        (["none", "letter"], [1, 0, 0, None, None, 1]),
    ],
)
def test_rows_of_neither_group_are_of_no_experiment(
    control: list[str], expected: list[float | None]
) -> None:
    found = read(["mail", "none", "letter", "NULL", None, " mail "], control=control)
    assert found.keys() == {"treated"}
    assert found["treated"].dtype == pl.Float32
    assert found["treated"].to_list() == expected


def test_whole_numbers_may_name_the_groups() -> None:
    assert read([1, 0, 2], treated=["1"], control=["0"])["treated"].to_list() == [1, 0, None]


@pytest.mark.parametrize(
    ("value", "key"), [("Mail", "'mail' in treated or control"), ("NONE", "'none' in treated or")]
)
def test_a_group_in_another_spelling_is_asked_about(value: str, key: str) -> None:
    with pytest.raises(BadInput, match=f"is '{value}' in 1 rows, and {key}"):
        read(["mail", "none", value], control=["none"])


def test_the_chance_of_treatment_is_read_where_somebody_is_of_the_experiment() -> None:
    found = read(["mail", "none", "other"], ["0.25", "0.5", "0.9"], control=["none"])
    assert found["propensity"].to_list() == [0.25, 0.5, None]
    assert read(["mail", "x"], [0.5, None], control=["y"])["propensity"].to_list() == [0.5, None]


@pytest.mark.parametrize("chance", ["0", "1", "-0.1", "1.5", "likely", None, "nan"])
@pytest.mark.parametrize("group", ["mail", "none"])
def test_a_chance_that_is_none_is_refused_with_its_row_in_the_file(
    group: str, chance: str | None
) -> None:
    with pytest.raises(
        BadInput, match=r"log\.csv: row 12: p is .*expected a probability of treatment above 0"
    ):
        read(["mail", group], ["0.5", chance], first_row=10)


def test_who_is_of_no_group_needs_no_chance() -> None:
    for control in ([], ["none"]):
        found = read([None, "mail", "NULL"], [None, "0.5", "often"], control=control)
        assert found["treated"].to_list() == [None, 1, None]
        assert found["propensity"].to_list() == [None, 0.5, None]


def test_rows_are_counted_from_the_files_first_unless_told_otherwise() -> None:
    treatment = Treatment.model_validate({"column": "g", "treated": ["m"], "propensity": "p"})
    raw = pl.DataFrame({"g": ["m", "m"], "p": ["0.5", "2"]})
    with pytest.raises(BadInput, match="row 2: p is '2'"):
        read_treatment(raw, treatment, (), LOG)
