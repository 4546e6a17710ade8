"""What Ray Serve runs: replicas of each bundle, and on a cluster the gate in front of them.

Each bundle is an application of its own without a route. So a new one is up before anybody is led
to it, and an old one goes when its last request is answered.
"""

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from fastapi import FastAPI
from ray import serve

from recsweep.bundle.files import read_bundle_file
from recsweep.bundle.format import BundleFile
from recsweep.serving.app import Entry, make_app
from recsweep.serving.messages import ModelOut, PurchaseIn, RecommendIn
from recsweep.serving.replicas import WAITING, RayReplicas
from recsweep.serving.served import ServedBundle
from recsweep.serving.together import Together

TOKEN = "RECSWEEP_TOKEN"
TOGETHER, PURCHASES_TOGETHER = WAITING, 8
"""Requests that a replica answers at once, at most."""


class BundleReplica:
    """A bundle in a process of its own."""

    def __init__(self, folder: str, digest: str) -> None:
        served = ServedBundle(Path(folder))
        threads = served.bundle.known.experiment.resources.threads
        one = ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(threads,))
        self._recommend = Together(served.recommend, TOGETHER, one)
        self._purchase = Together(served.purchase, PURCHASES_TOGETHER, one)

    async def recommend(self, request: RecommendIn) -> bytes:
        """A list, as JSON."""
        answer = await self._recommend.ask(request)
        return answer.model_dump_json().encode()

    async def purchase(self, request: PurchaseIn) -> bytes:
        """Probabilities, as JSON."""
        answer = await self._purchase.ask(request)
        return answer.model_dump_json().encode()


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
