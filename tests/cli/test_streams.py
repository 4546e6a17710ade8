import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsweep.cli.streams import _otherwise, write_anything

SAY = """
import os, sys
from recsweep.cli import main, review
from recsweep.cli.console import err, json_lines, out, speak
from recsweep.errors import BadInput
from rich.table import Table

def shown(paths):
    table = Table("ndcg@10 ± x", "课程")
    table.add_row("0.1 ± 0.2 → 3", "机器学习 … café")
    out.print(table)
    out.print(os.fsdecode(bytes([255])) + ".csv", markup=False)
    speak(True)
    json_lines().say("trial", learner="学习者")
    raise BadInput("课程.csv: ± → é")

review.compare = lambda studies, lang: shown(studies)
sys.argv = ["recsweep", "compare", "x"]
main()
"""


@pytest.mark.parametrize(
    ("variables", "encoding", "shown"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "ascii", ("0.1 +/- 0.2 -> 3", "\\u8bfe", "cafe", "...")),
        ({"PYTHONIOENCODING": "ascii:strict"}, "ascii", ("+/-", "\\u8bfe\\u7a0b.csv: +/- -> e")),
        ({"PYTHONIOENCODING": "latin-1"}, "latin-1", ("0.1 ± 0.2 -> 3", "café", "\\u8bfe")),
        ({"PYTHONIOENCODING": "gbk"}, "gbk", ("± 0.2 → 3", "机器学习", "课程.csv")),
        ({"PYTHONIOENCODING": "utf-8"}, "utf-8", ("± 0.2 → 3", "机器学习", "课程.csv", "\\udcff")),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "ascii", ("+/- 0.2 ->",)),
    ],
)
def test_no_encoding_of_the_terminal_is_a_traceback(
    tmp_path: Path, variables: dict[str, str], encoding: str, shown: tuple[str, ...]
) -> None:
    (tmp_path / "say.py").write_text(SAY, "utf-8")
    done = subprocess.run(
        [sys.executable, tmp_path / "say.py"], env={**os.environ, **variables, "COLUMNS": "100"},
        capture_output=True, check=False,
    )  # fmt: skip
    told = done.stdout.decode(encoding) + done.stderr.decode(encoding)
    assert done.returncode == 2, told
    assert "Traceback" not in told
    for words in shown:
        assert words in told
    (line,) = (line for line in told.splitlines() if line.startswith("{"))
    assert json.loads(line)["learner"] == "学习者"


def test_a_stream_that_cannot_be_told_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", object())
    write_anything()


@given(st.text(st.characters()), st.sampled_from(["ascii", "latin-1", "gbk", "cp1252", "utf-8"]))
def test_every_text_can_be_written_and_what_the_encoding_has_stays(
    text: str, encoding: str
) -> None:
    write_anything()
    written = text.encode(encoding, "recsweep").decode(encoding)
    kept = [c for c in text if c.encode(encoding, "ignore").decode(encoding, "ignore") == c]
    rest = iter(written)
    assert all(c in rest for c in kept)  # in this order


def test_what_cannot_be_read_is_no_matter_of_the_terminal() -> None:
    error = UnicodeDecodeError("utf-8", b"x", 0, 1, "why")
    with pytest.raises(UnicodeDecodeError):
        _otherwise(error)
