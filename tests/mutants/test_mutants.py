import ast
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mutants.changes import changes
from mutants.forks import Limits, in_fork
from mutants.mirror import mirrored, rule_modules
from mutants.run import KILLED, SURVIVED, Kept, drawn

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
        (tmp_path / "tests" / name).write_text("import recsweep.data.sub.b" if "_c" in name else "")

    def of(module: str) -> list[list[str]]:
        return mirrored(tmp_path, Path("src/recsweep") / module)

    above = ["tests/data/test_a.py", "tests/data/test_c.py"]
    assert of("data/a.py") == [["tests/data/test_a.py"], above]
    assert of("data/other.py") == [above]
    mine = ["tests/data/sub/test_b.py"]
    assert of("data/sub/b.py") == [mine, mine, above[::-1]]  # those first that import it
    assert of("data/sub/deep/er.py") == [mine, above]
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


RULES = """\
LEAST = 3


def enough(x):
    return x >= LEAST


def near(x, reach=2):
    return abs(x) < reach


class Rule:
    @staticmethod
    def kept(x):
        return x + 1


def early(x):
    return x - 1


def unasked(x):
    return x
"""
USER = """\
from recsweep.data.rule import Rule, early, enough, near

THREE = early(4)
"""
TEST = """\
from recsweep.data.user import THREE, Rule, enough, near


def test_rules():
    assert enough(3) and not enough(2)
    assert near(1) and not near(2)
    assert Rule.kept(1) == 2


def test_what_an_import_made():
    assert THREE == 3
"""
FAILS = """\
from recsweep.search.other import same


def test_that_fails_anyhow():
    assert same(1) == 2
"""
STARTS = """\
import threading
import time

from recsweep.search.busy import same

threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


def test_same():
    assert same(1) == 1
"""
FILES = {
    "src/recsweep/__init__.py": "",
    "src/recsweep/data/__init__.py": "",
    "src/recsweep/data/rule.py": RULES,
    "src/recsweep/data/user.py": USER,
    "src/recsweep/search/__init__.py": "",
    "src/recsweep/search/other.py": "def same(x):\n    return x\n",
    "src/recsweep/search/busy.py": "def same(x):\n    return x\n",
    "tests/conftest.py": "import gc\n\n\ndef pytest_collection_finish():\n    gc.freeze()\n",
    "tests/data/test_rule.py": TEST,
    "tests/search/test_fails.py": FAILS,
    "tests/search/test_busy.py": STARTS,
}
JUDGE = """\
import json, sys
from pathlib import Path
from mutants.collected import Collected, Unjudged
from mutants.run import Copy, drawn

root, folder = map(Path, sys.argv[1:3])
copy, found = Copy(root, folder), {}


def judge(ask, mutant):
    try:
        return ask(mutant)
    except Unjudged:
        return None


for tests, only in (
    ("data/test_rule", "data/rule"),
    ("search/test_fails", "search/other"),
    ("search/test_busy", "search/busy"),
):
    with Collected(copy.folder, [f"tests/{tests}.py"]) as collected:
        for mutant in drawn(root, 99, 0, f"src/recsweep/{only}"):
            name = f"{mutant.module.stem}:{mutant.change.line}: {mutant.change.new}"
            if name in sys.argv[3:]:
                in_place = judge(lambda m: copy.noticed_by_collected(m, collected), mutant)
                found[name] = (in_place, judge(copy.noticed_afresh, mutant))
            path = copy.folder / mutant.module
            assert path.read_bytes() == (root / mutant.module).read_bytes()
print(json.dumps(found))
"""


def test_a_change_is_noticed_in_place_and_afresh_by_the_tests_that_hold_it(tmp_path: Path) -> None:
    noticed = {
        # functions and methods, also where another module imported them by name
        "rule:5: x > LEAST": [True, True],
        "rule:5: None": [True, True],
        "rule:9: abs(x) <= reach": [True, True],
        "rule:15: 2": [True, True],
        # a constant, a default, what an import computed: not in what is imported already
        "rule:1: 4": [False, True],
        "rule:8: 3": [False, True],
        "rule:19: 2": [False, True],
        # no test holds it; no test that fails anyhow is a judge
        "rule:23: None": [False, False],
        "other:2: None": [False, None],
        # forks can't have what has threads already; one that is begun anew can
        "busy:2: None": [None, True],
    }
    root = tmp_path / "root"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / ".venv").symlink_to(ROOT / ".venv")
    subprocess.run(["git", "-C", str(root), "init", "-q"], check=True)
    # Who measures this test must not measure those that it measures.
    plain = {key: value for key, value in os.environ.items() if not key.startswith("SLIPCOVER_")}
    said = subprocess.run(
        [sys.executable, "-c", JUDGE, str(root), str(tmp_path / "copy"), *noticed],
        env={**plain, "PYTHONPATH": str(ROOT / "tests")}, capture_output=True, check=True,
    )  # fmt: skip
    assert json.loads(said.stdout) == noticed


@pytest.mark.parametrize(
    ("work", "limits", "noticed"),
    [
        (lambda: sum(iter(int, 1)), Limits(0.1, 60), True),
        (lambda: time.sleep(60), Limits(60, 0.5), None),
        (lambda: 1, Limits(60, 60), True),
        (lambda: 0, Limits(60, 60), False),
    ],
    ids=["computes", "waits", "fails", "passes"],
)
def test_work_without_end_is_ended_and_what_waits_tells_nothing(
    work: Callable[[], int], limits: Limits, noticed: bool | None
) -> None:
    assert in_fork(work, limits).noticed is noticed


def test_verdicts_that_are_kept_stand_when_a_run_goes_on(tmp_path: Path) -> None:
    one, other = drawn(ROOT, 2, 0, "src/recsweep/records/lock")
    Kept(tmp_path / "kept").add(one, KILLED)
    Kept(tmp_path / "kept").add(other, SURVIVED)
    assert Kept(tmp_path / "kept").known == {repr(one): KILLED, repr(other): SURVIVED}
