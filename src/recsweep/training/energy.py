"""What a process's work takes of energy: read from counters, or estimated by power.

The processor's counter (RAPL, in Linux's powercap) is of a whole package, so a process gets the
share of it that it had of all processors' busy time; what idles is shared alike. Reading it
often needs root. The GPU's (NVML, from Volta on) is of a whole device, of which a trial gets the
share that it holds. What can't be read is the time that was used times the declared power.
"""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from recsweep.config.schema import Energy

POWERCAP, STAT = Path("/sys/class/powercap"), Path("/proc/stat")
IDLE = (3, 4)  # of the columns of /proc/stat: idle, and waiting for a disk


@dataclass(frozen=True, slots=True)
class _Reading:
    """All counters at a moment; None: it can't be read."""

    wall: float  # seconds
    mine: float  # processor seconds of this process
    busy: float | None  # of all
    packages: tuple[float, ...] | None  # joules
    gpus: float | None  # joules


class Meter:
    """Joules of a process from one call to the next.

    Args:
        declared: the powers that are taken where there is no counter.
        gpu: how many GPUs the process holds, or what part of one.
        powercap: the folder of the processor's counters.
    """

    def __init__(self, declared: Energy, gpu: float = 0.0, powercap: Path = POWERCAP) -> None:
        self._declared, self._gpu = declared, gpu
        # Top level alone: a package's entry holds those of its parts.
        found = sorted(powercap.glob("intel-rapl:*"))  # AMD's bear this name as well
        self._packages = [path for path in found if path.name.count(":") == 1]
        self._ranges = [_number(path / "max_energy_range_uj") or 0.0 for path in self._packages]
        self._handles = _handles() if gpu else []
        self._last = self._read()

    def restart(self) -> None:
        """Forget what was used so far."""
        self._last = self._read()

    def joules(self) -> tuple[float, float]:
        """Since the last time: all, and what of it is estimated."""
        before, self._last = self._last, self._read()
        now, estimated = self._last, 0.0
        mine = now.mine - before.mine
        processor = self._of_processor(before, now, mine)
        if processor is None:
            processor = mine * self._declared.watts_per_core
            estimated += processor
        gpus = 0.0
        if self._gpu:
            if now.gpus is not None and before.gpus is not None:
                gpus = (now.gpus - before.gpus) * min(1.0, self._gpu)
            else:
                gpus = (now.wall - before.wall) * self._gpu * self._declared.watts_per_gpu
                estimated += gpus
        return processor + gpus, estimated

    def _of_processor(self, before: _Reading, now: _Reading, mine: float) -> float | None:
        if before.packages is None or now.packages is None:
            return None
        if before.busy is None or now.busy is None:
            return None
        spans = zip(before.packages, now.packages, self._ranges, strict=True)
        used = sum(b - a if b >= a else b - a + whole / 1e6 for a, b, whole in spans)
        busy = now.busy - before.busy
        return used * min(1.0, mine / busy) if busy > 0 else 0.0

    def _read(self) -> _Reading:
        packages = [_number(path / "energy_uj") for path in self._packages]
        known = [at / 1e6 for at in packages if at is not None]
        return _Reading(
            wall=time.perf_counter(),
            mine=time.process_time(),
            busy=_busy(),
            packages=tuple(known) if known and len(known) == len(packages) else None,
            gpus=_of_gpus(self._handles),
        )


def _number(path: Path) -> float | None:
    with suppress(OSError, ValueError):
        return float(path.read_text("ascii"))
    return None


def _busy() -> float | None:
    """Seconds that all processors of this machine worked."""
    with suppress(OSError, ValueError, IndexError):
        first = (
            STAT.read_text("ascii").splitlines()[0].split()[1:8]
        )  # without what other machines took
        ticks = sum(int(n) for at, n in enumerate(first) if at not in IDLE)
        return ticks / os.sysconf("SC_CLK_TCK")
    return None


def _handles() -> list[Any]:
    """NVML's of the GPUs that this process sees; empty: NVML isn't there."""
    try:
        import pynvml

        pynvml.nvmlInit()
        ids = [torch.cuda.get_device_properties(n).uuid for n in range(torch.cuda.device_count())]
        return [pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{each}") for each in ids]
    except Exception:  # an extra that isn't installed, a driver without it, another maker's GPU
        return []


def _of_gpus(handles: Iterable[Any]) -> float | None:
    """Joules since their driver was loaded."""
    try:
        import pynvml

        used = [pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) for handle in handles]
    except Exception:  # one from before Volta
        return None
    return sum(used) / 1000 if used else None
