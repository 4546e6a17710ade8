"""recsweep's command line in this process, and what must hold of everything that it prints."""

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recsweep import cli


@dataclass(frozen=True)
class Ended:
    """How a command ended. `status` is None if it ended in an exception, `err` then tells which."""

    status: int | None
    out: str
    err: str

    @property
    def done(self) -> bool:
        return self.status == 0

    def problem(self) -> str | None:
        """Say what no command may do: end in a traceback, in another status, or without a word."""
        if self.status is None:
            return f"traceback: {self.err[-1500:]}"
        if self.status not in (0, 1, 2):
            return f"exit {self.status}: {self.err[-500:]}"
        if "Traceback" in self.out + self.err or "panicked" in self.out + self.err:
            return f"a traceback in the output: {self.err[-1500:]}"
        lines = [line for line in self.err.splitlines() if line.strip()]
        if self.status and len([line for line in lines if line.startswith("recsweep: ")]) != 1:
            return f"exit {self.status} with {len(lines)} lines, expected one: {self.err[:500]!r}"
        if self.status and not lines[-1].startswith("recsweep: "):
            return f"exit {self.status}, and the message goes on: {self.err[:500]!r}"
        return None


def recsweep(root: Path, *arguments: str) -> Ended:
    """Run a command in `root`."""
    out, err = io.StringIO(), io.StringIO()
    before, argv = Path.cwd(), sys.argv
    status: int | None = 0
    os.chdir(root)
    sys.argv = ["recsweep", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # a panic of a Rust library is none of Exception's
        status = None
        err.write(traceback.format_exc())
    finally:
        sys.argv = argv
        os.chdir(before)
    return Ended(status, out.getvalue(), err.getvalue())


def files(root: Path) -> set[str]:
    """Every file and folder below `root`."""
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def half_written(names: set[str]) -> list[str]:
    """Temporary names that nobody took away."""
    return sorted(name for name in names if Path(name).name.startswith("."))


@contextlib.contextmanager
def replaced(path: Path, content: bytes) -> Iterator[None]:
    """Put other bytes into a file for a while."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)
