"""Studies held against each other, as committed evidence and as whole folders."""

import io
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from reference import REFERENCE
from rich.console import Console
from rich.table import Table
from typer.testing import CliRunner

from recsweep.cli import app
from recsweep.errors import BadInput
from recsweep.records.confirmation_files import LEARNERS, read_confirmation
from recsweep.records.evidence import read_evidence
from recsweep.reporting.compare.differences import Difference, _different, differences
from recsweep.reporting.compare.view import CompareView, names
from recsweep.reporting.words import COMPARE_WORDS
from recsweep.stages.compare import compare_stage, comparison_lines, comparison_table


def with_learners(folder: Path, users: int, shift: float = 0.0) -> None:
    """Made-up scores of learners for every family of a committed confirmation."""
    found = read_confirmation(folder)
    assert found is not None
    frames = [
        pl.DataFrame(
            {
                "family": [name] * (2 * users),
                "search": pl.Series([1] * (2 * users), dtype=pl.Int32),
                "seed": [0] * users + [1] * users,
                "user": list(range(users)) * 2,
                found.metric: [(n * 7 + m * 3) % 11 / 20 + shift * m for n in range(2 * users)],
            }
        )
        for m, name in enumerate(found.families)
    ]
    pl.concat(frames).write_parquet(folder / LEARNERS)


def view(*folders: Path, lang: str = "en") -> CompareView:
    compared = compare_stage(folders, lang)
    return CompareView(compared.changes[0], lang)


def test_studies_of_other_data_get_their_own_answers_and_no_verdict_on_a_change(
    folders: tuple[Path, Path],
) -> None:
    shown = CliRunner().invoke(app, ["compare", *map(str, folders)])
    assert shown.exit_code == 0, shown.output
    said = " ".join(shown.output.split())
    assert "different data" in said
    assert "mars: Not shown: on this log, the tuned GRU shows no significant difference" in said
    assert "data: fingerprint" in said
    page = folders[0].parent / "compare-default-mars.html"
    assert str(page) in shown.output.replace("\n", "")
    lines, differences = list(comparison_lines(view(*folders))), view(*folders).change.differences
    for kind, first in {d.kind: d for d in reversed(differences)}.items():
        (line,) = [line for line in lines if line.startswith(f"  {kind}: ")]
        many = sum(d.kind == kind for d in differences)
        assert line.startswith(f"  {kind}: {first.key} {first.before} → ")
        assert line.count("; ") + 1 == min(7, many)
        assert line.endswith(f"; +{many - 6}") or many <= 6
    html = page.read_text("utf-8")
    assert not re.search(r"\{&#39;|\[&#39;|&#39;: ", html)  # nothing of Python's own
    assert "wide &amp; deep" in html
    assert not re.findall(r'(?:src|href)="(?!data:|#)', html)


def test_a_study_against_itself_has_the_same_answer_and_nothing_that_differs(
    folders: tuple[Path, Path],
) -> None:
    again = folders[0].parent / "again"
    for folder in (folders[0], again):
        if folder == again:
            shutil.copytree(folders[0], again)
        with_learners(folder, 30)
    v = view(folders[0], again)
    assert v.change.basis == "paired"
    assert v.headline().startswith("The answer is the same: ")
    assert not v.change.differences
    assert all(c.difference == 0 and c.lower <= 0 <= c.upper for c in v.change.changes.values())
    assert "Nothing: " in " ".join(comparison_lines(v))
    headers = [str(column.header).replace("\n", "") for column in comparison_table(v).columns]
    assert headers == ["Family", *v.names, "Change, NDCG@10", "Outcome"]


@pytest.mark.parametrize(
    ("lang", "of_learners", "of_sessions"),
    [("en", "learner by learner", "session by session"), ("zh", "逐名学员", "逐个会话")],
)
def test_a_comparison_of_tables_of_sessions_speaks_of_sessions(
    tmp_path: Path, lang: str, of_learners: str, of_sessions: str
) -> None:
    for name in ("default", "purchase_online_shoppers"):
        shutil.copytree(REFERENCE / name, tmp_path / name)
        with_learners(tmp_path / name, 30)
        shutil.copytree(tmp_path / name, tmp_path / f"{name} again")
        basis = view(tmp_path / name, tmp_path / f"{name} again", lang=lang).basis()
        sessions = name == "purchase_online_shoppers"
        assert (of_sessions in basis, of_learners in basis) == (sessions, not sessions)


def test_learners_of_other_data_are_never_compared_though_their_codes_are_alike(
    folders: tuple[Path, Path],
) -> None:
    for folder in folders:
        with_learners(folder, 30)
    change = view(*folders).change
    assert (change.basis, change.changes, change.verdicts) == ("other_data", {}, {})


@pytest.mark.parametrize(("lang", "said"), [("en", "doesn’t respect time"), ("zh", "不考虑时间")])
def test_one_log_under_two_splits_is_held_against_itself_by_ranks(
    folders: tuple[Path, Path], lang: str, said: str
) -> None:
    out = folders[0].parent / "out"
    shutil.copytree(folders[0], out)
    for folder, shift in ((folders[0], 0.01), (out, -0.01)):
        with_learners(folder, 30, shift)
    for path in (out / "best").glob("*.yaml"):
        text = path.read_text("utf-8")
        text = text.replace("rule: time", "rule: leave_one_out")
        path.write_text(text.replace("fingerprint: ", "fingerprint: 0"), "utf-8")
    v = view(folders[0], out, lang=lang)
    assert v.change.basis == "other_split"
    assert not v.change.changes
    found = v.change.ranks
    assert found is not None
    assert found.turned > 0
    assert found.kendall.lower <= found.kendall.value <= found.kendall.upper
    lines = " ".join(comparison_lines(v))
    assert "Kendall" in lines
    assert said in lines
    ranks = [int(row[1].partition("(")[2].rstrip(")")) for row in v.rows()[:9]]
    assert sorted(ranks) == list(range(1, 10))
    html = compare_stage((folders[0], out), lang).page.read_text("utf-8")
    assert said in html
    assert str(v.ranks()) in html


def test_without_scores_of_learners_the_same_data_are_compared_from_means_and_errors(
    folders: tuple[Path, Path],
) -> None:
    again = folders[0].parent / "again"
    shutil.copytree(folders[0], again)
    v = view(folders[0], again)
    assert v.change.basis == "estimates"
    assert "recorded means and errors" in v.basis()


def test_a_lead_that_grew_is_told_with_its_interval(folders: tuple[Path, Path]) -> None:
    again = folders[0].parent / "again"
    shutil.copytree(folders[0], again)
    with_learners(folders[0], 60)
    with_learners(again, 60, shift=-0.05)
    v = view(folders[0], again)
    lead = v.change.lead
    assert lead is not None
    assert lead.paired
    assert lead.difference > 0.04
    assert lead.outcome == "better"
    assert "higher" in (v.lead() or "")


@pytest.mark.parametrize("of_learners", [True, False])
def test_a_lead_is_above_0_where_the_first_is_ahead_whichever_way_is_better(
    tmp_path: Path, of_learners: bool
) -> None:
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        shutil.copytree(REFERENCE / "purchase_simulated", folder)
        if of_learners:
            with_learners(folder, 30, shift=0.01)
    change = view(*folders).change
    assert change.metric == "log_loss"
    assert change.question is not None
    assert change.lead is not None
    first, second = (change.means[name][0] for name in change.question)
    assert change.lead.before == pytest.approx(second - first, abs=1e-9)
    assert change.lead.before != 0


def test_studies_of_one_name_at_the_root_are_told_apart_by_paths_that_can_be_typed() -> None:
    evidence = read_evidence(REFERENCE / "default")
    sides = [replace(evidence, folder=Path(f"/{name}/mine")) for name in ("a", "b")]
    assert names(*sides) == ("a/mine", "b/mine")
    assert names(sides[0], sides[0]) == ("/a/mine", "/a/mine")


def test_without_a_sealed_test_there_are_means_and_no_verdict(folders: tuple[Path, Path]) -> None:
    again = folders[0].parent / "again"
    shutil.copytree(folders[0], again)
    (again / "verdicts.json").unlink()
    v = view(folders[0], again)
    assert v.change.basis == "folds"
    assert "again has not opened its sealed test" in v.headline()
    assert {row[5] for row in v.rows()} == {""}


def test_where_a_study_is_copied_tracked_and_metered_may_have_moved_nothing() -> None:
    before = read_evidence(REFERENCE / "default")
    settings = {
        "storage": {"mirror": "/backup"},
        "energy": {"price_per_hour": 1.0},
        "tracking": {"project": "other"},
    }
    raw = {**before.experiment.model_dump(mode="json"), **settings}
    after = replace(before, experiment=type(before.experiment).model_validate(raw))
    assert differences(before, after) == []
    later = replace(before, experiment=type(before.experiment).model_validate({**raw, "seed": 1}))
    assert differences(before, later) == [Difference("experiment", "seed", "0", "1")]


def test_what_only_one_study_has_is_told_key_by_key() -> None:
    before = {"text": None, "events": [{"path": "a.csv"}], "families": {"gru": "gru"}, "k": [5, 10]}
    after = {
        "text": {"columns": ["title", "about"]},
        "events": [{"path": "a.csv"}, {"path": "b.csv"}],
        "families": {"gru": {"space": "gru"}},
        "k": (5, 10),
    }
    assert list(_different(before, after)) == [
        ("text.columns", "–", "title, about"),
        ("events.2.path", "–", "b.csv"),
        ("families.gru", "gru", "…"),
        ("families.gru.space", "–", "gru"),
    ]


@pytest.mark.parametrize("count", [0, 1])
def test_one_study_is_no_comparison(folders: tuple[Path, Path], count: int) -> None:
    with pytest.raises(BadInput, match="two studies"):
        compare_stage(folders[:count])


def test_a_folder_without_selected_configurations_is_told_what_to_run(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="recsweep select"):
        compare_stage((folders[0], tmp_path / "nowhere"))


def test_both_languages_have_the_same_words_and_blanks() -> None:
    blanks = [  # a measure word is something that Chinese alone has
        {key: set(re.findall(r"{(\w+)}", text)) - {"measure"} for key, text in words.items()}
        for words in COMPARE_WORDS.values()
    ]
    assert blanks[0] == blanks[1]


def test_the_page_is_written_in_chinese_too_and_in_no_other_language(
    folders: tuple[Path, Path],
) -> None:
    page = compare_stage(folders, "zh").page
    assert page.name == "compare-default-mars.zh.html"
    assert '<html lang="zh">' in page.read_text("utf-8")
    with pytest.raises(BadInput, match="allowed: en, zh"):
        compare_stage(folders, "fr")


def test_studies_of_one_name_are_called_by_as_much_of_their_paths_as_tells_them_apart(
    tmp_path: Path, folders: tuple[Path, Path]
) -> None:
    before, after = (tmp_path / side / "deep" / "default" for side in ("before", "after"))
    for folder in (before, after):
        shutil.copytree(folders[0], folder)

    shown = view(before, after)

    assert shown.names == ("before/deep/default", "after/deep/default")
    told = CliRunner().invoke(app, ["compare", str(before), str(after)], terminal_width=80)
    assert re.search(r"^ *(Family +)?default +default", told.output, re.MULTILINE), told.output
    assert re.search(r"^ *GRU +0\.\d{4} +0\.\d{4}", told.output, re.MULTILINE), told.output


def test_an_ensemble_has_a_row_where_both_studies_have_confirmed_one(
    tmp_path: Path, folders: tuple[Path, Path]
) -> None:
    fused = tmp_path / "fused"  # its best/ holds some of the families alone
    shutil.copytree(REFERENCE.parent / "ensembles" / "default", fused)

    shown = compare_stage([fused, fused])

    assert shown.changes[0].means["ensemble"] == pytest.approx((0.1247, 0.1247), abs=5e-5)
    assert "Ensemble" in shown.page.read_text("utf-8")
    assert "ensemble" not in view(fused, folders[0]).change.means


def shown(*differences: Difference, changes: Mapping[str, str] | None = None) -> Any:
    """What readers see of two studies, in the keys of the words."""
    told = {name: SimpleNamespace(outcome=outcome) for name, outcome in (changes or {}).items()}
    return SimpleNamespace(
        names=("before/a", "after"),
        metric="NDCG@10",
        change=SimpleNamespace(changes=told, differences=differences),
        say=lambda key: key,
        title=str.upper,
        rows=lambda: [
            ("gru", "0.1", "0.22", "+0.12", "not", "shown"),
            ("lstm", "0.3", "0.4", "", "not", "shown"),
        ],
        headline=lambda: "headline",
        answers=lambda: [("a", "yes"), ("b", "no")],
        ranks=lambda: None,
        lead=lambda: "lead",
        basis=lambda: "basis",
    )


def printed(table: Table, width: int = 80) -> list[str]:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table)
    lines = console.export_text().splitlines()
    return [line.rstrip() for line in lines if set(line) - set(" ─╶╴")]


def test_a_table_has_a_row_a_family_and_names_no_wider_than_they_must_be() -> None:
    told = [
        "         before/",
        " family        a  after  difference, NDCG@10  outcome",
        " GRU         0.1   0.22                +0.12  short_better",
        " LSTM        0.3    0.4",
    ]
    assert printed(comparison_table(shown(changes={"gru": "better"}))) == told
    untold = [told[0], " family        a  after", " GRU         0.1   0.22", told[3]]
    assert printed(comparison_table(shown())) == untold


def test_on_a_narrow_terminal_names_are_folded_and_neither_a_change_nor_what_it_says_is() -> None:
    lines = printed(comparison_table(shown(changes={"gru": "better"})), width=50)
    assert lines[:3] == ["      bef", "      ore", "        /  aft"]
    assert lines[4] == " GRU  0.1  0.2                +0.12  short_better"


def test_of_each_kind_six_differences_are_shown_and_the_others_counted() -> None:
    few = [Difference("data", f"k{n}", "1", "2") for n in range(6)]
    many = [Difference("code", f"c{n}", "1", "2") for n in range(7)]
    assert [*comparison_lines(shown(many[0], *few, *many[1:]))] == [
        "headline",
        "  a: yes",
        "  b: no",
        "lead",
        "basis",
        "  kind_code: " + "; ".join(f"c{n} 1 → 2" for n in range(6)) + "; +1",
        "  kind_data: " + "; ".join(f"k{n} 1 → 2" for n in range(6)),
    ]
    assert [*comparison_lines(shown())] == [
        *("headline", "  a: yes", "  b: no", "lead", "basis", "nothing")
    ]


def test_every_later_study_is_held_against_the_first(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    again = folders[0].parent / "again"
    shutil.copytree(folders[0], again)
    found = compare_stage((*folders, again))
    assert [(c.before.folder, c.after.folder) for c in found.changes] == [
        (folders[0], folders[1]),
        (folders[0], again),
    ]
    assert found.page == folders[0].parent / "compare-default-mars-again.html"
