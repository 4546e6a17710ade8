"""The HTTP side: who may ask, how much, and which bundle answers. Knows nothing of Ray."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from recsweep.config.schema import NEXT_ITEM, PURCHASE
from recsweep.serving.messages import (
    ModelOut,
    PurchaseIn,
    PurchaseOut,
    RecommendIn,
    RecommendOut,
)

SERVED = (NEXT_ITEM, PURCHASE)
"""Tasks that have a route."""
MOST_BYTES = 1 << 20
"""Of a request's body."""
RETRY_SECONDS = "1"
JSON = "application/json"


class Busy(Exception):
    """No replica can take the request now, or the one that had it is gone."""


class Replicas(Protocol):
    """Who answers for one bundle: a `RecommendOut` or `PurchaseOut` as JSON."""

    async def recommend(self, request: RecommendIn) -> bytes:
        """Raises Busy."""
        ...

    async def purchase(self, request: PurchaseIn) -> bytes:
        """Raises Busy."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A bundle that is served, and by whom."""

    model: ModelOut
    replicas: Replicas


def chosen(entries: Sequence[Entry], task: str, learner: str) -> Entry:
    """The bundle that answers a learner: always the same one, by the shares.

    Raises:
        HTTPException: no bundle serves the task.
    """
    able = [entry for entry in entries if entry.model.task == task]
    if not able:
        raise HTTPException(404, f"no model of task {task} is served here")
    digest = hashlib.sha256(learner.encode()).digest()
    at = int.from_bytes(digest[:8]) / 2**64
    for entry in able:
        at -= entry.model.share
        if at < 0:
            return entry
    return able[-1]


def make_app(entries: Callable[[], Sequence[Entry]], token: str | None) -> FastAPI:
    """The application.

    Args:
        entries: the bundles; asked anew with every request.
        token: that clients must bear; None: nobody is asked for one.
    """
    app = FastAPI(title="recsweep", summary="Course recommendations by fitted bundles.")
    bearer = HTTPBearer(auto_error=False)

    async def allowed(given: HTTPAuthorizationCredentials | None = Depends(bearer)) -> None:  # noqa: B008
        wanted = (token or "").encode()
        if given is None or not hmac.compare_digest(given.credentials.encode(), wanted):
            raise HTTPException(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})

    guards = [] if token is None else [Depends(allowed)]  # the schema says which it is

    refusals: dict[int | str, dict[str, Any]] = {
        400: {"description": "The body can't be parsed"},
        401: {"description": "No valid bearer token"},
        404: {"description": "No model of this task is served"},
        413: {"description": "The body is too large"},
        503: {"description": "Busy; see Retry-After"},
    }

    @app.get("/health")
    async def health() -> Mapping[str, str]:
        """Is the service up?"""
        return {"status": "ok"}

    @app.get("/v1/models", dependencies=guards, responses={401: refusals[401]})
    async def models() -> list[ModelOut]:
        """Who answers, and which share of the learners."""
        return [entry.model for entry in entries()]

    @app.post("/v1/recommend", dependencies=guards, responses=refusals, response_model=RecommendOut)
    async def recommend(request: RecommendIn) -> Response:
        """A list of courses for a learner."""
        replicas = chosen(entries(), NEXT_ITEM, request.learner).replicas
        return Response(await replicas.recommend(request), media_type=JSON)

    @app.post("/v1/purchase", dependencies=guards, responses=refusals, response_model=PurchaseOut)
    async def purchase(request: PurchaseIn) -> Response:
        """How likely looks at courses end in buying them."""
        replicas = chosen(entries(), PURCHASE, request.learner).replicas
        return Response(await replicas.purchase(request), media_type=JSON)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        """Where and what; never what was sent, which may be no text at all."""
        problems = [
            {
                "loc": [_plain(part) for part in each["loc"]],
                "msg": _plain(each["msg"]),
                "type": each["type"],
            }
            for each in error.errors()[:5]
        ]
        return JSONResponse({"detail": problems}, 422)

    @app.exception_handler(Busy)
    async def busy(_: Request, error: Busy) -> JSONResponse:
        """Come again."""
        return JSONResponse({"detail": "busy"}, 503, {"Retry-After": RETRY_SECONDS})

    app.add_middleware(BoundedBody)
    return app


def _plain(part: object) -> object:
    return part if isinstance(part, int) else str(part).encode("ascii", "replace").decode()[:200]


Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class BoundedBody:
    """Reads a body before anybody parses it, and refuses one that is too large."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":  # the client is gone
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MOST_BYTES:
                detail = {"detail": f"at most {MOST_BYTES} bytes"}
                await JSONResponse(detail, 413)(scope, receive, send)
                return
        given = False

        async def again() -> dict[str, Any]:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)
