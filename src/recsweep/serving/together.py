"""Requests that come while others are answered are answered together, next.

Nobody waits for company: a lone request is answered at once, and the busier a replica is, the more
it answers at a time. Ray Serve's batches close after a fixed wait, also while the one before is
still computed, so that under load they'd hold one or two requests each.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class Together(Generic[Request, Answer]):
    """Asks a function that answers several requests at once, in one thread."""

    def __init__(
        self,
        answer: Callable[[Sequence[Request]], Sequence[Answer]],
        most: int,
        thread: ThreadPoolExecutor,
    ) -> None:
        self._answer, self._most, self._thread = answer, most, thread
        self._waiting: list[tuple[Request, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, request: Request) -> Answer:
        """The answer to one request."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._go_on())
        return await future

    async def _go_on(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            first, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            asked = [(request, future) for request, future in first if not future.done()]
            try:
                answers = await loop.run_in_executor(
                    self._thread, self._answer, [request for request, _ in asked]
                )
            except Exception as error:  # whatever it is, those who asked are told
                for _, future in asked:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), answer in zip(asked, answers, strict=True):
                    if not future.done():  # its client is gone
                        future.set_result(answer)
