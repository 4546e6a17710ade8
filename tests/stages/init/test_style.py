"""How numbers of exports are written, found from the columns themselves."""

import polars as pl
import pytest

from recsweep.config.schema import NumberStyle
from recsweep.stages.init.style import as_keys, find_style, needed


def found(columns: dict[str, list[str]], semicolons: bool = False) -> tuple[dict, list[str]]:  # type: ignore[type-arg]
    """Keys of the style that is not the plain one, and the columns that it reads."""
    texts = {name: pl.Series(name, values, pl.String) for name, values in columns.items()}
    style, read = find_style(texts, semicolons)
    return as_keys(needed(style, {name: texts[name] for name in read})), read


@pytest.mark.parametrize(
    ("values", "semicolons", "keys"),
    [
        (["1.5", "2"], False, {}),
        (["1,234.5", "7"], False, {"thousands": ","}),
        (["1,5", "12,25"], False, {"decimal": ","}),
        (["1.234,5", "7,1"], False, {"decimal": ",", "thousands": "."}),
        (["1 234,5", "7,1"], False, {"decimal": ",", "thousands": " "}),
        (["1 234.5", "7.1"], False, {"thousands": " "}),
        (["1'234.5", "7"], False, {"thousands": "'"}),
        (["1.234", "7,5"], True, {"decimal": ",", "thousands": "."}),
        (["1,234.5", "7"], True, {"thousands": ","}),
        (["1.5", "2,000"], False, {"thousands": ","}),
        (
            ["3000元", "1.5亿", "2千"],
            False,
            {"currency": ["元"], "units": {"亿": 10**8, "千": 1000}},
        ),
        (["0元", "5"], False, {"zero": ["0元"]}),
        (["US$5", "6 usd"], False, {"currency": ["US$", "USD"]}),
        (["1,234", "7"], False, {"thousands": ","}),
        (["1,234", "7"], True, {"decimal": ","}),  # the comma that a semicolon makes room for
        (["$5", "7 €"], False, {"currency": ["€", "$"]}),
        (["1.5万", "30", "2k"], False, {"units": {"万": 10_000, "k": 1_000}}),
        (["免费", "¥99", "Free"], False, {"currency": ["¥"], "zero": ["Free", "免费"]}),
    ],
)
def test_the_style_that_reads_a_column_is_found_with_no_more_than_it_needs(
    values: list[str], semicolons: bool, keys: dict[str, object]
) -> None:
    style, read = found({"price": values}, semicolons)
    assert read == ["price"]
    assert {k: sorted(v) if isinstance(v, list) else v for k, v in style.items()} == {
        k: sorted(v) if isinstance(v, list) else v for k, v in keys.items()
    }
    whole = style.get("units", {}).values()
    assert all(isinstance(factor, int) for factor in whole)


def test_the_style_is_the_one_that_reads_most_columns_and_words_are_none() -> None:
    columns = {"a": ["1,5", "2"], "b": ["3,25", "1"], "c": ["1.5", "2"], "d": ["easy", "hard"]}
    assert found(columns) == ({"decimal": ","}, ["a", "b"])
    assert found({"d": ["easy", "hard"], "none": []}) == ({}, [])


def test_signs_are_those_of_the_columns_that_are_numbers() -> None:
    columns = {"price": ["$5", "6 €", "2k"], "cost": ["7", "8", "9"], "note": ["5 ¥", "x7", "3万x"]}
    assert found(columns) == (
        {"currency": ["$", "€"], "units": {"k": 1000}},
        ["price", "cost"],
    )
    assert found({"price": ["¥5"]}) == ({"currency": ["¥"]}, ["price"])


def test_no_sign_and_no_unit_is_tried_that_no_column_has() -> None:
    style, _ = find_style({"price": pl.Series(["$5", "2k", "gratis"])}, semicolons=False)
    assert (style.currency, style.units, style.zero) == (("$",), {"k": 1000}, ("gratis",))


def test_a_column_is_one_of_numbers_if_a_fifth_of_its_values_have_digits() -> None:
    assert found({"price": ["5", *["免费"] * 4]})[1] == ["price"]
    assert found({"price": ["5", *["免费"] * 5]})[1] == []


def test_a_factor_that_is_no_whole_number_stays_as_it_is() -> None:
    assert as_keys(NumberStyle(units={"h": 0.5, "k": 1e3}))["units"] == {"h": 0.5, "k": 1000}


def test_words_for_nothing_and_units_are_needed_one_by_one() -> None:
    style = NumberStyle(
        currency=("$", "€"), units={"k": 1e3, "w": 1e4, "x": 5}, zero=("free", "gratis")
    )
    texts = {"price": pl.Series(["$5", "2k", "3w", "free"]), "cost": pl.Series(["7"])}
    assert needed(style, texts) == NumberStyle(
        currency=("$",), units={"k": 1e3, "w": 1e4}, zero=("free",)
    )
    assert needed(style, {}) == NumberStyle()
    plain = NumberStyle(decimal=",", thousands=".")
    assert needed(plain, {"price": pl.Series(["1,5"])}) == NumberStyle(decimal=",")
    assert needed(plain, {"price": pl.Series(["1.500", "2"])}) == plain
