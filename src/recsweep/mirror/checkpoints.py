"""Checkpoints of open trials in a study's copy: the newest of each, until its trial has ended.

From a checkpoint that is ahead of the journal epochs would be missing for ever. So they go up after
the journal, as they were before it was read; and one is removed only if its trial had ended then.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from fsspec.implementations.local import LocalFileSystem

from recsweep.records.atomic import write_bytes

CHECKPOINTS = "checkpoints"
"""Their folder in the study's."""


@dataclass(frozen=True, slots=True)
class CheckpointSnapshot:
    """Checkpoints as they were at one moment: each is replaced by a new file, never written to."""

    new: Mapping[str, BinaryIO]  # file name -> those that the copy has not
    ended: frozenset[str]  # in the copy, but no longer in the study


class MirroredCheckpoints:
    """Args: `fs` and `base`, the copy's place; `folder`, of the study."""

    def __init__(self, fs: Any, base: str, folder: Path) -> None:
        self._fs, self._base = fs, f"{base}/{CHECKPOINTS}"
        self._folder = folder / CHECKPOINTS
        self._there: dict[str, tuple[int, int] | None] = {}  # file name -> what was sent

    def look(self) -> None:
        """What does the copy have? To be asked before anything else."""
        found = self._fs.find(self._base) if self._fs.exists(self._base) else []
        self._there = {str(path).rpartition("/")[2]: None for path in found}

    @contextmanager
    def as_they_are(self) -> Iterator[CheckpointSnapshot]:
        """Hold on to them while the rest of the study is copied."""
        with ExitStack() as open_:
            new = {}
            paths = {path.name: path for path in self._folder.glob("[!.]*")}
            for name, path in paths.items():
                with suppress(FileNotFoundError):
                    file = open_.enter_context(path.open("rb"))
                    if self._there.get(name) != _stamp(file):
                        new[name] = file
            yield CheckpointSnapshot(new, frozenset(self._there.keys() - paths.keys()))

    def renew(self, held: CheckpointSnapshot) -> int:
        """Bring the copy up to date, after the journal; how many files went."""
        for name, file in held.new.items():
            target = f"{self._base}/{name}"
            if isinstance(self._fs, LocalFileSystem):
                write_bytes(Path(target), file.read(), durable=False)
            else:
                self._fs.makedirs(self._base, exist_ok=True)
                self._fs.pipe_file(target, file.read())
            self._there[name] = _stamp(file)
        for name in held.ended:
            with suppress(FileNotFoundError):
                self._fs.rm_file(f"{self._base}/{name}")
            del self._there[name]
        return len(held.new)


def _stamp(file: BinaryIO) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_mtime_ns, found.st_size
