"""How the numbers of a table are written: decimal sign, groups, currency, units, words for 0."""

import re
from typing import Any

import polars as pl

from recsweep.config.schema import NumberStyle
from recsweep.data.numbers import to_numbers
from recsweep.stages.init.words import CURRENCIES, FREE, UNITS

SIGNS: tuple[tuple[str, str | None], ...] = (
    (".", None), (".", ","), (",", None), (",", "."), (",", " "), (".", " "), (".", "'"),
)  # fmt: skip
EXCEL_IN_EUROPE = ((",", "."), (",", None), (",", " "), (".", None), (".", ","))
"""Tried first where a semicolon separates, because the comma is taken by decimals."""
DIGITS = r"[\d.,'’\s\u00a0\u202f]+"


def find_style(columns: dict[str, pl.Series], semicolons: bool) -> tuple[NumberStyle, list[str]]:
    """A style that reads as many columns as any, and the columns that it reads whole.

    Args:
        columns: their values as text, without missing ones.
        semicolons: is the table separated by them?
    """
    texts = {name: text for name, text in columns.items() if _has_digits(text)}
    currency, units, zero = _words(texts)
    orders = (*EXCEL_IN_EUROPE, *SIGNS) if semicolons else SIGNS
    best, read = NumberStyle(), _whole(texts, NumberStyle())
    for decimal, thousands in orders:
        style = NumberStyle.model_validate(
            {"decimal": decimal, "thousands": thousands, "currency": currency,
             "units": units, "zero": zero}
        )  # fmt: skip
        whole = _whole(texts, style)
        if len(whole) > len(read):
            best, read = style, whole
    return best, read


def _whole(texts: dict[str, pl.Series], style: NumberStyle) -> list[str]:
    return [name for name, text in texts.items() if not to_numbers(text, style).has_nulls()]


def _has_digits(text: pl.Series) -> bool:
    """A column of 免费 alone, or nearly, is one of words."""
    return len(text) > 0 and bool(text.str.contains(r"\d").mean() >= 0.2)  # type: ignore[operator]


def _words(texts: dict[str, pl.Series]) -> tuple[list[str], dict[str, float], list[str]]:
    """Signs, units and words for 0 that stand in any of the columns."""
    values = {value for text in texts.values() for value in text.unique()}
    around = {part.casefold() for value in values for part in re.split(DIGITS, value)}
    currency = [sign for sign in CURRENCIES if any(sign.casefold() in part for part in around)]
    units = {unit: f for unit, f in UNITS.items() if any(unit in part for part in around)}
    return currency, units, sorted(value for value in values if value.casefold() in FREE)


def needed(style: NumberStyle, texts: dict[str, pl.Series]) -> NumberStyle:
    """Without what no column needs."""
    for key, value in style.model_dump().items():
        several = isinstance(value, tuple | dict)
        for member in list(value) if several else [None]:
            keys = style.model_dump()
            keys[key] = _without(keys[key], member) if several else None
            fewer = {k: v for k, v in keys.items() if v}
            if fewer.get("thousands") == fewer.get("decimal", "."):
                continue
            smaller = NumberStyle.model_validate(fewer)
            if all(to_numbers(t, style).equals(to_numbers(t, smaller)) for t in texts.values()):
                style = smaller
    return style


def _without(value: Any, member: Any) -> Any:
    if isinstance(value, dict):
        return {k: v for k, v in value.items() if k != member}
    return tuple(v for v in value if v != member)


def as_keys(style: NumberStyle) -> dict[str, Any]:
    """For a table."""
    keys: dict[str, Any] = style.model_dump()
    for key, value in keys.items():
        if isinstance(value, tuple):
            keys[key] = list(value)
    if "units" in keys:
        keys["units"] = {u: int(f) if f.is_integer() else f for u, f in keys["units"].items()}
    return keys
