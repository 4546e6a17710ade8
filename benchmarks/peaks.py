"""The most memory that this process has held; standard library alone, for peers' environments."""

from pathlib import Path


def peak_gib() -> float:
    """Since the process began (Linux).

    `getrusage` would not do: a process inherits the peak of the one that started it.
    """
    status = Path("/proc/self/status").read_text("ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 2**20
