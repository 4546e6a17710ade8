"""Files of word vectors, as word2vec, GloVe and fastText write them."""

import gzip
from pathlib import Path

import pytest

from recsweep.config.schema import Experiment
from recsweep.data.prepare import prepare
from recsweep.data.sealed import unseal
from recsweep.data.word_vectors import read_vectors
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


def study(folder: Path) -> Experiment:
    rows = [f"{word} {n},{n % 2}" for n, word in enumerate(["fine", "dull"] * 10)]
    (folder / "texts.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    table = {"path": str(folder / "texts.csv"), "text": "text", "label": {"column": "label"}}
    vectors = {"path": str(folder / "words.txt")}
    return Experiment.model_validate(
        {
            "study": "tiny",
            "task": "text",
            "data": {"name": "tiny", "texts": [table], "word_vectors": vectors},
            "folds": {"rule": "stratified", "count": 2, "test": 0.2},
            "families": ["gru"],
        }
    )


def test_the_data_are_others_with_other_vectors_and_words_of_the_test_alone_are_sealed(
    tmp_path: Path,
) -> None:
    numbers = "\n".join(f"{n} {n} 1" for n in range(10, 20))
    (tmp_path / "words.txt").write_text(f"fine 1 2\ndull 3 4\nunheard 5 6\n{numbers}\n")
    one = prepare(study(tmp_path), tmp_path)
    assert one.word_vectors is not None
    known = set(one.word_vectors["_id"])
    assert one.users is not None
    said = {word for text in one.users["_text"] for word in text.split()}
    assert known == said & ({"fine", "dull"} | {str(n) for n in range(10, 20)})
    whole = unseal(one)
    assert whole.word_vectors is not None
    assert set(whole.word_vectors["_id"]) == {"fine", "dull", *map(str, range(10, 20))}
    (tmp_path / "words.txt").write_text(f"fine 1 2\ndull 3 5\nunheard 5 6\n{numbers}\n")
    assert prepare(study(tmp_path), tmp_path).fingerprint != one.fingerprint
    (tmp_path / "words.txt").write_text("unheard 5 6\n")
    with pytest.raises(BadInput, match="has a vector of no word or character of the texts"):
        prepare(study(tmp_path), tmp_path)
