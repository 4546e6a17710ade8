"""The files of words, as a translator may leave them."""

from pathlib import Path

import pytest

import recsweep.reporting
from recsweep.config.files import read_yaml
from recsweep.reporting.words import load_words

FOLDER = Path(recsweep.reporting.__file__).parent
FILES = sorted([*FOLDER.glob("words/*.yaml"), *FOLDER.glob("tasks/*/words.yaml")])


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_key_has_a_text_in_both_languages(path: Path) -> None:
    for key, texts in read_yaml(path).items():
        assert list(texts) == ["en", "zh"], key
        assert all(isinstance(text, str) for text in texts.values()), f"{key}: put it into quotes"


def test_a_page_may_have_several_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(f"{name}: {{en: x, zh: y}}\n")
    assert load_words(tmp_path / "a", tmp_path / "b")["zh"] == {"a": "y", "b": "y"}
