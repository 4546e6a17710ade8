"""The most memory that a process has held; standard library alone, for peers' environments."""

from pathlib import Path


def peak_gib(process: int | str = "self") -> float:
    """Since the process of this number began (Linux).

    `getrusage` would not do: a process inherits the peak of the one that started it.
    """
    status = Path(f"/proc/{process}/status").read_text("ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 2**20
