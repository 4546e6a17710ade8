"""The page in a browser: silent, sealed off, filtered; on a phone, in the dark, on paper."""

import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from recsweep.records.confirmation import Confirmation
from recsweep.records.selection import Selection
from recsweep.records.study import Study
from recsweep.reporting.answer import Answer, answer_of
from recsweep.reporting.page import write_page

AXE = "4.10.3"
A4 = (688, 1009)
"""Pixels of CSS on a sheet of paper within margins of 14 and 15 mm."""
VISIBLE = """() => {
    const words = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(node);
        const box = range.getBoundingClientRect(), shown = node.parentElement.checkVisibility();
        const inside = box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
        if (shown && box.width > 1 && inside) words.push(node.textContent);
    }
    return words.join(" ");
}"""
"""The text that a reader sees whole without scrolling."""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def study(make_study: Callable[..., Study]) -> Study:
    return make_study(12)


@pytest.fixture(scope="module")
def page_file(
    study: Study,
    selection_of: Callable[[Study], Selection],
    confirmation_of: Callable[..., Confirmation],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("page")
    return write_page(study, selection_of(study), confirmation_of(study), folder)


@pytest.fixture(scope="module")
def answer(
    make_study: Callable[..., Study],
    selection_of: Callable[[Study], Selection],
    confirmation_of: Callable[..., Confirmation],
) -> Answer:
    """What the page says first."""
    study = make_study(12)
    return answer_of(study, selection_of(study), confirmation_of(study))


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The accessibility checker, fetched for this run and kept nowhere."""
    npm, folder = shutil.which("npm"), tmp_path_factory.mktemp("axe")
    if npm is None:
        pytest.skip("no npm to fetch axe-core with")
    try:
        command = [npm, "pack", f"axe-core@{AXE}", "--silent"]
        subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=True)
    except (subprocess.SubprocessError, OSError):
        pytest.skip("axe-core can't be fetched")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extract("package/axe.min.js", folder, filter="data")
    return folder / "package" / "axe.min.js"


@pytest.fixture(scope="module")
def short_page_file(
    make_study: Callable[..., Study],
    selection_of: Callable[[Study], Selection],
    confirmation_of: Callable[..., Confirmation],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The same of three families, with as few trials as end in every way that a trial can."""
    families = {name: name for name in ("gru", "wide_deep", "popularity")}
    study, folder = make_study(6, families), tmp_path_factory.mktemp("short")
    assert {trial.state for trial in study.trials} == {"complete", "pruned", "failed"}
    return write_page(study, selection_of(study), confirmation_of(study), folder)


@pytest.fixture
def opened(browser: Any, page_file: Path) -> Iterator[Callable[..., Any]]:
    """Open a page; afterwards nothing may have been said or asked for."""
    troubles: list[str] = []
    contexts = []

    def open_page(
        width: int = 1280,
        height: int = 900,
        *,
        file: Path = page_file,
        unfold: bool = True,
        **options: Any,
    ) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        address = file.as_uri()
        page.on(
            "request", lambda r: None if r.url in (address, "data:,") else troubles.append(r.url)
        )
        page.goto(address)
        if unfold:
            page.evaluate("document.querySelectorAll('.part').forEach(part => part.open = true)")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not troubles


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_first_screen_answers_the_question_with_its_interval_and_its_learners(
    opened: Callable[..., Any], answer: Answer, width: int, height: int
) -> None:
    seen = " ".join(opened(width, height, unfold=False).evaluate(VISIBLE).split())
    assert answer.question in seen
    assert answer.sentence in seen
    assert answer.contrasts
    for contrast in answer.contrasts:
        assert contrast.pair in seen
        assert contrast.numbers in seen
    assert "400 learners" in answer.basis
    assert answer.basis in seen


def visible_families(page: Any) -> set[str]:
    script = """() => [...document.querySelectorAll('.board tbody tr')]
        .filter(row => row.checkVisibility())
        .map(row => row.querySelector('th').textContent.trim())"""
    return set(page.evaluate(script))


def shown(page: Any, selector: str) -> int:
    """How many can be seen of all that are found."""
    script = """found => found.filter(each => each.checkVisibility({visibilityProperty: true})
        && each.getBoundingClientRect().width).length"""
    return int(page.locator(selector).evaluate_all(script))


def test_the_filter_hides_a_family_everywhere_and_says_how_many_are_left(
    opened: Callable[..., Any],
) -> None:
    page = opened()
    everything = visible_families(page)
    assert len(everything) == 7
    page.get_by_role("checkbox", name="GRU", exact=True).uncheck()
    assert visible_families(page) == everything - {"GRU"}
    assert page.locator("#filter .status").inner_text() == "6 of 7 families shown"
    for section in ("curves", "parallel", "importance", "budget", "folds", "cost", "sealed"):
        assert shown(page, f"#{section} :text-is('GRU')") == 0, section
    assert shown(page, ".matrix td[data-family]") == 6 * 5
    page.get_by_role("button", name="None").click()
    assert visible_families(page) == set()
    page.get_by_role("button", name="All").click()
    assert visible_families(page) == everything


def test_the_filter_works_from_the_keyboard(opened: Callable[..., Any]) -> None:
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "checkbox":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Space")
    assert len(visible_families(page)) == 6


def test_without_scripts_everything_is_shown_and_no_filter(opened: Callable[..., Any]) -> None:
    page = opened(java_script_enabled=False, unfold=False)
    assert not page.locator("#filter").is_visible()
    assert page.locator(".board tbody tr").count() == 7
    assert not page.locator("#protocol li").first.is_visible()
    page.locator("#protocol summary").click()
    assert page.locator("#protocol li").first.is_visible()


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_no_width_needs_sideways_scrolling(opened: Callable[..., Any], width: int) -> None:
    page = opened(width)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_text_in_figures_is_readable_on_a_phone(opened: Callable[..., Any]) -> None:
    page = opened(375)
    smallest = page.evaluate(
        """() => Math.min(...[...document.querySelectorAll('.panel svg')].map(svg =>
            11 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width || 99))"""
    )
    assert smallest >= 9.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_the_paper_by_day_and_night(
    opened: Callable[..., Any], scheme: str
) -> None:
    page = opened(color_scheme=scheme)
    script = """() => {
        const rgb = c => c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
            .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
        const light = c => rgb(c).reduce((sum, v, n) => sum + v * [.2126, .7152, .0722][n], 0);
        const paper = light(getComputedStyle(document.body).backgroundColor);
        const out = {paper, worst: 99};
        for (const s of ['.headline', '.note', 'a', '.worse', '.better', 'thead th', '.small']) {
            const ink = light(getComputedStyle(document.querySelector(s)).color);
            out.worst = Math.min(out.worst,
                (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05));
        }
        return out; }"""
    found = page.evaluate(script)
    assert (found["paper"] < 0.1) == (scheme == "dark")
    assert found["worst"] >= 4.5


def test_on_paper_two_pages_hold_all_above_the_search_and_the_protocol_is_unfolded(
    opened: Callable[..., Any],
) -> None:
    page = opened(A4[0], A4[1], color_scheme="dark", unfold=False)
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    last = page.locator("#caveats").bounding_box()
    assert last["y"] + last["height"] <= 2 * A4[1]
    assert not page.locator("#search").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= A4[0]
    assert page.locator("#protocol li").first.is_visible()
    assert not page.locator(".config").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert not page.locator("details[open]").count()


def middle_of(page: Any, chart: str, trial: str) -> tuple[float, float]:
    """Where a trial's mark is on the screen."""
    mark = page.locator(f"{chart} [data-trial={trial}] .mark").first
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_familys_best_score_is_written_below_the_leaders_name(opened: Callable[..., Any]) -> None:
    page = opened()
    panels = page.locator("#curves svg:has(.leader)")
    assert panels.count() > 1
    for n in range(panels.count()):
        name, best = (
            panels.nth(n).locator(text).bounding_box() for text in (".leader text", "text.value")
        )
        assert name["y"] + name["height"] <= best["y"]


def test_a_trial_that_is_pointed_at_is_told_and_lit_in_every_chart_and_in_the_table(
    opened: Callable[..., Any], study: Study
) -> None:
    page = opened()
    trial = next(t for t in study.trials if t.id == "lstm-0002")
    assert trial.best is not None
    page.mouse.move(*middle_of(page, "#cost", trial.id))
    tip = page.locator("#tip").inner_text()
    assert trial.id in tip
    assert f"NDCG@10 {trial.best.value:.4f}" in tip
    assert "learning_rate" in tip
    for place in ("#curves", "#parallel", "#by_parameter", "#cost", "#trial-table"):
        assert page.locator(f"{place} .lit").evaluate_all(
            "(all) => all.map(e => e.dataset.trial)"
        ) == [trial.id]
    page.mouse.move(1, 1)
    assert not page.locator("#tip").is_visible()
    page.locator("#folds .series .mark.c1").first.hover(force=True)
    assert re.search(r"lstm-\d{4} · selected", page.locator("#tip").inner_text())


def test_a_finger_and_the_arrow_keys_reach_a_trial_as_well(opened: Callable[..., Any]) -> None:
    page = opened(390, has_touch=True)
    page.touchscreen.tap(*middle_of(page, "#cost", "gru-0001"))
    tip = page.locator("#tip")
    assert "gru-0001" in tip.inner_text()
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.locator("#curves svg").first.focus()
    page.keyboard.press("ArrowRight")
    first = tip.inner_text()
    page.keyboard.press("ArrowRight")
    assert tip.inner_text() != first
    page.keyboard.press("ArrowLeft")
    assert tip.inner_text() == first
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_the_table_sorts_and_its_filter_narrows_the_charts_and_their_axes(
    opened: Callable[..., Any], study: Study
) -> None:
    page = opened()
    rows = page.locator("#trial-table tbody tr:visible")
    ids = "(all) => all.map(e => e.dataset.trial)"
    best = sorted((t for t in study.trials if t.best), key=lambda t: -t.best.value)  # type: ignore[union-attr]
    assert rows.evaluate_all(ids)[:5] == [t.id for t in best[:5]]
    page.get_by_role("button", name="Epochs", exact=True).click()
    epochs = {t.id: len(t.epochs) for t in study.trials}
    found = [epochs[id_] for id_ in rows.evaluate_all(ids)]
    assert found == sorted(found, reverse=True)

    ticks = "() => [...document.querySelectorAll('#cost .axes text.end')].map(e => e.textContent)"
    before = page.evaluate(ticks)
    page.get_by_role("searchbox").fill("gru learning_rate>0.002 state=complete")
    wanted = {
        t.id
        for t in study.trials
        if t.family == "gru" and t.state == "complete" and t.config["learning_rate"] > 0.002  # type: ignore[operator]
    }
    assert set(rows.evaluate_all(ids)) == wanted
    assert set(page.locator("#cost .series[data-trial]:visible").evaluate_all(ids)) == wanted
    assert page.evaluate(ticks) != before
    assert f"{len(wanted)} of {len(study.trials)} trials" in page.locator("#find").inner_text()


def test_the_parameter_against_the_score_is_chosen(
    opened: Callable[..., Any], study: Study
) -> None:
    page = opened()
    page.get_by_label("Parameter of GRU", exact=True).select_option("loss")
    panel = page.locator(
        "#by_parameter .panel", has=page.get_by_label("Parameter of GRU", exact=True)
    )
    kinds = study.spaces["gru"].parameters["loss"].choices
    texts = panel.locator(".axes text").all_text_contents()
    assert sum(any(text[:5] == str(kind)[:5] for text in texts) for kind in kinds) == len(kinds)
    across = panel.locator(".series .mark").evaluate_all(
        "(all) => all.map(e => Math.round(e.getBoundingClientRect().x))"
    )
    assert 1 < len(set(across)) <= len(kinds)


# Of its rules contrast alone looks at colours; `test_words_stand_out` measures it in both schemes.
@pytest.mark.parametrize(("width", "scheme"), [(375, "dark"), (1280, "light")])
def test_an_accessibility_checker_finds_nothing(
    opened: Callable[..., Any], short_page_file: Path, axe: Path, width: int, scheme: str
) -> None:
    page = opened(width, file=short_page_file, color_scheme=scheme, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.add_script_tag(content=axe.read_text("utf-8"))
    found = page.evaluate("axe.run()")
    assert not [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]]
    assert len(found["passes"]) > 30
