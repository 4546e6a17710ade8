"""The verb `report`: the leaderboard, as people read it."""

from pathlib import Path

from recsweep.records.atomic import write_text
from recsweep.records.files import read_study
from recsweep.records.selection import Selection
from recsweep.records.study import Study
from recsweep.reporting.leaderboard import markdown
from recsweep.stages.select import choose


def report_stage(folder: Path) -> tuple[Study, Selection]:
    """Write `leaderboard.md`.

    Raises:
        BadInput: no study in `folder`, or one that can't be read.
        WorkFailed: a family has no complete trial.
    """
    study = read_study(folder)
    selection = choose(study, folder)
    write_text(folder / "leaderboard.md", markdown(study, selection))
    return study, selection
