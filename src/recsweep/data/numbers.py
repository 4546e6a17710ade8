"""Numbers as people write them, read as floats."""

import re

import polars as pl

from recsweep.config.schema import NumberStyle

GROUPS = {" ": r"[ \u00a0\u2009\u202f]", "'": "['\u2019]"}


def to_numbers(text: pl.Series, style: NumberStyle) -> pl.Series:
    """Float64; null where `text` is no number in this style.

    Groups of digits must be whole: with `thousands: ","`, `1,5` is no number rather than 15.
    """
    plain = text.cast(pl.Float64, strict=False)
    if style.plain:
        return plain
    groups = text.str.strip_chars().str.extract_groups(_pattern(style)).struct.unnest()
    digits = groups["digits"].str.replace_all(r"[^0-9]", "")
    number = (digits + "." + groups["decimals"].fill_null("0")).cast(pl.Float64, strict=False)
    factors = {unit.casefold(): factor for unit, factor in style.units.items()}
    unit = groups["unit"].str.to_lowercase()
    number *= unit.replace_strict(factors, default=1.0, return_dtype=pl.Float64)
    signs = groups["sign"] + groups["inner"]
    number *= 1 - 2 * signs.is_in(["-", "\u2212"]).cast(pl.Float64)
    number = number.set(signs.str.len_chars() > 1, None)
    if style.decimal == ".":  # 1e3 and .5; with a comma, 1.5 would be read in two ways
        number = number.fill_null(plain)
    return number.set(text.str.strip_chars().is_in(list(style.zero)), 0.0)


def _pattern(style: NumberStyle) -> str:
    signs = "|".join(map(re.escape, sorted(style.currency, key=len, reverse=True)))
    money = rf"(?:{signs})?" if signs else ""
    units = "|".join(map(re.escape, sorted(style.units, key=len, reverse=True)))
    digits = r"\d+"
    if style.thousands:
        group = GROUPS.get(style.thousands, re.escape(style.thousands))
        digits = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d+"
    return (
        rf"(?i)^(?P<sign>[-+\u2212]?)\s*{money}\s*(?P<inner>[-+\u2212]?)(?P<digits>{digits})"
        rf"(?:{re.escape(style.decimal)}(?P<decimals>\d+))?\s*(?P<unit>{units or '$'})?"
        rf"\s*{money}$"
    )
