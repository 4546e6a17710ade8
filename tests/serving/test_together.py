"""Requests that wait are answered together, none waits for company, and none is forgotten."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from recsweep.serving.together import Together


class Slow:
    """Answers when it is let; notes what it was asked at a time."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.go = threading.Event()

    def __call__(self, requests: Sequence[int]) -> list[int]:
        self.asked.append(list(requests))
        assert self.go.wait(10)
        if 13 in requests:
            raise ValueError("13")
        return [10 * request for request in requests]


async def asked(slow: Slow, requests: Sequence[int], gone: int | None = None) -> list[Any]:
    """The first alone; the others once it is being answered, all but `gone` waiting to the end."""
    with ThreadPoolExecutor(1) as thread:
        together = Together(slow, 3, thread)
        tasks = [asyncio.create_task(together.ask(requests[0]))]
        while not slow.asked:
            await asyncio.sleep(0.001)
        tasks += [asyncio.create_task(together.ask(request)) for request in requests[1:]]
        await asyncio.sleep(0)
        if gone is not None:
            tasks[gone].cancel()
        slow.go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)


def test_what_came_meanwhile_is_answered_together_and_no_more_than_the_most() -> None:
    slow = Slow()
    assert asyncio.run(asked(slow, range(6))) == [0, 10, 20, 30, 40, 50]
    assert slow.asked == [[0], [1, 2, 3], [4, 5]]


def test_who_is_gone_is_not_answered() -> None:
    slow = Slow()
    found = asyncio.run(asked(slow, range(4), gone=2))
    assert slow.asked == [[0], [1, 3]]
    assert isinstance(found.pop(2), asyncio.CancelledError)
    assert found == [0, 10, 30]


def test_an_error_reaches_those_who_were_asked_with_it_and_nobody_else() -> None:
    slow = Slow()
    first, *failed, later, last = asyncio.run(asked(slow, [0, 12, 13, 14, 15, 16]))
    assert [type(error) for error in failed] == [ValueError] * 3
    assert (first, later, last) == (0, 150, 160)


def test_one_who_leaves_while_answered_harms_nobody() -> None:
    async def leave() -> tuple[list[int], int]:
        slow = Slow()
        with ThreadPoolExecutor(1) as thread:
            together = Together(slow, 3, thread)
            task = asyncio.create_task(together.ask(1))
            while not slow.asked:
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            slow.go.set()
            return [await together.ask(2)], len(slow.asked)

    assert asyncio.run(leave()) == ([20], 2)
