"""A copy of a study's folder elsewhere.

The study itself stays on a local disk, because its journal and its lock need one. What goes up
first and what last is so that the copy can be resumed from at any moment: a trial that is complete
in the copied journal has its learners' scores there, and no checkpoint there is ahead of it.
"""

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from fsspec.implementations.local import LocalFileSystem

from recsweep.errors import BadInput
from recsweep.mirror.checkpoints import CHECKPOINTS, MirroredCheckpoints
from recsweep.mirror.store import filesystem
from recsweep.records.atomic import write_bytes

JOURNAL, SESSIONS = "optuna.log", "sessions.json"
ASIDE = (SESSIONS, JOURNAL)
"""Read first, in this order, and sent in the other: no session counts what the journal has not."""
HEADS = ("study.json", "verdicts.json", JOURNAL)
"""Written last, the journal the very last: each speaks of other files."""
NEVER = ("sweep.lock", "optuna.log.lock")


class Mirror:
    """One study's copy. Errors of the store are the caller's: `OSError` and what its driver has."""

    def __init__(self, url: str, folder: Path) -> None:
        """Args: `url`, the parent of all copies; `folder`, of the study.

        Raises:
            BadInput: an unknown protocol, a missing driver, or a password in the URL.
        """
        self._folder = folder
        self._fs, base = filesystem(url)
        self._base = f"{base.rstrip('/')}/{folder.name}"
        self._sent: dict[str, tuple[int, int]] = {}
        self._checkpoints = MirroredCheckpoints(self._fs, self._base, folder)
        self._checked = False
        self._one_at_a_time = threading.Lock()
        self.where = f"{url.rstrip('/')}/{folder.name}"

    def push(self) -> int:
        """Copy what is new or has changed since the last time; how many files.

        Raises:
            BadInput: another study's journal lies there.
        """
        with self._one_at_a_time:
            return self._push()

    def _push(self) -> int:
        if not self._checked:
            self._refuse_another(self._theirs())
            self._checkpoints.look()
        with (
            tempfile.TemporaryDirectory(prefix="recsweep-mirror-") as scratch,
            self._checkpoints.as_they_are() as checkpoints,
        ):
            aside = self._set_aside(Path(scratch))
            names = sorted(self._changed(), key=lambda name: (_rank(name), name))
            for name in names:
                if name in ASIDE:
                    continue
                before = _stamp(self._folder / name)
                if before is not None and self._send(self._folder / name, name):
                    self._sent[name] = before
            for name in reversed(ASIDE):
                if name in aside and self._sent.get(name) != aside[name]:
                    self._send(Path(scratch) / name, name)
                    self._sent[name] = aside[name]
            sent = self._checkpoints.renew(checkpoints)
        self._checked = True
        return len(names) + sent

    def pull(self) -> int:
        """Take over the copy where it is ahead of the folder; how many files came.

        Raises:
            BadInput: both went on from a common start, or have nothing in common.
        """
        theirs = self._theirs()
        if theirs is None or not self._is_ahead(theirs):
            self._refuse_another(theirs)
            self._checkpoints.look()
            self._checked = True
            return 0
        with tempfile.TemporaryDirectory(prefix="recsweep-mirror-") as scratch:
            names = self._names()
            for name in names:
                target = Path(scratch) / name
                target.parent.mkdir(parents=True, exist_ok=True)
                self._fs.get_file(f"{self._base}/{name}", str(target))
            for name in sorted(names, key=lambda name: (_rank(name), name)):
                write_bytes(self._folder / name, (Path(scratch) / name).read_bytes())
                stamp = _stamp(self._folder / name)
                if stamp is not None:
                    self._sent[name] = stamp
        self._checkpoints.look()
        self._checked = True
        return len(names)

    def _names(self) -> list[str]:
        """Of every file of the copy; a name that would leave the folder is none of ours."""
        found = []
        for path in self._fs.find(self._base):
            name = str(path).removeprefix(self._base.lstrip("/")).removeprefix(self._base)
            name = name.lstrip("/")
            parts = Path(name).parts
            if name and not _private(parts):
                found.append(name)
        return found

    def _theirs(self) -> bytes | None:
        """The copied journal, whole lines only."""
        path = f"{self._base}/{JOURNAL}"
        if not self._fs.exists(path):
            return None
        return _whole(cast(bytes, self._fs.cat_file(path)))

    def _ours(self) -> bytes:
        path = self._folder / JOURNAL
        return _whole(path.read_bytes()) if path.is_file() else b""

    def _is_ahead(self, theirs: bytes) -> bool:
        ours = self._ours()
        return len(theirs) > len(ours) and theirs.startswith(ours)

    def _refuse_another(self, theirs: bytes | None) -> None:
        if theirs is not None and not self._ours().startswith(theirs):
            raise BadInput(
                f"{self.where}: holds another study, or one that went on elsewhere, than "
                f"{self._folder}; give the experiment another study name, or move one of the two "
                "away"
            )

    def _changed(self) -> Iterator[str]:
        for path in sorted(self._folder.rglob("*")):
            name = path.relative_to(self._folder)
            checkpoint = name.parts[0] == CHECKPOINTS
            if checkpoint or _private(name.parts) or not path.is_file():
                continue
            if self._sent.get(str(name)) != _stamp(path):
                yield str(name)

    def _set_aside(self, scratch: Path) -> dict[str, tuple[int, int]]:
        """Copy what must be as it was before all else is read; the stamps of what there is."""
        stamps = {}
        for name in ASIDE:
            stamp = _stamp(self._folder / name)
            if stamp is not None:
                content = self._ours() if name == JOURNAL else (self._folder / name).read_bytes()
                (scratch / name).write_bytes(content)
                stamps[name] = stamp
        return stamps

    def _send(self, source: Path, name: str) -> bool:
        target = f"{self._base}/{name}"
        try:
            if isinstance(self._fs, LocalFileSystem):
                write_bytes(Path(target), source.read_bytes())
            else:
                self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
                self._fs.put_file(str(source), target)
        except FileNotFoundError:
            if source.exists():
                raise
            return False  # taken away meanwhile
        return True


def _rank(name: str) -> int:
    """Records come after the tables that they have digests of, as a portrait's of its vectors."""
    return 2 + HEADS.index(name) if name in HEADS else int(name.endswith(".json"))


def _private(parts: tuple[str, ...]) -> bool:
    """Locks, half-written files, and names that would leave the folder."""
    return parts[-1] in NEVER or any(part.startswith(".") for part in parts)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _whole(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]
