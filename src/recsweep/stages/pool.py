"""Work that lasts, done side by side in processes that each lay out what they share once."""

import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol, TypeVar

import torch

from recsweep.config.schema import Resources
from recsweep.errors import WorkFailed
from recsweep.stages.machine import device_of, threads
from recsweep.training.process import (
    environment_variables,
    give_back_memory,
    without_main,
    worker_environment,
)


class Work(Protocol):
    """A piece of it."""

    @property
    def work(self) -> float:
        """Seconds it is expected to take; only their proportions matter."""
        ...


W = TypeVar("W", bound=Work)
R = TypeVar("R")

Begin = Callable[[torch.device], Callable[[W], R]]
"""What does one piece after another, made once a process."""
OnEnd = Callable[[W, int, int, float], None]
"""Told of a piece that is done, how many are, of how many, and of the seconds left."""


def side_by_side(
    pieces: Sequence[W],
    begin: Begin[W, R],
    resources: Resources,
    *,
    workers: int,
    verb: str,
    on_end: OnEnd[W],
) -> list[R]:
    """Do every piece, the longest first, in `workers` processes (one: in this process).

    Args:
        pieces: in any order; results come in the same order.
        begin: makes a process ready; travels to it.
        resources: threads and devices of a process.
        workers: processes.
        verb: of the stage, for a message.
        on_end: told of every piece that ends.

    Raises:
        WorkFailed: a piece failed, or a process was killed.
    """
    progress = _Progress(pieces, on_end)
    order = sorted(range(len(pieces)), key=lambda n: -pieces[n].work)
    results: dict[int, R] = {}
    if workers == 1:
        with threads(resources):
            do = begin(device_of(resources, 0))
            for n in order:
                results[n] = do(pieces[n])
                progress.ended(pieces[n])
        return [results[n] for n in range(len(pieces))]
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    with environment_variables(worker_environment(resources)):
        pool = ProcessPoolExecutor(
            workers,
            context,
            initializer=_begin,
            initargs=(begin, resources, context.Value("i", 0)),
        )
        try:
            with without_main():  # each piece that is handed in begins a process, if there is room
                futures: dict[Future[R], int] = {pool.submit(_do, pieces[n]): n for n in order}
            for future in as_completed(futures):
                results[futures[future]] = future.result()
                progress.ended(pieces[futures[future]])
        except BrokenProcessPool:
            raise WorkFailed(
                f"a process of recsweep {verb} was killed, most likely for lack of memory; "
                "set resources.workers lower and run the command again"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)
    return [results[n] for n in range(len(pieces))]


class _Progress:
    def __init__(self, pieces: Sequence[Work], on_end: OnEnd[Any]) -> None:
        self._on_end, self._total = on_end, len(pieces)
        self._all = sum(piece.work for piece in pieces)
        self._left, self._done = self._all, 0
        self._began = time.monotonic()

    def ended(self, piece: Work) -> None:
        self._done += 1
        self._left = max(0.0, self._left - piece.work)
        elapsed = time.monotonic() - self._began
        left = elapsed * self._left / max(self._all - self._left, 1e-9)
        self._on_end(piece, self._done, self._total, left)


_do_piece: Callable[[Any], Any] | None = None
"""Of a worker process; set once by `_begin`."""


def _begin(begin: Begin[Any, Any], resources: Resources, counter: Any) -> None:
    global _do_piece  # noqa: PLW0603  # a pool's initialiser has no other way to leave something
    with counter.get_lock():
        number = counter.value
        counter.value += 1
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a traceback
    torch.set_num_threads(resources.threads)
    _do_piece = begin(device_of(resources, number))


def _do(piece: Any) -> Any:
    assert _do_piece is not None
    give_back_memory()  # of the piece before
    return _do_piece(piece)
