"""One statement over the committed evidence of several studies, and a methods section."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from recsweep.cli import app
from recsweep.errors import BadInput
from recsweep.evaluation.meta import pool
from recsweep.models.registry import titles
from recsweep.records.checked import write_checked
from recsweep.records.confirmation_files import VERDICTS, read_confirmation
from recsweep.stages.methods import methods_stage
from recsweep.stages.verdict import statement_lines, verdict_stage

RESULTS = Path(__file__).parents[2] / "examples" / "reference"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("default", "mars"):
        shutil.copytree(RESULTS / name, tmp_path / name)
    return tmp_path / "default", tmp_path / "mars"


def changed(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    content = json.loads((folder / VERDICTS).read_text("utf-8"))
    content.pop("digest", None)
    change(content)
    write_checked(folder / VERDICTS, content)


def test_each_log_stands_beside_the_statement_over_all(folders: tuple[Path, Path]) -> None:
    shown = CliRunner().invoke(app, ["verdict", *map(str, folders)])
    assert shown.exit_code == 0, shown.output
    statement = verdict_stage(folders)
    pair = next(p for p in statement.pairs if {p.a, p.b} == {"lstm", "matrix_factorization"})
    confirmations = [read_confirmation(folder) for folder in folders]
    of_logs = [
        next(v for v in c.pairs if (v.a, v.b) == (pair.a, pair.b)) for c in confirmations if c
    ]
    level = 1 - 0.05 / len(statement.pairs)
    expected = pool([v.difference for v in of_logs], [v.standard_error for v in of_logs], level)
    assert pair.pooled.difference == expected.difference
    # No two NDCGs differ by more than 1, however little two logs tell of others.
    assert (pair.pooled.lower, pair.pooled.upper) == (max(-1, expected.lower), 1)
    said = " ".join(shown.output.split())
    for v in of_logs:
        assert f"{v.difference:+.4f} [{v.lower:+.4f}, {v.upper:+.4f}]" in said
    assert "! Few logs" in said


def test_a_pair_that_another_study_names_the_other_way_round_is_turned(
    folders: tuple[Path, Path],
) -> None:
    def pooled() -> dict[frozenset[str], float]:
        pairs = verdict_stage(folders).pairs
        return {frozenset((p.a, p.b)): abs(p.pooled.difference) for p in pairs}

    before = pooled()

    def turn(content: dict[str, object]) -> None:
        for pair in content["pairs"]:  # type: ignore[attr-defined]
            pair["a"], pair["b"] = pair["b"], pair["a"]
            pair["difference"] *= -1
            pair["lower"], pair["upper"] = -pair["upper"], -pair["lower"]

    changed(folders[1], turn)
    after = pooled()
    assert after == pytest.approx(before)


def test_only_declared_pairs_are_pooled(folders: tuple[Path, Path]) -> None:
    def declare_one(content: dict[str, object]) -> None:
        for pair in content["pairs"]:  # type: ignore[attr-defined]
            pair["exploratory"] = {pair["a"], pair["b"]} != {"lstm", "item_knn"}

    for folder in folders:
        changed(folder, declare_one)
    (pair,) = verdict_stage(folders).pairs
    assert {pair.a, pair.b} == {"lstm", "item_knn"}


def test_three_logs_that_agree_make_a_verdict(folders: tuple[Path, Path]) -> None:
    third = folders[0].parent / "third"
    shutil.copytree(folders[0], third)
    for number, folder in enumerate((*folders, third)):

        def agree(content: dict[str, object], number: int = number) -> None:
            content["fingerprint"] = f"{number}" * 64
            for pair in content["pairs"]:  # type: ignore[attr-defined]
                pair |= {"difference": 0.03, "lower": 0.02, "upper": 0.04, "standard_error": 0.002}
                pair["exploratory"] = (pair["a"], pair["b"]) != ("gru", "lstm")

        changed(folder, agree)
    lines = list(statement_lines(verdict_stage((*folders, third))))
    assert lines[0].startswith("Over 3 logs, GRU beats LSTM by +0.0300 [+0.0")
    assert "another log is expected within" in " ".join(lines)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("default",), "verdict needs two studies"),
        (("default", "default"), "was tested on the same data as"),
        (("default", "purchase_simulated"), "on log_loss, those of .* on ndcg@10"),
        (("default", "nowhere"), "nowhere: has no verdicts.json"),
    ],
)
def test_what_cannot_be_pooled_is_named(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        verdict_stage([RESULTS / name for name in names])


def test_a_methods_section_tells_the_record(folders: tuple[Path, Path]) -> None:
    confirmation = read_confirmation(folders[0])
    assert confirmation is not None
    text = methods_stage(folders[0])
    shown = CliRunner().invoke(app, ["methods", str(folders[0])])
    assert shown.output.strip() == text
    assert f"{confirmation.learners:,} learners and {confirmation.targets:,} targets" in text
    assert "the baselines included, had 10 trials of up to 16 epochs" in text
    seeds = ", ".join(map(str, confirmation.families["gru"].seeds))
    assert f"with 5 seeds ({seeds})" in text
    shown_as = titles({name: family.kind for name, family in confirmation.families.items()})
    for name, family in confirmation.families.items():
        e = family.metrics["ndcg@10"]
        assert f"{e.mean:.4f} [{e.lower:.4f}, {e.upper:.4f}]" in next(
            line for line in text.splitlines() if line.startswith(f"| {shown_as[name]} |")
        )
    assert text.count("\n| GRU | ") > 2  # its row, and its contrasts


def test_a_methods_section_tells_which_budget_it_was(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "seconds"
    shutil.copytree(folders[0], folder)
    for path in (folder / "best").iterdir():
        changed = yaml.safe_load(path.read_text())
        changed["experiment"]["budget"] |= {"trials": None, "seconds": 90.0}
        path.write_text(yaml.safe_dump(changed))
    text = methods_stage(folder)
    assert "had trials of up to 16 epochs until 90 s of fitting and evaluating were used" in text
