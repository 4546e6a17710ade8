"""`space`: a family's ranges beside what studies found, as a table for people."""

from collections.abc import Iterator

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from recsweep.spaces.parameter import Parameter
from recsweep.stages.space import FoundParameter, FoundSpace


def space_table(found: FoundSpace) -> Group:
    """One row a parameter; below it, which ends of ranges the best lie at."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("parameter", "range", "best quarter: 10%, 50%, 90%", "best"):
        table.add_column(name, overflow="fold")
    for row in found.parameters:
        best = ", ".join(dict.fromkeys(map(_short, row.best)))
        table.add_row(row.parameter.name, _range(row.parameter), _quarter(row), best or "–")
    if not found.studies:
        heard = "No study here has searched it."
    else:
        heard = f"{found.trials} trials of {', '.join(found.studies)}."
    return Group(table, *map(Text, (*_edges(found), heard)))


def _range(parameter: Parameter) -> str:
    if parameter.choices:
        text = " | ".join(map(str, parameter.choices))
    else:
        text = f"{parameter.low:g} to {parameter.high:g}"
        text += ", powers of 2" if parameter.pow2 else ", log" if parameter.log else ""
        text += f", step {parameter.step:g}" if parameter.step else ""
    return f"{text}, if {parameter.condition}" if parameter.when else text


def _quarter(row: FoundParameter) -> str:
    if row.quantiles is not None:
        return ", ".join(map(_short, row.quantiles))
    return ", ".join(f"{value} {count}" for value, count in row.counts) or "–"


def _edges(found: FoundSpace) -> Iterator[str]:
    for row in found.parameters:
        for side, count in (("lower", row.at_lower), ("upper", row.at_upper)):
            if count:
                yield (
                    f"! {row.parameter.name}: the best of {count} of {len(row.best)} "
                    f"stud{'y is' if len(row.best) == 1 else 'ies are'} at the {side} end; "
                    "a wider range may hold a better one"
                )


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
