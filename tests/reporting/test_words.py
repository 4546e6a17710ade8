"""The files of words, as a translator may leave them."""

from pathlib import Path

import pytest

import recsweep.reporting
from recsweep.config.files import read_yaml
from recsweep.config.schema import question_of, task_packages
from recsweep.reporting.tasks.registry import words_of
from recsweep.reporting.words import load_words

DESCRIBED = ("protocol_folds", "leaderboard_folds", "fact_folds")
"""On the page, in the leaderboard, among the page's facts."""

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


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_way_to_split_is_described_with_what_it_gives_up(lang: str) -> None:
    for task in task_packages():
        words, rules = words_of(task, lang), {*question_of(task).folds}
        keys = {f"{key}_{rule}" for key in DESCRIBED for rule in rules}
        assert keys | {f"gives_up_{rule}" for rule in rules - {"time"}} <= words.keys()
