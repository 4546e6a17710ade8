"""The figures in README.md and README.zh-CN.md, from the committed evidence: `make reference`.

What stands between `<!-- NAME -->` and `<!-- /NAME -->` is the answer of examples/reference/NAME.
"""

import re
from pathlib import Path

from recsweep.records.evidence import read_evidence
from recsweep.reporting.answer import Answer, answer_of_evidence

ROOT = Path(__file__).resolve().parents[1]
READMES = {"README.md": "en", "README.zh-CN.md": "zh"}
BLOCK = re.compile(r"<!-- (\w+)( in full)? -->\n.*?<!-- /\1 -->", re.DOTALL)


def main() -> None:
    """Write what changed."""
    for name, lang in READMES.items():
        path = ROOT / name
        path.write_text(renewed(path.read_text("utf-8"), lang), "utf-8")


def renewed(text: str, lang: str) -> str:
    """A README with today's figures."""

    def block(found: "re.Match[str]") -> str:
        study, full = found[1], found[2] or ""
        evidence = read_evidence(ROOT / "examples/reference" / study)
        said = "\n".join(lines(answer_of_evidence(evidence, lang), full=bool(full)))
        return f"<!-- {study}{full} -->\n{said}\n<!-- /{study} -->"

    return BLOCK.sub(block, text)


def lines(answer: Answer, *, full: bool) -> list[str]:
    """The sentence and what order adds; in full what it means, and the intervals it rests on."""
    if not full:
        return ["\n>\n".join(f"> {text}" for text in (answer.sentence, answer.sequence) if text)]
    paragraphs = [f"**{answer.sentence}**", answer.plainly, answer.sequence]
    rows = [f"| {c.pair} | {c.numbers} | {c.how} |" for c in answer.contrasts]
    table = ["", f"| | {answer.metric} | |", "|---|---:|---|", *rows, ""] if rows else []
    return ["\n>\n".join(f"> {text}" for text in paragraphs if text), *table, answer.basis]


if __name__ == "__main__":
    main()
