"""A task's part of the report is found beside ours, or in its own package, or left out."""

from collections.abc import Iterator

import pytest

from recsweep.config.schema.data import Data
from recsweep.reporting.tasks import registry
from recsweep.reporting.words import COMPARE_WORDS, PAGE_WORDS


@pytest.fixture(autouse=True)
def _found_anew() -> Iterator[None]:
    registry.report_of.cache_clear()
    yield
    registry.report_of.cache_clear()


@pytest.mark.parametrize("task", ["next_item", "purchase", "uplift"])
@pytest.mark.parametrize("lang", list(PAGE_WORDS))
def test_a_tasks_words_come_before_the_pages(task: str, lang: str) -> None:
    words, own = registry.words_of(task, lang), registry.report_of(task).words[lang]
    assert {key: words[key] for key in own} == own
    assert words["sealed_cold"] != PAGE_WORDS[lang]["sealed_cold"]
    assert words.keys() >= PAGE_WORDS[lang].keys()


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "tuned this hard, on this table."), ("zh", "在这份数据上以同等力度")]
)
def test_what_a_study_was_read_from_is_called_by_its_name(lang: str, said: str) -> None:
    """A table of sessions is no log."""
    table = {"path": "x", "label": "bought", "positive": ["1"], "numeric": ["pages"]}
    data = Data.model_validate({"name": "shop", "sessions": table})
    say = registry.speaker_of(registry.words_of("purchase", lang), data)
    assert said in say("scope_families", n=2)
    splits = registry.speaker_of(COMPARE_WORDS[lang], data)
    assert say("read_sessions") in splits("other_split")


@pytest.mark.parametrize(
    ("lang", "others"),
    [("en", ("event", "course", "learner", "ids")), ("zh", ("事件", "课程", "学员", "编号"))],
)
def test_rules_of_texts_speak_of_texts(lang: str, others: tuple[str, ...]) -> None:
    words = registry.words_of("text", lang)
    rules = ("time", "stratified", "group")
    for key in (
        *(f"protocol_folds_{r}" for r in rules),
        "protocol_features",
        "no_features",
        "data_folds",
    ):
        assert not [word for word in others if word in words[key]], words[key]


def test_without_a_module_report_there_is_nothing_of_the_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "task_packages", lambda: {"plain": "recsweep.data.features"})
    assert registry.report_of("plain") == registry.TaskReport()
    assert registry.words_of("plain", "zh") == PAGE_WORDS["zh"]


def test_a_language_that_a_task_lacks_is_said_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    english = registry.TaskReport(words={"en": {"rule": "A rule."}})
    monkeypatch.setattr(registry, "report_of", lambda task: english)
    assert registry.words_of("any", "zh")["rule"] == "A rule."
