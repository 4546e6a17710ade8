"""Files of word vectors, as word2vec, GloVe and fastText write them."""

import gzip
from pathlib import Path

import polars as pl
import pytest

from recsweep.data import word_vectors
from recsweep.data.word_vectors import parts_of_texts, read_vectors
from recsweep.errors import BadInput

GLOVE = 'fine 0.5 -1\n" 1 2\n很 3 4e-1\nFine 9 9\nfine 8 8\n'
WORD2VEC = "5 2\n" + GLOVE.replace("\n", " \n")
WANTED = {"fine", '"', "很", "unheard"}


def read(path: Path, wanted: set[str] = WANTED) -> dict[str, list[float]]:
    return {word: values for word, *values in read_vectors(path, wanted).iter_rows()}


@pytest.mark.parametrize("content", [GLOVE, WORD2VEC, GLOVE.rstrip("\n")])
def test_every_usual_form_gives_the_wanted_words_their_first_vectors(
    tmp_path: Path, content: str
) -> None:
    expected = {'"': [1, 2], "fine": [0.5, -1], "很": [3, pytest.approx(0.4)]}
    (tmp_path / "a.vec").write_text(content, "utf-8")
    assert read(tmp_path / "a.vec") == expected
    assert read(tmp_path) == expected
    (tmp_path / "a.vec").unlink()
    (tmp_path / "a.vec.gz").write_bytes(gzip.compress(content.encode()))
    assert read(tmp_path) == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "its first line is no word with numbers"),
        ("fine\n", "its first line is no word with numbers"),
        ("fine 1 x\n", "'fine' hasn't 2 numbers"),
        ("fine 1 nan\n", "'fine' hasn't 2 numbers"),
        ("a 1 2\nfine 1\n", "'fine' hasn't 2 numbers"),
        ("a 1 2\nfine\n", "'fine' hasn't 2 numbers"),
        ("a 1 2\nfine 1\n很\n", "'fine' hasn't 2 numbers"),
        ("a 1 2\nfine 1 2 3\n", "'fine' hasn't 2 numbers"),
    ],
)
def test_a_line_that_is_no_vector_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "a.txt").write_text(content)
    with pytest.raises(BadInput, match=reason):
        read(tmp_path / "a.txt")


def test_files_of_two_widths_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("fine 1 2\n")
    (tmp_path / "b.txt").write_text("fine 1 2 3\n")
    with pytest.raises(BadInput, match="has vectors of 3 numbers, and another file"):
        read(tmp_path)


def test_of_texts_a_network_may_read_characters_and_words_in_lower_case() -> None:
    assert parts_of_texts(["Go on", "I"]) == {*"go on i", "go", "on"}
    assert parts_of_texts([]) == set()


def test_chinese_texts_are_taken_cut_and_uncut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cuts them needs seconds to begin: it is stood in for."""

    def words(text: str, chinese: bool, shortest: int) -> list[str]:
        cut = [text[:2], text[2:]] if chinese else [text]
        return [word for word in cut if len(word) >= shortest]

    monkeypatch.setattr(word_vectors, "words", words)
    assert parts_of_texts(["课程好"]) == {*"课程好", "课程", "课程好"}


def test_vectors_come_in_the_order_of_words_as_single_floats(tmp_path: Path) -> None:
    (tmp_path / "a.vec").write_text("b 1 2.5\na 3 4\nc 5 6\n")
    found = read_vectors(tmp_path / "a.vec", {"a", "b"})
    assert found.rows() == [("a", 3.0, 4.0), ("b", 1.0, 2.5)]
    assert found.schema == {"_id": pl.String, "1": pl.Float32, "2": pl.Float32}


def test_of_a_word_in_two_files_the_first_files_vector_counts(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("fine 1 2\n")
    (tmp_path / "2.txt").write_text("fine 3 4\n很 5 6\n")
    assert read(tmp_path) == {"fine": [1, 2], "很": [5, 6]}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("3 4\nfine 1\n", {"fine": [1]}),  # a header and vectors of one number would look alike
        ("fine 7\n很 8\n", {"fine": [7], "很": [8]}),
        ("fine 7\n", {"fine": [7]}),
        ("1 2\nfine 3 4\n", {"fine": [3, 4]}),
    ],
)
def test_a_header_is_two_words_over_longer_lines(
    tmp_path: Path, content: str, found: dict[str, list[float]]
) -> None:
    (tmp_path / "a.txt").write_text(content)
    assert read(tmp_path / "a.txt") == found


def test_a_control_character_in_a_word_does_no_harm_to_other_words(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("很 1 2\na\x1fb 1 2\nfine 3 4\n")
    assert read(tmp_path / "a.txt") == {"很": [1, 2], "fine": [3, 4]}


def test_a_file_that_cant_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nothing\.vec: can't be read as word vectors"):
        read(tmp_path / "nothing.vec")
