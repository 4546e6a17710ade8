from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recsweep.config.schema import NumberStyle
from recsweep.data.numbers import to_numbers

YUAN = {"thousands": ",", "currency": ["¥", "￥", "元"], "zero": ["免费"], "units": {"万": 10_000}}
EURO = {"decimal": ",", "thousands": ".", "currency": ["€"]}
SPACES = {"decimal": ",", "thousands": " "}


def read(text: str | None, **style: Any) -> float | None:
    series = pl.Series([text], dtype=pl.String)
    number: float | None = to_numbers(series, NumberStyle.model_validate(style))[0]
    return number


@pytest.mark.parametrize(
    ("text", "style", "number"),
    [
        ("¥1,299.00", YUAN, 1299.0),
        ("￥ 99", YUAN, 99.0),
        ("-¥1,299.50", YUAN, -1299.5),
        ("¥-5", YUAN, -5.0),
        ("1299元", YUAN, 1299.0),
        ("免费", YUAN, 0.0),
        (" 免费 ", YUAN, 0.0),
        ("1.2万", YUAN, 12_000.0),
        ("¥1.5万元", YUAN, 15_000.0),
        ("1,234,567", YUAN, 1_234_567.0),
        ("1e3", YUAN, 1000.0),
        (".5", YUAN, 0.5),
        ("1.299,00 €", EURO, 1299.0),
        ("€12,5", EURO, 12.5),
        ("1\u202f299,5", SPACES, 1299.5),
        ("1 299", SPACES, 1299.0),
        ("1'299.00", {"thousands": "'"}, 1299.0),
        ("12K", {"units": {"k": 1000}}, 12_000.0),
        ("12%", {"units": {"%": 0.01}}, 0.12),
        ("\u22125", YUAN, -5.0),
        ("¥\u22121,299.50", YUAN, -1299.5),
        ("+5", YUAN, 5.0),
        ("- ¥ 5 万", YUAN, -50_000.0),
        ("1\u2019299", {"thousands": "'"}, 1299.0),
        ("0,25", SPACES, 0.25),
        ("US$ 5", {"currency": ["$", "US$"]}, 5.0),
        ("5 Mio", {"units": {"M": 1, "Mio": 10**6}}, 5e6),
        ("12", {}, 12.0),
    ],
)
def test_a_number_is_read_as_it_is_written(text: str, style: dict[str, Any], number: float) -> None:
    assert read(text, **style) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("1,5", YUAN),  # no whole group: not 15
        ("1,2999", YUAN),
        ("1.5", EURO),  # neither 1.5 nor 15
        ("¥", YUAN),
        ("面议", YUAN),
        ("$5", YUAN),
        ("1,299.00", {}),
        ("1.2万", {}),
        ("", YUAN),
        ("--5", YUAN),  # neither 5 nor -5
        ("-¥-5", YUAN),
        ("-¥+5", YUAN),
        ("5¥5", YUAN),
        ("1 29", SPACES),
        (None, YUAN),
    ],
)
def test_what_does_not_fit_the_style_is_no_number(text: str | None, style: dict[str, Any]) -> None:
    assert read(text, **style) is None


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from([",", ".", " ", "'"]))
def test_what_python_formats_comes_back(number: Any, thousands: str) -> None:
    decimal = "," if thousands == "." else "."
    table = str.maketrans({",": thousands, ".": decimal})
    text = f"{number:,.2f}".translate(table)
    assert read(text, thousands=thousands, decimal=decimal) == float(number)


def test_one_sign_cannot_mean_two_things() -> None:
    with pytest.raises(ValidationError, match="can't both be"):
        NumberStyle(decimal=",", thousands=",")


def test_numbers_of_a_column_are_float64_each_by_itself() -> None:
    texts = pl.Series(["¥1", None, "免费", "-2万", "x"])
    found = to_numbers(texts, NumberStyle.model_validate(YUAN))
    assert found.dtype == pl.Float64
    assert found.to_list() == [1.0, None, 0.0, -20_000.0, None]
    assert to_numbers(texts, NumberStyle()).to_list() == [None] * 5
