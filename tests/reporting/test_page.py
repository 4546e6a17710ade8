"""The page as a file: whole, safe, small, the same twice, and in two languages."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import pytest

from recsweep.config.schema import Budget, Experiment, Stopping
from recsweep.data.manifest import Manifest
from recsweep.errors import BadInput
from recsweep.models.registry import titles
from recsweep.records.confirmation import Confirmation
from recsweep.records.earlier import Taken
from recsweep.records.selection import Selection
from recsweep.records.study import Study
from recsweep.reporting import words as reporting_words
from recsweep.reporting.answer import answer_of
from recsweep.reporting.page import write_page
from recsweep.reporting.sections.verdicts import verdict_on
from recsweep.reporting.tasks.registry import report_of
from recsweep.reporting.view import signed
from recsweep.reporting.words import PAGE_WORDS, load_words
from recsweep.spaces.declared import Widening

MakeStudy = Callable[..., Study]
Select = Callable[[Study], Selection]
Confirm = Callable[..., Confirmation]

_FOLDER = Path(reporting_words.__file__).parent
PAGE_ALONE = load_words(_FOLDER / "page.yaml", _FOLDER / "answer.yaml")  # see test_portraits
BOTH = tuple(
    (words["en"], words["zh"])
    for words in (
        PAGE_ALONE,
        *(report_of(task).words for task in ("next_item", "purchase", "uplift")),
    )
)
VOID = {"meta", "link", "input", "br", "img", "hr"}
HOSTILE = "\"><script>alert('x')</script><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """Reads a page; complains about elements that are not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style", "title"):
            self.text += data

    def values(self, name: str) -> list[str]:
        return [value or "" for _, key, value in self.attributes if key == name]


@pytest.fixture(scope="module")
def usual() -> dict[tuple[bool, str], str]:
    """Pages that several tests read."""
    return {}


@pytest.fixture
def written(
    make_study: MakeStudy,
    selection_of: Select,
    confirmation_of: Confirm,
    tmp_path: Path,
    usual: dict[tuple[bool, str], str],
) -> Callable[..., str]:
    """Write a page and read it back."""

    def write(
        study: Study | None = None,
        *,
        sealed: bool = False,
        lang: str = "en",
        manifest: Manifest | None = None,
        **confirm: int,
    ) -> str:
        if not (study or manifest or confirm):
            if (sealed, lang) not in usual:
                usual[sealed, lang] = write(make_study(12), sealed=sealed, lang=lang)
            return usual[sealed, lang]
        study = study or make_study(12)
        confirmation = confirmation_of(study, **confirm) if sealed else None
        path = write_page(study, selection_of(study), confirmation, tmp_path, lang, manifest)
        return path.read_text("utf-8")

    return write


@pytest.mark.parametrize("lang", list(PAGE_WORDS))
@pytest.mark.parametrize("sealed", [False, True])
def test_every_element_is_closed_and_every_reference_leads_somewhere(
    written: Callable[..., str], lang: str, sealed: bool
) -> None:
    page = Page(written(sealed=sealed, lang=lang))
    ids = Counter(page.values("id"))
    assert max(ids.values()) == 1
    links = [v[1:] for v in page.values("href") if v.startswith("#")]
    assert len(links) >= 11
    assert set(links) <= set(ids)
    assert set(page.values("aria-labelledby")) <= set(ids)
    assert page.values("lang") == [lang]


def test_nothing_is_fetched(written: Callable[..., str]) -> None:
    html = written(sealed=True)
    page = Page(html)
    assert not page.values("src")
    assert [v for v in page.values("href") if not v.startswith("#")] == ["data:,"]
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html)
    assert any(v.startswith("default-src 'none'; ") for v in page.values("content"))


def test_hostile_words_stay_words(make_study: MakeStudy, written: Callable[..., str]) -> None:
    study = make_study(12, {"gru": "gru", "popularity": "popularity"}, description=HOSTILE)
    trials = tuple(
        replace(t, state="failed", reason=HOSTILE) if t.number == 5 else t for t in study.trials
    )
    counts = study.folds["fold0"]
    folds = {fold: {**counts, HOSTILE: 1} for fold in study.folds}
    hostile = replace(
        study,
        trials=trials,
        folds=folds,
        dataset=HOSTILE,
        environment={**study.environment, "cpu": HOSTILE, "code": {"commit": HOSTILE}},
    )
    page = Page(written(hostile))
    assert page.tags["script"] == 2  # the page's own, and its data
    assert page.tags["img"] == 0
    assert not [name for name in (a[1] for a in page.attributes) if name.startswith("on")]
    assert page.text.count(HOSTILE) >= 5


def test_a_study_of_200_trials_stays_below_3_mb(
    make_study: MakeStudy, written: Callable[..., str]
) -> None:
    study = make_study(40)
    assert len(study.trials) >= 200
    assert len(written(study, sealed=True).encode()) < 3_000_000


def test_the_same_study_gives_the_same_bytes(
    make_study: MakeStudy, written: Callable[..., str]
) -> None:
    study = make_study(12)
    assert written(study, sealed=True) == written(study, sealed=True)


def test_the_chinese_page_has_a_name_of_its_own(
    make_study: MakeStudy, selection_of: Select, tmp_path: Path
) -> None:
    study = make_study(2, {"gru": "gru"})
    names = [
        write_page(study, selection_of(study), None, tmp_path, lang).name for lang in ("en", "zh")
    ]
    assert names == ["report.html", "report.zh.html"]


def test_pages_in_two_languages_link_to_each_other(
    make_study: MakeStudy, selection_of: Select, tmp_path: Path
) -> None:
    study = make_study(2, {"gru": "gru"})
    alone = write_page(study, selection_of(study), None, tmp_path).read_text("utf-8")
    assert "hreflang" not in alone
    both = write_page(study, selection_of(study), None, tmp_path, others=["zh"]).read_text("utf-8")
    assert 'hreflang="zh" href="report.zh.html">中文</a>' in both


def test_a_language_that_nobody_wrote_is_refused(
    make_study: MakeStudy, selection_of: Select, tmp_path: Path
) -> None:
    study = make_study(2, {"gru": "gru"})
    with pytest.raises(BadInput, match="language 'fr' is not known; allowed: en, zh"):
        write_page(study, selection_of(study), None, tmp_path, "fr")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("english", "chinese"), BOTH)
def test_both_languages_have_the_same_keys_with_the_same_gaps(
    english: dict[str, str], chinese: dict[str, str]
) -> None:
    assert english.keys() == chinese.keys()

    def gaps(text: str) -> set[str]:
        names = {name for _, name, _, _ in Formatter().parse(text) if name}
        return names - {"measure"}  # a measure word, which Chinese alone has

    differing = {
        k: (english[k], chinese[k]) for k in english if gaps(english[k]) != gaps(chinese[k])
    }
    assert not differing


def test_every_word_is_used() -> None:
    folder = Path(__file__).parents[2] / "src" / "recsweep" / "reporting"
    parts = [p for p in folder.rglob("*") if "words" not in (p.parent.name, p.stem)]
    sources = [p for p in parts if p.suffix in (".py", ".j2")]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    built = (
        "term:",
        "state_",
        "which_",
        "seen_",
        "rule_",
        "outcome_",
        "verdict_",
        "basis_",
        "read_",
        "cost_",
    )
    of_folds = ("protocol_folds_", "fact_folds_", "leaderboard_folds_")
    of_answer = ("question_", "answer_", "said_", "contrast_", "how_", "scope_", "runs_", "list_")
    of_task = ("beyond_", "duplicates_", "sampler_")
    built_too = ("protocol_stopping_", "caveat_", "gives_up_", *of_folds, *of_answer, *of_task)
    plain = [
        key for english, _ in BOTH for key in english if not key.startswith((*built, *built_too))
    ]
    assert not [key for key in plain if f'"{key.partition(":")[0]}"' not in text]


@pytest.mark.parametrize(
    ("lang", "told", "not_told"),
    [("en", "wait for each other", "asynchronous"), ("zh", "相互等待", "异步")],
)
def test_a_repeatable_search_is_told_to_wait_at_rungs(
    make_study: MakeStudy, written: Callable[..., str], lang: str, told: str, not_told: str
) -> None:
    study = make_study(2)
    asked = study.experiment.model_copy(update={"repeatable": True})
    text = Page(written(replace(study, experiment=asked), lang=lang)).text
    assert told in text
    assert not_told not in text


def test_before_the_test_is_opened_the_first_sentence_says_so(written: Callable[..., str]) -> None:
    text = Page(written()).text
    closed = "Not answered yet: there is no verdict of the sealed test on this selection."
    assert f"{closed} On the folds, GRU leads" in text
    assert "don’t rank models by them" in text
    assert "Sealed test" not in text


def test_after_it_the_answer_its_intervals_and_its_caveats_stand_before_everything_else(
    make_study: MakeStudy, selection_of: Select, confirmation_of: Confirm, tmp_path: Path
) -> None:
    study = make_study(4, {name: name for name in ("gru", "gru_unordered", "wide_deep")})
    selection, sealed = selection_of(study), confirmation_of(study, openings=3)
    for lang in PAGE_WORDS:
        said = answer_of(study, selection, sealed, lang)
        text = Page(write_page(study, selection, sealed, tmp_path, lang).read_text("utf-8")).text
        parts = (said.question, said.sentence, said.contrasts[0].numbers, said.basis)
        places = [text.index(part) for part in (*parts, said.plainly, said.sequence)]
        places += [text.index(caveat) for caveat in said.caveats]
        places.append(text.rindex(PAGE_WORDS[lang]["search"] + "\n"))
        assert places == sorted(places)


def test_without_a_twin_the_page_says_that_the_sequence_was_not_asked_about(
    make_study: MakeStudy, written: Callable[..., str]
) -> None:
    study = make_study(4, {name: name for name in ("gru", "popularity")})
    assert "no network was compared with its twin" in Page(written(study, sealed=True)).text
    floors = make_study(4, {name: name for name in ("item_knn", "popularity")})
    assert "twin" not in Page(written(floors, sealed=True)).text


def test_the_matrix_holds_every_family_against_every_other_as_the_record_does(
    make_study: MakeStudy, written: Callable[..., str], confirmation_of: Confirm
) -> None:
    study = make_study(4, {name: name for name in ("gru", "item_knn", "popularity")})
    html = written(study, sealed=True)
    matrix = html[html.index('<table class="matrix">') :]
    cells = re.findall(r'<td class="(better|worse|equivalent|no|self)', matrix)
    assert (len(cells), cells.count("self")) == (9, 3)
    verdict = verdict_on(confirmation_of(study), "item_knn", "popularity")
    assert f"{signed(verdict.difference)} <span" in matrix
    assert f"{signed(-verdict.difference)} <span" in matrix


def test_families_have_the_names_that_people_give_them(written: Callable[..., str]) -> None:
    for sealed in (True, False):
        upper = Page(written(sealed=sealed)).text.split("The search\n")[0]
        for name in ("item_knn", "wide_deep", "matrix_factorization"):
            assert name not in upper


def test_parts_of_the_targets_are_told_of_the_question_and_of_the_headline(
    written: Callable[..., str],
) -> None:
    html = written(sealed=True)
    pairs = re.findall(r'<h4 id="h-sealed-groups-\d">([^<]+)</h4>', html)
    assert pairs == ["GRU against matrix factorisation", "Item neighbours against GRU"]
    english, chinese = Page(html).text, Page(written(sealed=True, lang="zh")).text
    assert "history of up to 1,200 events" in english
    assert "历史不超过 1,200 个事件" in chinese
    assert "new learner" not in chinese
    assert "something else" in chinese
    (alone, _) = re.findall(r">new learner</th>\n<td [^>]+>([^<]+)</td>\n<td [^>]+>([^<]+)<", html)
    assert alone[0] == "–"  # one learner: a difference without an interval
    assert re.fullmatch(r"[+−]\d\.\d{4}", alone[1])


def test_one_pair_that_is_both_is_told_once(
    make_study: MakeStudy, written: Callable[..., str], confirmation_of: Confirm
) -> None:
    study = make_study(4, {"wide_deep": "wide_deep", "gru": "gru"})
    html = written(study, sealed=True)
    assert re.findall(r'<h4 id="h-sealed-groups-\d">([^<]+)</h4>', html) == [
        "GRU against wide &amp; deep"
    ]
    halves = confirmation_of(study).subgroups[:2]
    for half in halves:  # recorded as wide_deep - gru
        found = half.differences["wide_deep - gru"].difference
        assert found is not None
        assert f"{-found:+.4f} [" in html
    assert re.search(r"Of 4 parts, GRU is ahead in \d and wide &amp; deep in 0,", html)


def test_cold_targets_coverage_and_novelty_are_told(written: Callable[..., str]) -> None:
    text = Page(written(sealed=True)).text
    assert "Of its 9,815 targets, 1.2% are on courses that training doesn’t know" in text
    assert "Coverage@10" in text
    assert "Novelty@10, bits" in text
    assert "Gini index" in text
    assert "of the lists of 10 courses" in text.lower()


def test_the_commands_are_right_whatever_the_experiments_file_is_called(
    written: Callable[..., str],
) -> None:
    text = Page(written()).text
    assert "make reproduce BEST=results/made-up/best/gru.yaml" in text
    assert "EXPERIMENT=" not in text


def test_the_leader_is_in_the_first_row(
    make_study: MakeStudy, selection_of: Select, written: Callable[..., str]
) -> None:
    study = make_study(12)
    values = {name: choice.value for name, choice in selection_of(study).families.items()}
    ordered = sorted(values, key=lambda name: -values[name])
    titles_of = titles({name: name for name in ordered})
    rows = re.findall(r'role="rowheader" scope="row">.*?</svg> ([^<]+)</th>', written(study))
    assert [unescape(row).lower() for row in rows[: len(ordered)]] == [
        titles_of[name].lower() for name in ordered
    ]


def test_tuning_is_compared_with_the_published_defaults(
    make_study: MakeStudy, selection_of: Select, written: Callable[..., str]
) -> None:
    study = make_study(12, {"gru": "gru"})
    first, choice = study.trials[0].best, selection_of(study).families["gru"]
    assert first is not None
    assert choice.trial != "gru-0000"
    assert f"+{choice.value - first.value:.4f}" in Page(written(study)).text


def test_warnings_stand_beside_their_family(
    make_study: MakeStudy, selection_of: Select, tmp_path: Path
) -> None:
    study = make_study(6, {"gru": "gru"})
    selection = selection_of(study)
    edge = "depth = 2 is at the upper end of [1, 2]: a wider range may hold a better one"
    choice = replace(
        selection.families["gru"], converged=False, epochs=8, near_edge=(edge, "something else")
    )
    selection = replace(selection, families={"gru": choice})
    english, chinese = (
        Page(write_page(study, selection, None, tmp_path, lang).read_text("utf-8")).text
        for lang in ("en", "zh")
    )
    assert "not converged: its best epoch, 8, is the last one allowed" in english
    assert "depth = 2 of [1, 2]" in english
    assert "something else" in english
    assert "depth = 2，范围 [1, 2]" in chinese


def test_a_failed_trial_is_listed_with_its_reason(written: Callable[..., str]) -> None:
    assert "the training loss is nan in epoch 2" in Page(written()).text


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_a_search_began_with_and_what_was_widened_is_told(
    make_study: MakeStudy, written: Callable[..., str], lang: str
) -> None:
    study = make_study(2, {"popularity": "popularity"})
    keys = {"warm_start": ["results/before"], "search": {"sampler": "gp"}}
    experiment = Experiment.model_validate(study.experiment.model_dump() | keys)
    taken = Taken("results/before", "f00" * 9, {"popularity": 7}, {"popularity": 0})
    wide = Widening(parameter="half_life_days", before=(1, 30), now=(0.5, 99), trials=6)
    study = replace(
        study, experiment=experiment, warm_start=(taken,), widened={"popularity": (wide,)}
    )
    text = Page(written(study, lang=lang)).text
    told = ("results/before", "f00f00f00f00", "half_life_days", "[1, 30]", "[0.5, 99]")
    assert all(word in text for word in told)
    assert ("Gaussian process" if lang == "en" else "高斯过程") in text
    assert ("its budget is larger than" if lang == "en" else "实际预算大于") in text


def test_how_trials_are_stopped_is_told_as_a_repeatable_search_does_it(
    make_study: MakeStudy, written: Callable[..., str]
) -> None:
    study = make_study(3, {"gru": "gru"})
    plain = Page(written(study)).text
    assert "asynchronous successive halving" in plain
    assert "in a row" not in plain
    keys = {"repeatable": True, "stopping": Stopping(patience=1)}
    experiment = study.experiment.model_copy(update=keys)
    text = Page(written(replace(study, experiment=experiment))).text
    assert "trials of a batch wait for each other, and of 3 trials one goes on" in text
    assert "asynchronous" not in text
    assert "its last epochs, 1 in a row, were no better than its best one" in text


def test_an_extended_budget_is_told_with_what_was_added(
    make_study: MakeStudy, written: Callable[..., str]
) -> None:
    study = make_study(3, {"gru": "gru"})
    experiment = study.experiment.model_copy(update={"budget": Budget(trials=2)})
    text = Page(written(replace(study, experiment=experiment))).text
    assert "Equal budget: 3 trials a tuned family" in text


@pytest.mark.parametrize("sealed", [False, True])
def test_the_smallest_study_has_a_page(
    make_study: MakeStudy, written: Callable[..., str], sealed: bool
) -> None:
    """One family, one trial, one fold, one epoch."""
    study = make_study(1, {"popularity": "popularity"})
    only = study.trials[0]
    epoch = only.epochs[0]
    metrics = {key: values[:1] for key, values in epoch.metrics.items()}
    trial = replace(only, epochs=(replace(epoch, metrics=metrics, losses=(None,)),))
    small = replace(study, trials=(trial,), folds={"fold0": study.folds["fold0"]}, sessions=())
    text = Page(written(small, sealed=sealed)).text
    reached = "popularity reaches" if sealed else "popularity leads with"
    assert reached in text
    assert "nan" not in text


def test_what_was_dropped_is_counted_and_what_was_not_is_left_out(
    written: Callable[..., str],
) -> None:
    english = Page(written(manifest=manifest_of())).text
    assert "dropped: no course id" in english
    assert "no learner id" not in english
    assert "such as “login” (7)" in english
    assert "1,234" in english
    assert "剔除：没有课程编号" in Page(written(lang="zh", manifest=manifest_of())).text


def manifest_of() -> Manifest:
    moment = {"microseconds": 0, "iso": "2026-01-01T00:00:00Z"}
    period = {"start": moment, "end": moment, "events": 5, "users": 3, "items": 2, "types": {}}
    features = dict.fromkeys(
        ("rows", "without_id", "repeated", "without_event", "ids_without_row"), 1
    )
    return Manifest.model_validate(
        {
            "recsweep_format": 1,
            "name": "made-up",
            "inputs": "0",
            "fingerprint": "0",
            "cleaning": [
                {
                    "path": "log.csv",
                    "rows": 1234,
                    "dropped": {"no user id": 0, "no item id": 3},
                    "unmapped_types": {"login": 7},
                    "kept": 10,
                }
            ],
            "duplicates": 2,
            "user_table": {"path": "users.csv", **features},
            "item_table": None,
            "development": period,
            "folds": [],
            "sealed_test": period,
            "raw": [],
            "files": {},
            "data": {
                "name": "made-up",
                "events": [{"path": "x", "user": "u", "item": "i", "time": "t"}],
            },
            "fold_rule": {},
        }
    )
