"""The verb `compare`: did the new data, the new space or the new code change the answer?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.table import Table

from recsweep.errors import BadInput
from recsweep.records.evidence import read_evidence
from recsweep.reporting.compare.page import write_comparison
from recsweep.reporting.compare.study_change import StudyChange, compare_studies
from recsweep.reporting.compare.view import CompareView


@dataclass(frozen=True, slots=True)
class Compared:
    """Each later study held against the first, and the page that shows it."""

    changes: tuple[StudyChange, ...]
    page: Path


def compare_stage(folders: Sequence[Path], lang: str = "en") -> Compared:
    """Hold every study against the first one; the page lies beside the first one's folder.

    Raises:
        BadInput: fewer than two studies, one that can't be read or has nothing in common with the
            first, or a language the page has not.
    """
    if len(folders) < 2:
        raise BadInput("compare needs two studies: recsweep compare results/a results/b")
    first, *others = (read_evidence(folder) for folder in folders)
    changes = tuple(compare_studies(first, other) for other in others)
    name = "-".join(["compare", *(evidence.folder.name for evidence in (first, *others))])
    suffix = "" if lang == "en" else f".{lang}"
    page = first.folder.parent / f"{name}{suffix}.html"
    return Compared(changes, write_comparison(changes, page, lang))


def comparison_table(view: CompareView) -> Table:
    """Family by family, before and after."""
    before, after = view.names
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    told = bool(view.change.changes)
    table.add_column(view.say("family"))
    for name in (before, after):  # folded, since 80 columns are few
        table.add_column(name.replace("/", "/\n"), justify="right", overflow="fold")
    if told:
        table.add_column(f"{view.say('difference')}, {view.metric}", justify="right", no_wrap=True)
        table.add_column(view.say("outcome"), no_wrap=True)
    for name, first, second, difference, *_ in view.rows():  # 80 columns hold no more
        change = view.change.changes.get(name)
        outcome = view.say(f"short_{change.outcome}") if change else ""
        table.add_row(view.title(name), first, second, *([difference, outcome] if told else []))
    return table


def comparison_lines(view: CompareView) -> Iterator[str]:
    """What can be said, and what differs, one line each."""
    yield view.headline()
    yield from (f"  {name}: {sentence}" for name, sentence in view.answers())
    yield from filter(None, (view.ranks(), view.lead()))
    yield view.basis()
    differences = view.change.differences
    if not differences:
        yield view.say("nothing")
    for kind in dict.fromkeys(d.kind for d in differences):
        mine = [d for d in differences if d.kind == kind]
        shown = "; ".join(f"{d.key} {d.before} → {d.after}" for d in mine[:6])
        more = f"; +{len(mine) - 6}" if len(mine) > 6 else ""
        yield f"  {view.say(f'kind_{kind}')}: {shown}{more}"
