"""What is looked at before a search, each with what it prints."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import recsweep
from recsweep.cli.console import command, hints, out, waiting
from recsweep.config.schema import Experiment

if TYPE_CHECKING:
    from recsweep.stages.init.words import Role


def init(
    files: Sequence[Path],
    output: Path | None,
    columns: "Mapping[Role, str]",
    timezone: str | None,
    *,
    yes: bool,
    force: bool,
) -> None:
    """Look at the files, show what was read, and write an experiment."""
    from recsweep.cli.init_lines import asking, show
    from recsweep.stages.init.experiment import study_name
    from recsweep.stages.init.stage import init as look_at_files
    from recsweep.stages.init.stage import write

    ask = None if yes else asking(out)
    name = None if output is None else study_name(output)
    started = look_at_files(files, name=name, columns=columns, timezone=timezone, ask=ask)
    show(started, out)
    path = output or Path("experiments") / f"{started.experiment.study}.yaml"
    write(started, path, force)
    hints(
        (str(path), "written; look it over"),
        (command("prepare", str(path)), "reads, checks, counts"),
        (command("plan", str(path)), "how long a search takes"),
        (command("sweep", str(path)), "the whole study"),
    )


def space(which: str, studies: Sequence[Path], task: str) -> None:
    """Print a space beside what studies found in it."""
    with waiting("Reading the studies"):
        from recsweep.cli.space_table import space_table

        found = recsweep.space(which, *studies, task=task)
    out.print(space_table(found))


def plan(experiment: Experiment) -> None:
    """Print what a sweep would do."""
    from recsweep.cli.plan_table import plan_table
    from recsweep.cli.power_lines import say_power

    with waiting("Measuring one epoch of each family"):
        made = recsweep.plan(experiment)
    out.print(plan_table(made))
    say_power(made.power, "from one epoch of the defaults")
