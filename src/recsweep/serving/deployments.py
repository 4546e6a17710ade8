"""What Ray Serve runs: replicas of each bundle, and the gate in front of them.

Each bundle is an application of its own without a route. So a new one is up before the gate hears
of it, and an old one goes when its last request is answered.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from ray import serve
from ray.exceptions import RayActorError, RayError
from ray.serve.exceptions import RayServeException

from recsweep.bundle.files import read_bundle_file
from recsweep.serving.app import Busy, Entry, make_app
from recsweep.serving.messages import (
    ModelOut,
    PurchaseIn,
    PurchaseOut,
    RecommendIn,
    RecommendOut,
)
from recsweep.serving.served import ServedBundle

TOKEN = "RECSWEEP_TOKEN"
TOGETHER = 64
"""Requests that a replica answers at once."""
WAIT_SECONDS = 0.002
"""That it waits for others."""
WAITING = 2 * TOGETHER
"""Requests that may wait for a replica; more get a 503 at once, so that nobody waits long."""


class BundleReplica:
    """A bundle in a process of its own."""

    def __init__(self, folder: str, digest: str) -> None:
        self._served = ServedBundle(Path(folder))

    @serve.batch(max_batch_size=TOGETHER, batch_wait_timeout_s=WAIT_SECONDS)
    async def recommend(self, requests: list[RecommendIn]) -> list[RecommendOut]:
        """A list for each."""
        return self._served.recommend(requests)

    @serve.batch(max_batch_size=8, batch_wait_timeout_s=WAIT_SECONDS)
    async def purchase(self, requests: list[PurchaseIn]) -> list[PurchaseOut]:
        """Probabilities for each."""
        return self._served.purchase(requests)


class RayReplicas:
    """A bundle's replicas, as the gate asks them."""

    def __init__(self, app: str, replicas: int) -> None:
        self._handle, self._room = serve.get_app_handle(app), replicas * WAITING

    async def recommend(self, request: RecommendIn) -> RecommendOut:
        """Raises Busy."""
        answer: RecommendOut = await self._ask(self._handle.recommend, request)
        return answer

    async def purchase(self, request: PurchaseIn) -> PurchaseOut:
        """Raises Busy."""
        answer: PurchaseOut = await self._ask(self._handle.purchase, request)
        return answer

    async def _ask(self, method: Any, request: Any) -> Any:
        if not self._room:
            raise Busy
        self._room -= 1
        try:
            return await method.remote(request)
        except (RayServeException, RayActorError) as error:
            raise Busy from error
        except RayError as error:  # a replica's own error has its cause
            if isinstance(getattr(error, "cause", None), RayServeException):
                raise Busy from error
            raise
        finally:
            self._room += 1


@serve.ingress()
class Gate:
    """Speaks HTTP; `reconfigure` gives it other bundles without a pause."""

    def __init__(self) -> None:
        self._entries: tuple[Entry, ...] = ()

    def reconfigure(self, config: Mapping[str, Any]) -> None:
        """As Ray Serve calls it."""
        self._entries = tuple(
            Entry(ModelOut.model_validate(model), RayReplicas(app, config["replicas"][app]))
            for app, model in config["models"].items()
        )

    def __serve_build_asgi_app__(self) -> FastAPI:  # its name is Ray's
        """As Ray Serve calls it."""
        return make_app(lambda: self._entries, os.environ.get(TOKEN) or None)


def bundle_app(args: Mapping[str, Any]) -> serve.Application:
    """The application of one bundle: `folder`, and `replicas` if there is more than one."""
    folder = Path(args["folder"])
    record = read_bundle_file(folder)
    digest = "".join(file.sha256[:8] for file in record.files.values())
    replica = serve.deployment(BundleReplica).options(
        name="replica",
        num_replicas=int(args.get("replicas", 1)),
        max_ongoing_requests=2 * TOGETHER,
        ray_actor_options={"num_cpus": record.experiment.resources.threads},
    )
    return replica.bind(str(folder.resolve()), digest)


def gate_app(args: Mapping[str, Any]) -> serve.Application:
    """The application that speaks HTTP: `models`, a mapping of applications to their `folder`,
    `share` and `replicas`.
    """
    models = {
        app: described(Path(each["folder"]), float(each.get("share", 1))).model_dump()
        for app, each in args["models"].items()
    }
    gate = serve.deployment(Gate).options(
        name="gate",
        max_ongoing_requests=1024,
        user_config={
            "models": models,
            "replicas": {app: int(each.get("replicas", 1)) for app, each in args["models"].items()},
        },
        ray_actor_options={"num_cpus": 0},
    )
    return gate.bind()


def described(folder: Path, share: float) -> ModelOut:
    """A bundle as the service lists it."""
    record = read_bundle_file(folder)
    return ModelOut(
        model=folder.resolve().name,
        task=record.task,
        family=record.family,
        study=record.study,
        courses=record.courses,
        fitted_until=record.fitted.until,
        share=share,
    )
