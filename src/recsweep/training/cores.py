"""Cores that this process may use: of a container's or a job's machine that is not all of them."""

import os
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
"""Where a container sees its own limits, of either version of cgroups."""


def usable_cores() -> int:
    """At least one. Those that affinity allows (taskset, Slurm, Docker's `--cpuset-cpus`),
    no more than whole ones of a quota (Docker's `--cpus`, Kubernetes' `limits.cpu`).
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, int(min(cores or 1, _quota())))


def _quota() -> float:
    """Cores of time that the kernel grants each period; infinity: no limit, or none is told."""
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        with suppress(OSError, ValueError):  # "max", and no such version
            told = " ".join((CGROUPS / file).read_text("ascii") for file in files)
            quota, period = map(int, told.split())
            if quota > 0 < period:  # -1: none
                return quota / period
    return float("inf")
