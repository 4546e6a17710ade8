"""From an entry of `families` to a space file: a path, or the space that comes with a family."""

from pathlib import Path

from recsweep.config.files import nearest
from recsweep.config.schema import Experiment
from recsweep.config.schema.base import is_family_name
from recsweep.errors import BadInput
from recsweep.models.registry import families_of, family

BUNDLED = Path(__file__).parents[1] / "search_spaces"
"""The repository's top-level folder: a link in a checkout, the files themselves in a wheel."""


def space_path(experiment: Experiment, name: str, root: Path) -> Path:
    """The space file of `name` in the study.

    A path lies below `root`. A family's own space is `<task>/<family>.yaml`, or `<family>.yaml`
    where it needs no other for the task.

    Raises:
        BadInput: no family of the task is called so, or it comes without a space.
    """
    entry, task = experiment.space_of(name), experiment.task
    if not is_family_name(entry):
        return root / entry
    families = families_of(task)
    if entry not in families:
        raise BadInput(
            f"families.{name}: {entry!r} is neither a file (*.yaml) nor a family of task {task}"
            + nearest(entry, families)
        )
    folder = family(entry).spaces or BUNDLED
    for path in (folder / task / f"{entry}.yaml", folder / f"{entry}.yaml"):
        if path.is_file():
            return path
    raise BadInput(f"families.{name}: {entry} comes without a space; give the path of one")
