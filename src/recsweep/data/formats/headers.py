"""Does a file that was declared to have no header have one?"""

from collections.abc import Sequence

LOOKED_AT = 100  # rows
FEWEST = 10  # values below a word; fewer tell too little


def looks_like_header(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Are the first row's fields words without a digit, over a column with digits in every value?

    Names of learners over names of courses are words as well: without digits nobody can tell.
    """
    if len(below) < FEWEST or not all(map(_is_word, first)) or len(set(first)) < len(first):
        return False
    columns = ([row[n] for row in below if len(row) > n and row[n]] for n in range(len(first)))
    return any(len(column) >= FEWEST and all(map(_has_digit, column)) for column in columns)


def _is_word(field: str) -> bool:
    return any(map(str.isalpha, field)) and not _has_digit(field)


def _has_digit(field: str) -> bool:
    return any(map(str.isdigit, field))
