"""Ids that look like others: what they differ in, and what was done to them."""

from collections.abc import Callable, Mapping

import polars as pl

SAME_BUT_FOR: Mapping[str, Callable[[pl.Series], pl.Series]] = {
    "spaces around them": lambda ids: ids.str.replace_all(
        r"^[\s\u200b\ufeff]+|[\s\u200b\ufeff]+$", ""
    ),
    "capitals": lambda ids: ids.str.to_lowercase(),
    "leading zeros": lambda ids: ids.str.strip_chars_start("0"),
    "a .0 at the end": lambda ids: ids.str.strip_suffix(".0"),
    "how their letters are composed": lambda ids: ids.str.normalize("NFC"),
}
MEANT = ("capitals", "leading zeros")
"""What ids of one log may well differ in."""
ROUNDED = r"^\d\.\d+E\+\d+$"
"""How a spreadsheet shows a long number, of which it keeps these digits."""


def odd_ids(ids: pl.Series, word: str) -> tuple[str, ...]:
    """What would be wrong with a log's ids, each once, in words without any of them.

    Args:
        ids: each id once.
        word: whose they are.
    """
    twins = {
        difference: len(ids) - form(ids).n_unique()
        for difference, form in SAME_BUT_FOR.items()
        if difference not in MEANT
    }
    found = [
        f"{n:,} {word} have the id of another but for {difference}; each counts by itself"
        for difference, n in twins.items()
        if n
    ]
    if rounded := int(ids.str.contains(ROUNDED).sum()):
        found.append(
            f"{rounded:,} {word} have ids like 1.23457E+15: a spreadsheet rounded them, and those "
            "that became alike count as one; export them as text"
        )
    return tuple(found)
