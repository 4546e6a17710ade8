"""Work in a forked process, with limits that a busy machine doesn't reach."""

import os
import resource
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

MEMORY = 24 << 30
"""Bytes of a process: a loop that a change made endless must not take the machine along."""


@dataclass(frozen=True)
class Limits:
    """How long work may take: seconds of computing, and seconds for those that wait."""

    computing: float
    waiting: float

    def around(self, margin: float) -> "Limits":
        """For work that took so long without a change: several times as long, and a margin."""
        return Limits(margin + 5 * self.computing, 120 + 10 * self.waiting)


PATIENT = Limits(3600, 7200)


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it took."""

    code: int
    took: Limits

    @property
    def noticed(self) -> bool | None:
        """Did a test fail, or compute without end? None: it waited too long, which a busy machine
        brings about as well.
        """
        return None if self.code == -signal.SIGKILL else self.code != 0


def in_fork(work: Callable[[], int], limits: Limits) -> Ended:
    """Do it in a process of its own, whose exit code it gives; less than 0 where it was killed."""
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _work(work, limits)
    with os.fdopen(os.pidfd_open(pid)) as end:
        select.select([end], [], [], limits.waiting)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # it, and what its tests may have left
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)  # if it had no time to lead a group
    _, status, used = os.wait4(pid, 0)
    took = Limits(used.ru_utime + used.ru_stime, time.monotonic() - began)
    return Ended(os.waitstatus_to_exitcode(status), took)


def _work(work: Callable[[], int], limits: Limits) -> None:
    code = 70
    try:
        os.setsid()
        seconds = int(limits.computing) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        code = work()
    finally:
        os._exit(code)
