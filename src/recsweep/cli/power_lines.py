"""What the sealed test can show, before it is opened."""

from collections.abc import Iterator

from recsweep.cli.console import json_lines, say
from recsweep.config.schema import written
from recsweep.evaluation.power import Power


def power_lines(power: Power | None, basis: str) -> Iterator[str]:
    """One line a declared pair; `basis` says what the spread was taken from."""
    if power is None:
        yield "Power of the sealed test: not known; some families were too slow to measure."
        return
    metric = written(power.metric)
    yield (
        f"Power of the sealed test (about {power.learners:,} {power.unit}; {basis}): "
        "the smallest difference shown in 80% of cases"
    )
    width = max(len(f"{a} - {b}") for a, b in power.differences)
    for (a, b), difference in power.differences.items():
        yield f"  {f'{a} - {b}':{width}}  {difference:.4f} {metric}"
    if min(power.differences.values()) > power.smallest_effect:
        yield (
            f"! No difference as small as confirm.smallest_effect ({power.smallest_effect:g}) is "
            "likely to be shown: a longer test window or more data would help"
        )


def say_power(power: Power | None, basis: str, quiet: bool = False) -> None:
    """Say them, to people and to programs."""
    if power is not None:
        json_lines().power(power)
    if not quiet:
        say(*power_lines(power, basis))
