"""From an entry of `families` to a space file: a path, or the space that comes with a family."""

from pathlib import Path

from recsweep.config.files import nearest
from recsweep.config.schema import Experiment
from recsweep.config.schema.base import is_family_name
from recsweep.errors import BadInput
from recsweep.models.family import Family
from recsweep.models.registry import families_of, family

BUNDLED = Path(__file__).parents[1] / "search_spaces"
"""The repository's top-level folder: a link in a checkout, the files themselves in a wheel."""


def space_path(experiment: Experiment, name: str, root: Path) -> Path:
    """The space file of `name` in the study.

    A path lies below `root`.

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
    if (path := own_space(family(entry), task)) is not None:
        return path
    raise BadInput(f"families.{name}: {entry} comes without a space; give the path of one")


def own_space(family: Family, task: str) -> Path | None:
    """The space that comes with a family: `<task>/<family>.yaml`, or `<family>.yaml` where it needs
    no other for the task. None: it comes without.
    """
    folder, file = family.spaces or BUNDLED, f"{family.name}.yaml"
    return next((p for p in (folder / task / file, folder / file) if p.is_file()), None)
