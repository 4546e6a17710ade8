"""Word vectors of others, of the words and characters that texts hold: as word2vec, GloVe and
fastText write them as text.

Texts are read in lower case, so a word's vector is that of its lower case.
"""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from recsweep.data.features.dated import ID
from recsweep.data.features.text import words
from recsweep.data.formats.parts import parts
from recsweep.errors import BadInput, one_line

LINE, NUMBERS = "line", "numbers"


def parts_of_texts(texts: Iterable[str]) -> set[str]:
    """All that a network may read in texts: characters, and words, with Chinese cut and uncut."""
    found = set[str]()
    for text in texts:
        found.update(text.lower())
        for chinese in (True, False):
            found.update(words(text, chinese, shortest=1))
    return found


def read_vectors(path: Path, wanted: set[str]) -> pl.DataFrame:
    """`_id`, and a Float32 column a number, of the wanted words that the files have, in order of
    the words. Of a word that stands twice the first vector counts.

    Raises:
        BadInput: a file that can't be read, or is of another width than the first.
    """
    read: list[pl.DataFrame] = []
    for file in parts(path):
        found = _read(file, wanted)
        if read and found.width != read[0].width:
            raise BadInput(
                f"{file}: has vectors of {found.width - 1} numbers, and another file of {path} has "
                f"{read[0].width - 1}"
            )
        read.append(found)
    return pl.concat(read).unique(ID, keep="first").sort(ID)


def _read(file: Path, wanted: set[str]) -> pl.DataFrame:
    # A line is one field: none holds the separator.
    lines = pl.scan_csv(
        file,
        separator="\x1f",
        has_header=False,
        quote_char=None,
        schema={LINE: pl.String},
        encoding="utf8-lossy",
        truncate_ragged_lines=True,
    ).select(pl.col(LINE).str.strip_chars_end())  # those of word2vec end with a space
    word_first = pl.col(LINE).str.splitn(" ", 2).struct.rename_fields([ID, NUMBERS])
    try:
        start = [str(line).split(" ") for line in lines.head(2).collect()[LINE]]
        headed = len(start) == 2 and len(start[0]) == 2 < len(start[1])
        table = (
            lines.slice(int(headed))
            .select(word_first)
            .unnest(LINE)
            .filter(pl.col(ID).is_in(list(wanted)))
            .collect()
        )
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInput(f"{file}: can't be read as word vectors ({one_line(error)})") from None
    size = len(start[int(headed)]) - 1 if start else 0
    if not size:
        raise BadInput(f"{file}: its first line is no word with numbers, parted by spaces")
    numbers = table[NUMBERS].str.split(" ").cast(pl.List(pl.Float32), strict=False)
    right = (numbers.list.len() == size) & numbers.list.eval(
        pl.element().is_finite().fill_null(False)
    ).list.all()
    if not right.fill_null(False).all():
        word = table[ID].filter(~right.fill_null(False))[0]
        raise BadInput(f"{file}: {word!r} hasn't {size} numbers, as the first word has")
    values, columns = numbers.list.to_array(size).to_numpy(), [str(n + 1) for n in range(size)]
    return pl.concat([table.select(ID), pl.DataFrame(values, columns)], how="horizontal")
