"""An ensemble as the terminal shows it."""

from collections.abc import Iterator

from rich.filesize import decimal

from recsweep.config.schema import written
from recsweep.stages.fuse.stage import Fused


def fuse_lines(fused: Fused) -> Iterator[str]:
    """Its members, its score beside the best one's, and what it costs; `!` begins a caveat."""
    best, alone, members = fused.best, fused.candidates[0], fused.members
    metric, total = written(best.metric), sum(member.weight for member in members)
    yield (
        f"An ensemble of {len(members)} of {len(fused.candidates)} trials: {metric} "
        f"{best.value:z.4f} on the folds; {alone.trial}, the best alone, {alone.value:z.4f}."
    )
    values = {candidate.trial: candidate.value for candidate in fused.candidates}
    for member in sorted(members, key=lambda member: -member.weight):
        share = f"{member.weight / total:.0%}"
        yield f"  {share:>4}  {values[member.trial]:z.4f}  {member.trial}"
    for what, cost in (("It", fused.cost), ("The best alone", fused.single)):
        yield (
            f"{what}: {cost.fit_seconds:.1f} s of training and {cost.score_seconds:.1f} s of "
            f"scoring on the folds, {decimal(cost.model_bytes)}."
        )
    count = len(fused.candidates)
    if fused.as_recorded == count:
        yield f"All {count} trials were rebuilt as recorded, bit for bit."
    else:
        yield f"! {count - fused.as_recorded} of {count} rebuilt trials differ from the record."
    if fused.sampled < 1:
        yield f"! Chosen on a sample of {fused.sampled:.0%} of the targets, to bound memory."
    if fused.left_out:
        yield f"! Left out for their other columns: {', '.join(fused.left_out)}"
    yield "! It was chosen by these scores, so they are optimistic; the sealed test says more."
