"""The repository keeps its word: what documents, headers and help pages say is there."""

import ast
import re
import runpy
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest
import yaml
from packaging.version import Version
from typer.testing import CliRunner

import recsweep
from recsweep.cli import app
from recsweep.config import schema
from recsweep.config.files import _Loader, load_experiment, validate
from recsweep.config.schema import Schema
from recsweep.data.manifest import EventRows, FeatureRows, FoldSupport, Manifest
from recsweep.evaluation.learner_groups import Gap
from recsweep.evaluation.verdict import PairVerdict
from recsweep.models.registry import families_of, role_of
from recsweep.records.confirmation import (
    Confirmation,
    ConfirmedFamily,
    GroupedLearners,
    Steps,
    Subgroup,
)
from recsweep.records.files import CURVES, TRIALS
from recsweep.records.openings import Opening
from recsweep.records.portrait import Cluster, CourseLift, Level, Portrait, ValueLift
from recsweep.records.selection import BestFile
from recsweep.records.study import SweepSession
from recsweep.spaces.bundled import space_path
from recsweep.spaces.declared import DeclaredSpace
from recsweep.spaces.files import load_space
from recsweep.spaces.parameter import Parameter

ROOT = Path(__file__).parents[1]
FIGURES = SimpleNamespace(**runpy.run_path(str(ROOT / "docs/figures.py")))
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "results/README.md", "experiments/*.yaml")
    for path in ROOT.glob(pattern)
)
PAGES = [path for path in DOCUMENTS if path.suffix == ".md"]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.yaml"))
SPACES = sorted((ROOT / "search_spaces").glob("*.yaml"))
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
COMMANDS = {str(c.name or getattr(c.callback, "__name__", "")) for c in app.registered_commands}
COMMANDS |= {str(g.typer_instance.info.name) for g in app.registered_groups if g.typer_instance}

UNSAFE_MODULES = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
UNSAFE_CALLS = {
    *(f"yaml.{name}" for name in ("unsafe_load", "full_load", "load_all", "unsafe_load_all")),
    "torch.load",
}

every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
every_page = pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
every_source = pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))


def read(path: Path) -> str:
    return path.read_text("utf-8")


# -- make and the command line -----------------------------------------------------------------


def test_every_make_target_is_described_phony_and_listed_by_make_help() -> None:
    shown = subprocess.run(
        ["make", "-s", "--no-print-directory", "help"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    (phony,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert {"sweep", "test"} <= TARGETS
    for target in TARGETS:
        assert re.search(rf"^  make {target} +\S", shown, re.MULTILINE), f"{target} is not listed"
        assert target in phony.split(), f"{target} is not in .PHONY"


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_help_of_every_command_shows_an_example_of_it(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"])
    assert shown.exit_code == 0
    assert f"Example: recsweep {command} " in " ".join(shown.output.split())


# -- documents ---------------------------------------------------------------------------------


def test_the_readme_begins_with_the_two_commands() -> None:
    text = read(ROOT / "README.md")
    assert 0 < text.index("make sweep") < text.index("make test")


@every_document
def test_a_document_names_only_make_targets_and_commands_that_exist(path: Path) -> None:
    text = read(path)
    for code in code_of(text) if path.suffix == ".md" else [text]:
        for target in re.findall(r"(?:^|[`\s])make ((?:[a-z]+ )*[a-z]+)", code, re.MULTILINE):
            assert set(target.split()) <= TARGETS, f"make {target}"
        for command in re.findall(r"(?:^|[`\s/])recsweep ([a-z]+)\b", code, re.MULTILINE):
            assert command in COMMANDS, f"recsweep {command}"


@every_page
def test_every_relative_link_of_a_page_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", read(path)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(read(target)), link


@every_document
def test_no_document_points_out_of_the_repository(path: Path) -> None:
    for place in re.findall(r"(?:\.\./)+[\w./-]*", read(path)):
        assert (path.parent / place).resolve().is_relative_to(ROOT), place
        assert (path.parent / place).exists(), place


@every_page
def test_modules_and_tests_that_a_page_names_exist(path: Path) -> None:
    for file, test in re.findall(
        r"`((?:src|tests|benchmarks)/[\w/]+\.py)(?:::(\w+))?`", read(path)
    ):
        assert (ROOT / file).exists(), file
        if test:
            assert f"def {test}(" in read(ROOT / file), f"{file}::{test}"


@every_page
def test_experiments_and_spaces_that_a_page_shows_are_valid(path: Path) -> None:
    for block in re.findall(r"```yaml\n(.*?)```", read(path), re.DOTALL):
        shown = yaml.load(block, Loader=_Loader)
        if "study" in shown:
            validate(schema.Experiment, shown, path)
        if "parameters" in shown:
            validate(DeclaredSpace, shown, path)


def test_the_page_on_experiments_documents_every_key_of_one_and_of_a_space() -> None:
    text = read(ROOT / "docs/experiment.md")
    models: list[type[Schema]] = [DeclaredSpace, Parameter, *schema.settings_of_tasks().values()]
    models += [m for m in vars(schema).values() if isinstance(m, type) and issubclass(m, Schema)]
    for model in models:
        for key in model.model_fields:
            assert re.search(rf"`(?:[\w.]+\.)?{key}`", text), f"{model.__name__}.{key}"
    for kind in get_args(schema.EventType):
        assert f"`{kind}`" in read(ROOT / "docs/data.md")


def test_the_page_on_results_documents_every_column_and_key() -> None:
    text = read(ROOT / "docs/results.md")
    records: tuple[type[Schema], ...] = (BestFile, Manifest, EventRows, FeatureRows, FoldSupport)
    records += (Confirmation, ConfirmedFamily, Subgroup, GroupedLearners, Steps, Opening)
    records += (Portrait, Cluster, CourseLift, ValueLift, Level)
    fields = [(key, field) for record in records for key, field in record.model_fields.items()]
    keys = {key for key, field in fields if not field.exclude}
    plain = tuple(kind.__dataclass_fields__ for kind in (SweepSession, PairVerdict, Gap))
    for key in keys.union(TRIALS, CURVES, *plain):
        assert f"`{key}`" in text, key


def code_of(text: str) -> list[str]:
    """What a page shows as code: fenced blocks and `spans`."""
    return re.findall(r"```[a-z]*\n.*?```|`[^`\n]+`", text, re.DOTALL)


def anchors(text: str) -> set[str]:
    """The anchors that a page's headings get."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize(("name", "lang"), FIGURES.READMES.items())
def test_the_figures_of_a_readme_are_those_of_the_committed_evidence(name: str, lang: str) -> None:
    text = read(ROOT / name)
    assert len(FIGURES.BLOCK.findall(text)) == 3
    assert FIGURES.renewed(text, lang) == text  # `make reference` renews them


def test_what_the_readme_shows_is_small_enough_to_open() -> None:
    for picture in (ROOT / "docs/images").iterdir():
        assert picture.stat().st_size < 300_000, picture
    assert (ROOT / "docs/sample-report.html").stat().st_size < 1_000_000


def test_the_packages_description_needs_no_repository() -> None:
    assert not re.findall(r"\]\((?!https?:)", read(ROOT / "src/recsweep/README.md"))


def test_the_version_moves_with_the_changelog() -> None:
    headings = re.findall(r"^## \[(.+?)\]", read(ROOT / "CHANGELOG.md"), re.MULTILINE)
    version = Version(recsweep.__version__)
    if headings[0] == "Unreleased":
        assert version.is_devrelease
        assert version > Version(headings[1])
    else:
        assert version == Version(headings[0])


def test_make_takes_the_name_of_a_study_from_its_experiment(tmp_path: Path) -> None:
    (tmp_path / "file.yaml").write_text('study: "mine"  # not the file\'s name\nseed: 1\n')
    said = ["make", "-n", "confirm", f"EXPERIMENT={tmp_path / 'file.yaml'}"]
    shown = subprocess.run(said, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert "recsweep confirm results/mine " in shown.stdout


# -- files that users start from ---------------------------------------------------------------


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda p: p.stem)
def test_an_experiment_loads_with_all_its_spaces(path: Path) -> None:
    experiment = load_experiment(path)
    families = families_of(experiment.task)
    for name in experiment.families:
        path = space_path(experiment, name, ROOT)
        assert path.resolve().is_relative_to(ROOT / "search_spaces")
        assert load_space(path, families).family == name


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda p: p.stem)
def test_the_command_in_an_experiments_header_runs_that_experiment(path: Path) -> None:
    header = "\n".join(line for line in read(path).splitlines() if line.startswith("#"))
    (target, chosen), *_ = re.findall(r"make ([a-z]+)(?: EXPERIMENT=(\S+))?$", header, re.MULTILINE)
    (default,) = re.findall(r"^EXPERIMENT \?= (\S+)$", MAKEFILE, re.MULTILINE)
    assert target in TARGETS
    assert ROOT / (chosen or default) == path


def test_every_family_has_a_space_file_of_its_name() -> None:
    assert {path.stem: load_space(path, families_of("next_item")).family for path in SPACES} == {
        name: name for name in families_of("next_item") if role_of(name) != "ensemble"
    }


@pytest.mark.parametrize(
    ("kept", "inside"),
    [
        ("ray", {"search", "serving"}),
        ("wandb", {"tracking"}),
        ("mlflow", {"tracking"}),
        ("recsweep.data.sealed", {"data"}),
    ],
)
def test_import_contracts_hold_for_every_room_but_those_that_they_are_about(
    kept: str, inside: set[str]
) -> None:
    settings = tomllib.loads(read(ROOT / "pyproject.toml"))["tool"]["importlinter"]
    outside = {
        module.removeprefix("recsweep.")
        for contract in settings["contracts"]
        for module in contract.get("source_modules", ())
        if kept in contract["forbidden_modules"]
    }
    rooms = {path.parent.name for path in (ROOT / "src/recsweep").glob("*/__init__.py")}
    assert outside == rooms - inside


# -- safety ------------------------------------------------------------------------------------


@every_source
def test_no_module_can_unpickle_or_load_yaml_unsafely(path: Path) -> None:
    tree = ast.parse(read(path))
    assert not UNSAFE_MODULES & set(imported(tree))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        arguments = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        assert name not in UNSAFE_CALLS, f"line {call.lineno}: {name}"
        if name == "yaml.load":
            assert arguments["Loader"] == "_Loader", f"line {call.lineno}"
        if name in ("np.load", "numpy.load"):
            assert arguments["allow_pickle"] == "False", f"line {call.lineno}"


def test_the_loader_of_yaml_files_is_a_safe_one() -> None:
    assert issubclass(_Loader, yaml.constructor.SafeConstructor)
    with pytest.raises(yaml.constructor.ConstructorError):
        yaml.load("!!python/object/apply:os.getcwd []", Loader=_Loader)


def imported(tree: ast.AST) -> Iterator[str]:
    """Top-level names of the packages that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
