"""Checkpoints of trials on machines other than the driver's.

They lie on the driver's disk like all others: a machine that goes would take its own along.
"""

import errno
import tempfile
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from recsweep.records.atomic import write_bytes
from recsweep.search.checkpoints import Checkpoints, Owner, Unusable, packed
from recsweep.training.trial import Checkpoint


def checkpoints_at(home: str, checkpoints: Checkpoints) -> "Checkpoints | RemoteCheckpoints":
    """As a worker reaches those that lie on the machine that Ray knows as `home`."""
    here = ray.get_runtime_context().get_node_id()
    return checkpoints if here == home else RemoteCheckpoints(home, checkpoints)


class RemoteCheckpoints:
    """Reads and writes as `Checkpoints` does, by tasks on the driver's machine."""

    def __init__(self, home: str, checkpoints: Checkpoints) -> None:
        self._home, self._checkpoints = home, checkpoints

    def write(self, trial: str, owner: Owner, checkpoint: Checkpoint) -> None:
        """Replace the trial's checkpoint, whole or not at all.

        Raises:
            OSError: the folder can't be written to, or the machine can't be reached.
        """
        self._there(_WRITE, self._checkpoints.path(trial), packed(owner, checkpoint))

    def read(self, trial: str, owner: Owner) -> Checkpoint | None:
        """The trial's checkpoint; None: it has none.

        Raises:
            Unusable: it is damaged, was written for something else, or can't be fetched.
        """
        try:
            content: bytes | None = self._there(_READ, self._checkpoints.path(trial))
        except OSError as error:
            raise Unusable(f"the checkpoint of {trial} can't be fetched: {error}") from error
        if content is None:
            return None
        with tempfile.TemporaryDirectory(prefix="recsweep-") as folder:
            copy = Checkpoints(Path(folder))
            copy.path(trial).write_bytes(content)
            return copy.read(trial, owner)

    def _there(self, task: Any, *arguments: object) -> Any:
        place = NodeAffinitySchedulingStrategy(self._home, soft=False)
        try:
            return ray.get(task.options(scheduling_strategy=place).remote(*arguments))
        except RayTaskError as error:
            raise error.cause from None
        except RayError as error:
            raise OSError(errno.EHOSTUNREACH, f"the driver's machine: {error}") from error


def _write(path: Path, content: bytes) -> None:
    write_bytes(path, content, durable=False)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


# Not as decorators: a function that keeps its name is sent by its name, not by its code.
_WRITE, _READ = (ray.remote(num_cpus=0)(task) for task in (_write, _read))
