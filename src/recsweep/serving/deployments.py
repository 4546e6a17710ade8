"""What Ray Serve runs: replicas of each bundle, and on a cluster the gate in front of them.

Each bundle is an application of its own without a route. So a new one is up before anybody is led
to it, and an old one goes when its last request is answered.
"""

import asyncio
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from ray import serve

from recsweep.bundle.files import read_bundle_file
from recsweep.bundle.format import BundleFile
from recsweep.serving.app import Entry, make_app
from recsweep.serving.messages import ModelOut, PurchaseIn, RecommendIn
from recsweep.serving.replicas import WAITING, RayReplicas
from recsweep.serving.served import ServedBundle

TOKEN = "RECSWEEP_TOKEN"
TOGETHER = 64
"""Requests that a replica answers at once: those that came while it answered the ones before."""


class BundleReplica:
    """A bundle in a process of its own."""

    def __init__(self, folder: str, digest: str) -> None:
        self._served = ServedBundle(Path(folder))

    @serve.batch(max_batch_size=TOGETHER, batch_wait_timeout_s=0)
    async def recommend(self, requests: list[RecommendIn]) -> list[bytes]:
        """A list for each."""
        answers = await asyncio.to_thread(self._served.recommend, requests)
        return [answer.model_dump_json().encode() for answer in answers]

    @serve.batch(max_batch_size=8, batch_wait_timeout_s=0)
    async def purchase(self, requests: list[PurchaseIn]) -> list[bytes]:
        """Probabilities for each."""
        answers = await asyncio.to_thread(self._served.purchase, requests)
        return [answer.model_dump_json().encode() for answer in answers]


@serve.ingress()
class Gate:
    """Speaks HTTP behind Ray's proxies; `reconfigure` gives it other bundles without a pause."""

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
    replica = serve.deployment(BundleReplica).options(
        name="replica",
        num_replicas=int(args.get("replicas", 1)),
        max_ongoing_requests=WAITING,
        health_check_period_s=1,  # one that died is soon replaced
        logging_config={"enable_access_log": False},
        ray_actor_options={"num_cpus": record.experiment.resources.threads},
    )
    return replica.bind(str(folder.resolve()), digest_of(record))


def digest_of(record: BundleFile) -> str:
    """Of all its files."""
    return hashlib.sha256("".join(f.sha256 for f in record.files.values()).encode()).hexdigest()[
        :12
    ]


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
