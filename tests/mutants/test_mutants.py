import ast
import subprocess
from pathlib import Path

import pytest
from mutants.changes import changes
from mutants.mirror import mirrored, rule_modules
from mutants.run import Copy, Limits, Mutant, drawn

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a < b", ["a <= b", "a > b"]),
        ("x not in y", ["x in y"]),
        ("not a", ["a"]),
        ("-a", ["a"]),
        ("a and b", ["(a or b)", "a"]),
        ("a - b", ["a + b"]),
        ("a * (b + c)", ["a / (b + c)", "a * (b - c)"]),
        ("3", ["4", "(2)"]),
        ("True", ["False"]),
        ("np.argmin(a)", ["np.argmax(a)"]),
        ("max(a, b)", ["min(a, b)"]),
        ("[a for a in b if a.c]", ["[a for a in b if True]"]),
        ("a if b else c", ["a if (not (b)) else c"]),
        ('f"{a + 1} <"', []),
        ('"text"', []),
        ("1 << 24", []),
    ],
)
def test_an_expression_is_changed_in_every_way_that_counts(old: str, new: list[str]) -> None:
    source = f"x = {old}\n".encode()
    found = {change.apply(source).decode() for change in changes(source)}
    assert {text.replace("((b + c))", "(b + c)") for text in found} == {f"x = {n}\n" for n in new}


def test_a_statement_is_dropped_and_words_and_types_are_left_alone() -> None:
    source = b'''"""Doc 1 < 2."""
@dataclass(frozen=True)
class A:
    x: Literal[1, 2] = 0

    def f(self, y: "int | 3" = 5) -> int:
        """More than 7."""
        log.warning("%d", 1)
        if y < 0:
            raise ValueError(f"{y + 1}")
        self.g()
        return y
'''
    lines = sorted({(change.line, change.new) for change in changes(source)})
    assert lines == [
        (4, "(-1)"), (4, "1"), (6, "(4)"), (6, "6"), (9, "(-1)"), (9, "(not ((y < 0)))"),
        (9, "1"), (9, "y <= 0"), (9, "y > 0"), (10, "pass"), (11, "pass"), (12, "None"),
    ]  # fmt: skip


def test_every_change_of_the_rules_is_a_module() -> None:
    for module in rule_modules(ROOT)[::12]:
        source = (ROOT / module).read_bytes()
        for change in changes(source)[::10]:
            assert source[change.start : change.end].decode().strip("()") in change.old + "()"
            ast.parse(change.apply(source))
            assert change.apply(source) != source


def test_a_modules_tests_mirror_its_path(tmp_path: Path) -> None:
    names = ("data/test_a.py", "data/test_c.py", "data/sub/test_b.py", "stages/confirm/test_x.py")
    for name in names:
        (tmp_path / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests" / name).write_text("")

    def of(module: str) -> list[list[str]]:
        return mirrored(tmp_path, Path("src/recsweep") / module)

    assert of("data/a.py") == [["tests/data/test_a.py"], ["tests/data/test_c.py"]]
    assert of("data/other.py") == [["tests/data/test_a.py", "tests/data/test_c.py"]]
    assert of("data/sub/b.py") == [["tests/data/sub/test_b.py"]]
    assert of("data/sub/deep/er.py") == [["tests/data/sub/test_b.py"]]
    assert of("stages/confirm/__init__.py") == [["tests/stages/confirm/test_x.py"]]
    assert of("search/x.py") == []


def test_every_rule_module_has_tests_that_mirror_it() -> None:
    bare = [str(module) for module in rule_modules(ROOT) if not mirrored(ROOT, module)]
    assert bare == []


def test_a_draw_is_the_seeds_and_its_modules_are_those_that_were_asked_for() -> None:
    one, again = (drawn(ROOT, 20, 3, "src/recsweep/records/lock") for _ in range(2))
    assert one == again
    assert {str(mutant.module) for mutant in one} == {"src/recsweep/records/lock.py"}
    assert drawn(ROOT, 20, 4, "src/recsweep/records") != one


def test_a_change_that_a_test_holds_is_noticed_and_another_survives(tmp_path: Path) -> None:
    root, module = tmp_path / "root", Path("src/recsweep/data/rule.py")
    for name, text in {
        str(module): "def f(x):\n    return x < 3\n\n\ndef g(x):\n    return x + 1\n",
        "tests/data/test_rule.py": "import recsweep.data.rule as r\n\n\ndef test_f():\n"
        "    assert r.f(2) and not r.f(3)\n",
        "src/recsweep/__init__.py": "",
        "src/recsweep/data/__init__.py": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / ".venv").symlink_to(ROOT / ".venv")
    subprocess.run(["git", "-C", str(root), "init", "-q"], check=True)
    copy = Copy(root, tmp_path / "copy")
    limits = Limits()
    noticed = {
        (c.line, c.new): not copy.survives(Mutant(module, c), limits)
        for c in changes((root / module).read_bytes())
        if c.new in ("x <= 3", "x - 1")
    }
    assert noticed == {(2, "x <= 3"): True, (6, "x - 1"): False}
    assert (copy.folder / module).read_bytes() == (root / module).read_bytes()
