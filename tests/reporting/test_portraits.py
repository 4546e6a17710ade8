"""Portraits on the page: honest words, hostile words, nobody's id."""

import re
from collections.abc import Callable
from pathlib import Path
from string import Formatter
from typing import Any

import numpy as np
import pytest

from recsweep.records.portrait import Cluster, CourseLift, Level, Portrait, ValueLift
from recsweep.records.selection import Selection
from recsweep.records.study import Study
from recsweep.reporting import words
from recsweep.reporting.charts.portrait_map import MOST
from recsweep.reporting.page import write_page
from recsweep.reporting.sections.portraits import Drawn, english, sentences

WORDS = Path(words.__file__).parent
PORTRAIT_WORDS = words.load_words(WORDS / "portrait.yaml")
HOSTILE = "\"><script>alert('x')</script>"


def portrait(learners: int = 900, **changes: object) -> Portrait:
    lifted = {"learners": 30, "share": 0.6, "overall": 0.004, "lift": 3.21}
    values = [
        ValueLift(table="learners", column="job", value="cook", **lifted),
        ValueLift(table="courses", column="tags", value=HOSTILE, **lifted),
    ]
    levels = [
        Level(table="history", column="purchase", learners=50, mean=1234.5, overall=0.0678,
              standardised=-1.26),
        Level(table="learners", column="age", learners=50, mean=1, overall=1, standardised=0.1),
    ]  # fmt: skip
    course = CourseLift(id="c1", label=HOSTILE, **lifted)
    parts = [(course, values, levels), (None, [], [])]
    clusters = [
        Cluster(
            cluster=n, learners=learners // 2, share=0.5, courses=(c,) if c else (),
            values=tuple(v), levels=tuple(x),
        )
        for n, (c, v, x) in enumerate(parts, 1)
    ]  # fmt: skip
    return Portrait.model_validate(
        {
            "study": "s", "family": "gru", "kind": "gru", "trial": "gru-0001", "config": {},
            "epochs": 3, "seed": 0, "learners": learners, "width": 4, "asked": None,
            "silhouettes": {2: 0.31, 3: 0.2}, "silhouette": 0.31, "structure": "weak",
            "stability": 0.876, "explained_variance": (0.6, 0.2), "clusters": clusters,
            "inputs": "i", "vectors": "v", "environment": {}, **changes,
        }
    )  # fmt: skip


def said(**changes: Any) -> str:
    return " ".join(sentences(portrait(**changes), english))


def test_weak_or_missing_groups_are_told_in_words() -> None:
    text = said()
    assert text.startswith("900 learners in 2 groups, chosen by silhouette score from 2 to 3")
    assert "The groups are weak: with a mean silhouette of 0.31" in text
    assert "adjusted Rand index of 0.88" in text
    none = said(structure="none", silhouette=0.11)
    assert "There are no clear groups: the mean silhouette is 0.11 (0.25 or less: no" in none
    assert "as was asked for" in said(asked=2)
    single = said(clusters=portrait().clusters[:1], silhouette=None, stability=None)
    assert single == ("900 learners, and too few that differ: there are no groups to tell apart.")
    unknown = said(asked=2, silhouette=None, stability=None)
    assert unknown.endswith("How clear the groups are can’t be told.")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_shows_each_group_with_counts_and_no_more_than_words(
    lang: str,
    make_study: Callable[..., Study],
    selection_of: Callable[[Study], Selection],
    tmp_path: Path,
) -> None:
    study, found = make_study(2, {"gru": "gru", "popularity": "popularity"}), portrait()
    random = np.random.default_rng(0)
    drawn = Drawn(found, random.integers(1, 3, 900), random.normal(size=(900, 2)))
    selection = selection_of(study)
    pages = [
        write_page(study, selection, None, tmp_path, lang, portraits=[drawn]).read_text("utf-8")
        for _ in range(2)
    ]
    assert pages[0] == pages[1]
    section = pages[0][pages[0].index('id="portraits"') :]
    section = section[: section.index('id="data"')]
    assert "<script>" not in section
    assert section.count("&lt;script&gt;") == 2
    assert section.count('class="mark faint') == MOST
    assert "×3.2" in section
    assert "0.4%" in section
    assert "−1.3" in section
    assert "1,234" in section
    assert "0.0678" in section
    assert "age" not in re.sub(r"<[^>]+>", " ", section).split()
    nothing = PORTRAIT_WORDS[lang]
    assert section.count(nothing["portrait_nothing"]) == 3
    assert 'href="#portraits"' in pages[0]


def test_without_a_portrait_there_is_no_section(
    make_study: Callable[..., Study], selection_of: Callable[[Study], Selection], tmp_path: Path
) -> None:
    study = make_study(2, {"gru": "gru"})
    page = write_page(study, selection_of(study), None, tmp_path).read_text("utf-8")
    assert "#portraits" not in page


def test_both_languages_have_the_same_keys_with_the_same_gaps() -> None:
    english_words, chinese = PORTRAIT_WORDS["en"], PORTRAIT_WORDS["zh"]
    assert english_words.keys() == chinese.keys()

    def gaps(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    assert not [k for k in chinese if gaps(english_words[k]) != gaps(chinese[k])]
    assert not english_words.keys() & words.load_words(WORDS / "page.yaml")["en"].keys()


def test_every_word_is_used() -> None:
    folder = WORDS.parent
    text = "\n".join(
        path.read_text("utf-8")
        for path in (*folder.glob("*/portrait*.py"), folder / "templates/page.html.j2")
        if path.parent.name != "words"
    )
    built = ("term:", "structure_", "portrait_value_", "portrait_level_")
    plain = [key for key in PORTRAIT_WORDS["en"] if not key.startswith(built)]
    assert not [key for key in plain if f'"{key}"' not in text]
