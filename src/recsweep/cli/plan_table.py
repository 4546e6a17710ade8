"""`plan`: what a sweep would do, as a table for people."""

from collections.abc import Sequence

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from recsweep.cli.console import counted
from recsweep.search.plan import Plan


def plan_table(plan: Plan) -> Group:
    """One row a family; below it the estimate of time and memory."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("family", overflow="fold")  # a name may take two lines, a number never
    for name in ("ranges", "trials", "rungs", "epochs", "s/epoch", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    problems = []
    for family in plan.families:
        seconds, total = family.epoch_seconds, family.seconds
        trials = "?" if family.trials is None else f"{family.trials}"
        guessed = family.budget_seconds is not None and family.trials is not None
        table.add_row(
            family.family,
            str(family.parameters),
            f"~{trials}" if guessed else trials,
            _told(family.rungs),
            str(family.epochs),
            "?" if seconds is None else f"{'~' if family.rough else ''}{seconds:.1f}",
            "?" if total is None else f"{total:.0f}",
        )
        if family.problem:
            problems.append(Text(f"! {family.family}: its defaults fail: {family.problem}"))
    budgets = {f.budget_seconds for f in plan.families if f.budget_seconds is not None}
    by_seconds = [
        Text(f"budget: {seconds:g} s a tuned family; a trial that has begun by then is finished")
        for seconds in budgets
    ]
    return Group(table, *problems, *by_seconds, Text(_estimate(plan)))


def _told(rungs: Sequence[int]) -> str:
    if len(rungs) > 2 and rungs[-1] - rungs[0] == len(rungs) - 1:  # after each epoch
        return f"{rungs[0]}–{rungs[-1]}"
    return ", ".join(map(str, rungs)) or "–"


def _estimate(plan: Plan) -> str:
    time = f"about {plan.seconds / 60:.1f} minutes of search, if all cost as the defaults"
    if plan.most_seconds > plan.seconds:
        time += f", and {plan.most_seconds / 60:.1f} if no trial is stopped early"
    time += f"; then at most {plan.refit_seconds / 60:.1f} minutes of refits"
    if plan.unmeasured:
        time += f"; not counted, because too slow to measure: {', '.join(plan.unmeasured)}"
    memory = f"{plan.data_bytes / 1e6:.0f} MB of data, shared"
    if plan.worker_bytes is not None:
        memory += f", and about {plan.worker_bytes / 1e9:.1f} GB a worker"
    return f"{counted(plan.workers, 'worker')}; {time}; {memory}."
