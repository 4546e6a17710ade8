"""A bundle's replicas, as whoever speaks HTTP asks them."""

import asyncio
from typing import Any

from ray import serve
from ray.exceptions import RayActorError, RayError
from ray.serve.exceptions import RayServeException

from recsweep.serving.app import Busy
from recsweep.serving.messages import PurchaseIn, RecommendIn

WAITING = 32
"""Requests that a replica may have at a time; more get a 503 at once. At 200 a second so many have
been waiting for a sixth of a second.
"""
LONGEST_SECONDS = 60
"""That a request waits, for instance while a replica that died is replaced."""


class RayReplicas:
    """Those of one application of Ray Serve."""

    def __init__(self, app: str, replicas: int) -> None:
        handle = serve.get_app_handle(app)
        self._recommend, self._purchase = handle.recommend, handle.purchase
        self._most, self._asked = replicas * WAITING, 0

    async def recommend(self, request: RecommendIn) -> bytes:
        """Raises Busy."""
        return await self._ask(self._recommend, request)

    async def purchase(self, request: PurchaseIn) -> bytes:
        """Raises Busy."""
        return await self._ask(self._purchase, request)

    async def idle(self) -> None:
        """Wait until the last request is answered."""
        while self._asked:
            await asyncio.sleep(0.05)

    async def _ask(self, method: Any, request: RecommendIn | PurchaseIn) -> bytes:
        if self._asked >= self._most:
            raise Busy
        self._asked += 1
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                answer: bytes = await method.remote(request)
                return answer
        except (TimeoutError, RayServeException, RayActorError) as error:
            raise Busy from error
        except RayError as error:  # a replica's own error has its cause
            if isinstance(getattr(error, "cause", None), RayServeException):
                raise Busy from error
            raise
        finally:
            self._asked -= 1
