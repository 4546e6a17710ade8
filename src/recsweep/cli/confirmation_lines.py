"""Confirmations and reproductions as the terminal shows them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich import box
from rich.table import Table

from recsweep.api.study_folder import load_study
from recsweep.config.schema import goodness, written
from recsweep.models.registry import titles
from recsweep.records.confirmation_files import VERDICTS
from recsweep.stages.confirm.stage import Confirmed
from recsweep.stages.reproduce.stage import Reproduction


def confirmation_lines(confirmed: Confirmed, folder: Path, *, short: bool = False) -> Iterator[str]:
    """The answer; unless `short`, each family's mean and how often the test was opened."""
    confirmation = confirmed.confirmation
    key, metric = confirmation.metric, written(confirmation.metric)
    families = confirmation.families
    yield from load_study(folder).answer.lines
    if short:
        return
    yield ""
    searches = f", {confirmation.searches} searches" if confirmation.repeated else ""
    yield (
        f"Sealed test, {confirmation.learners:,} {confirmation.unit}, "
        f"{confirmation.targets:,} targets{searches}"
    )
    shown = titles({name: family.kind for name, family in families.items()})
    width = max(11, *map(len, shown.values()))
    best_first = sorted(
        families.items(), key=lambda item: -goodness(key, item[1].metrics[key].mean)
    )
    for name, family in best_first:
        e = family.metrics[key]
        yield f"  {shown[name]:{width}}  {metric} {e.mean:z.4f} [{e.lower:z.4f}, {e.upper:z.4f}]"
    if confirmation.best_possible is not None:
        yield (
            f"  {'(the truth)':{width}}  {metric} {confirmation.best_possible:.4f}   "
            "the best possible: the simulator's own probabilities"
        )
    if confirmation.cold:
        yield ""
        yield "On courses without an event before the test:"
        yield from _with_their_basis_once([v.sentence(metric, shown) for v in confirmation.cold])
    yield ""
    openings = confirmation.openings
    count = "once, on" if len(openings) == 1 else f"{len(openings)} times, last on"
    said = f"The sealed test was opened {count} {openings[-1].when:%Y-%m-%d %H:%M} UTC"
    if not confirmed.opened:
        said += "; nothing has changed since this confirmation, so it was not opened again"
    yield f"{said}."
    yield f"All verdicts, the exploratory too: {folder / VERDICTS}"


def reproduction_table(reproduction: Reproduction) -> Table:
    """Every figure: recorded, rebuilt, difference, and whether it is close enough."""
    exact = not reproduction.obstacles
    # Eighty columns: names are broken, numbers and what is found never.
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("metric", overflow="fold")
    table.add_column("of", overflow="fold")
    columns = ("recorded", "rebuilt", "difference", *(() if exact else ("may\ndiffer by",)))
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    digits = 10 if exact else 8
    for figure in reproduction.figures:
        shown = ["—" if x is None else f"{x:.{digits}f}" for x in (figure.recorded, figure.rebuilt)]
        shown.append(f"{figure.difference:.2g}")
        shown += [] if exact else [f"{figure.tolerance:.2g}"]
        verdict = "[green]ok[/]" if figure.agrees else "[red]differs[/]"
        table.add_row(figure.metric, figure.where, *shown, verdict)
    return table


def reproduction_lines(reproduction: Reproduction) -> Iterator[str]:
    """How figures were compared, and what else is not as it was."""
    if reproduction.obstacles:
        yield (
            "Compared within the spread of other seeds, since bit for bit can't be expected: "
            + "; ".join(reproduction.obstacles)
        )
    else:
        yield "Compared bit for bit: processor, libraries, threads and precision are the record's."
    if not reproduction.passed:
        yield from reproduction.edited
        yield from (f"changed since the record: {line}" for line in reproduction.changes)


def failure(reproduction: Reproduction) -> str:
    """Why a reproduction failed, in one line."""
    figures = [figure for figure in reproduction.figures if not figure.agrees]
    reasons = list(reproduction.edited)
    if figures:
        names = ", ".join(dict.fromkeys(figure.metric for figure in figures))
        reasons.append(f"{len(figures)} of {len(reproduction.figures)} figures differ ({names})")
    return f"{reproduction.best.family}: {'; '.join(reasons)}"


def _with_their_basis_once(sentences: Sequence[str]) -> Iterator[str]:
    """What all sentences say in their last brackets is said once, after them."""
    bases = {sentence.rpartition(" (")[2] for sentence in sentences}
    if len(sentences) < 2 or len(bases) > 1:
        yield from sentences
        return
    yield from (sentence.rpartition(" (")[0] for sentence in sentences)
    yield f"({bases.pop()}"
