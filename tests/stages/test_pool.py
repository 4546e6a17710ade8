"""How long is left, by the work of what has ended."""

import os
import signal
import sys
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from recsweep.config.schema import Resources
from recsweep.errors import WorkFailed
from recsweep.stages import pool


def test_what_is_left_is_told_by_the_work_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr(pool, "device_of", lambda resources, process: f"device {process}")

    def take(piece: SimpleNamespace) -> str:
        now[0] += 2 * piece.work
        return str(piece.work)

    told: list[tuple[float, int, int, float]] = []
    found = pool.side_by_side(
        [SimpleNamespace(work=work) for work in (1.0, 3.0, 2.0)],
        lambda device: {"device 0": take}[str(device)],
        Resources(),
        workers=1,
        verb="test",
        on_end=lambda piece, *of: told.append((piece.work, *of)),
    )
    assert found == ["1.0", "3.0", "2.0"]
    assert told == [(3.0, 1, 3, 6.0), (2.0, 2, 3, 2.0), (1.0, 3, 3, 0.0)]


def piece(work: float, name: str = "") -> Any:
    return SimpleNamespace(work=work, name=name)


def nothing(*told: object) -> None:
    return None


def test_pieces_go_to_processes_the_longest_first_and_results_come_back_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Any] = []

    class Pool(Executor):
        def __init__(self, workers: int, context: Any, initializer: Any, initargs: Any) -> None:
            _, resources, counter = initargs
            made.append((workers, context.get_start_method(), initializer, resources))
            assert counter.value == 0
            self.threads = os.environ["OMP_NUM_THREADS"]

        def submit(self, fn: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
            assert fn is pool._do
            assert not script.__file__  # processes begin as pieces are handed in
            done: Future[Any] = Future()
            made.append(arguments[0].work)
            done.set_result(f"{arguments[0].work} with {self.threads}")
            return done

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            made.append(cancel_futures)

    script = SimpleNamespace(__file__="/home/me/study.py")
    monkeypatch.setitem(sys.modules, "__main__", script)
    monkeypatch.setattr(pool, "ProcessPoolExecutor", Pool)
    monkeypatch.setenv("OMP_NUM_THREADS", "99")
    resources, told = Resources(cpu=3), list[tuple[float, int, int]]()
    found: list[str] = pool.side_by_side(
        [piece(work) for work in (1.0, 3.0, 2.0)],
        nothing,  # type: ignore[arg-type]
        resources,
        workers=2,
        verb="test",
        on_end=lambda piece, done, total, left: told.append((piece.work, done, total)),
    )
    assert found == ["1.0 with 3", "3.0 with 3", "2.0 with 3"]
    assert made == [(2, "spawn", pool._begin, resources), 3.0, 2.0, 1.0, True]
    assert sorted(told, key=lambda each: each[1]) == [
        (w, n, 3) for n, (w, *_) in enumerate(told, 1)
    ]
    assert {work for work, *_ in told} == {1.0, 2.0, 3.0}
    assert os.environ["OMP_NUM_THREADS"] == "99"
    assert vars(script) == {"__file__": "/home/me/study.py"}


def test_a_process_that_was_killed_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended: list[bool] = []

    class Killed(Executor):
        def __init__(self, *given: Any, **named: Any) -> None:
            pass

        def submit(self, fn: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
            done: Future[Any] = Future()
            done.set_exception(BrokenProcessPool())
            return done

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            ended.append(cancel_futures)

    monkeypatch.setattr(pool, "ProcessPoolExecutor", Killed)
    with pytest.raises(WorkFailed, match="a process of recsweep test was killed, most likely for"):
        pool.side_by_side(
            [piece(1.0)],
            nothing,  # type: ignore[arg-type]
            Resources(),
            workers=2,
            verb="test",
            on_end=nothing,
        )
    assert ended == [True]


def test_every_process_takes_the_next_device_and_is_ended_by_control_c(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    devices: list[tuple[object, int]] = []
    signals: list[tuple[object, object]] = []
    given_back: list[bool] = []
    threads: list[int] = []

    def device(resources: object, number: int) -> str:
        devices.append((resources, number))
        return f"device {number}"

    monkeypatch.setattr(pool, "device_of", device)
    monkeypatch.setattr(pool, "give_back_memory", lambda: given_back.append(True))
    monkeypatch.setattr("signal.signal", lambda *given: signals.append(given))
    monkeypatch.setattr("torch.set_num_threads", threads.append)
    monkeypatch.setattr(pool, "_do_piece", None)
    counter = SimpleNamespace(value=0, get_lock=nullcontext)
    resources = Resources(cpu=2)
    for number in range(2):
        pool._begin(lambda at: lambda asked: f"{asked} on {at}", resources, counter)
        assert pool._do("piece") == f"piece on device {number}"
    assert devices == [(resources, 0), (resources, 1)]
    assert counter.value == 2
    assert signals == [(signal.SIGINT, signal.SIG_DFL)] * 2
    assert (threads, given_back) == ([2, 2], [True, True])


def test_pieces_without_work_leave_nothing_and_rounding_leaves_no_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    left: list[float] = []

    def heard(piece: object, done: int, total: int, seconds: float) -> None:
        left.append(seconds)

    progress = pool._Progress([piece(0.0), piece(0.0)], heard)
    now[0] = 5.0
    progress.ended(piece(0.0))
    assert left == [0.0]
    works = [0.1, 0.3, 0.9]  # whose sum, taken away again, leaves less than 0
    progress = pool._Progress([piece(work) for work in works], heard)
    now[0] += 10.0
    for work in works:
        progress.ended(piece(work))
    assert left[1:] == [pytest.approx(10 * 1.2 / 0.1), pytest.approx(10 * 0.9 / 0.4), 0.0]
