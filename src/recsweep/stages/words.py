"""A confirmation in words, for the terminal."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from recsweep.records.confirmation_files import VERDICTS
from recsweep.stages.confirm import Confirmed


def confirmation_lines(confirmed: Confirmed, folder: Path) -> Iterator[str]:
    """Means, verdicts, controls, and how often the test was opened."""
    confirmation = confirmed.confirmation
    key = confirmation.metric
    families = confirmation.families
    width = max(map(len, families))
    yield f"Sealed test, {confirmation.learners:,} learners, {confirmation.targets:,} targets"
    best_first = sorted(families.items(), key=lambda item: -item[1].metrics[key].mean)
    for name, family in best_first:
        mean = family.metrics[key]
        order = ""
        if family.order is not None:
            drop = family.order.drop
            order = f"   order is worth {drop.mean:+.4f} [{drop.lower:+.4f}, {drop.upper:+.4f}]"
        yield (
            f"  {name:{width}}  {key} {mean.mean:.4f} [{mean.lower:.4f}, {mean.upper:.4f}]{order}"
        )
    yield ""
    yield from _with_their_basis_once(confirmation.verdicts)
    yield ""
    openings = confirmation.openings
    count = "once, on" if len(openings) == 1 else f"{len(openings)} times, last on"
    said = f"The sealed test was opened {count} {openings[-1].when:%Y-%m-%d %H:%M} UTC"
    if not confirmed.opened:
        said += "; nothing has changed since this confirmation, so it was not opened again"
    yield f"{said}."
    yield f"Verdicts: {folder / VERDICTS}"


def _with_their_basis_once(sentences: Sequence[str]) -> Iterator[str]:
    """What all sentences say in their last brackets is said once, after them."""
    bases = {sentence.rpartition(" (")[2] for sentence in sentences}
    if len(sentences) < 2 or len(bases) > 1:
        yield from sentences
        return
    yield from (sentence.rpartition(" (")[0] for sentence in sentences)
    yield f"({bases.pop()}"
