"""A service on this machine: Ray started, bundles up, replaced on demand, down again."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import ray
from ray import serve

from recsweep.bundle.bundle import load_bundle
from recsweep.bundle.files import read_bundle_file
from recsweep.errors import BadInput
from recsweep.serving.deployments import bundle_app, gate_app

GATE = "recsweep"


@dataclass(frozen=True, slots=True)
class Offer:
    """A bundle, and its share of the learners."""

    folder: Path
    share: float


def offers_of(folders: Sequence[Path], shares: Sequence[float]) -> tuple[Offer, ...]:
    """Bundles with their shares; without any, those of a task share alike.

    Raises:
        BadInput: no bundle, one that was changed, two of one name, or shares that don't add up.
    """
    names = [folder.resolve().name for folder in folders]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BadInput(f"two bundles are called {twice}; rename one of the folders")
    for folder in folders:
        # Whole, so that nothing is started for one that was changed.
        if (kind := load_bundle(folder).known.experiment.data.kind) != "events":
            raise BadInput(f"{folder}: is a model of {kind}; those are not served")
    tasks = [read_bundle_file(folder).task for folder in folders]
    given = list(shares) or [1 / tasks.count(task) for task in tasks]
    if len(given) != len(folders):
        raise BadInput(f"--split has {len(given)} shares for {len(folders)} bundles")
    for task in dict.fromkeys(tasks):
        total = sum(share for share, of in zip(given, tasks, strict=True) if of == task)
        if abs(total - 1) > 1e-6 or min(given) < 0:
            raise BadInput(f"--split: the shares of task {task} add up to {total:g}, not 1")
    return tuple(Offer(folder, share) for folder, share in zip(folders, given, strict=True))


@contextmanager
def service(host: str, port: int, processes: int) -> Iterator[None]:
    """Ray Serve with its HTTP side, and room for so many replicas; on a cluster where RAY_ADDRESS
    says one.
    """
    address = os.environ.get("RAY_ADDRESS", "").strip() or "local"
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    here = address == "local"
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    ray.init(
        address=address,
        # More bundles than cores take turns.
        num_cpus=max(processes, os.cpu_count() or 1) if here else None,
        include_dashboard=False if here else None,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    try:
        serve.start(http_options={"host": host, "port": port, "location": "HeadOnly"})
        yield
    finally:
        serve.shutdown()
        ray.shutdown()


def deploy(offers: Sequence[Offer], replicas: int, before: Sequence[str] = ()) -> list[str]:
    """Bring bundles up, then lead the gate to them, then let earlier ones go.

    Args:
        offers: the bundles.
        replicas: processes of each.
        before: applications of earlier bundles.

    Returns:
        The applications of these bundles.
    """
    apps: dict[str, dict[str, object]] = {}
    new: list[serve.RunTarget] = []
    for offer in offers:
        record = read_bundle_file(offer.folder)
        digest = record.files["weights.safetensors"].sha256[:12]
        name = f"{offer.folder.resolve().name}-{digest}"
        apps[name] = {"folder": str(offer.folder), "share": offer.share, "replicas": replicas}
        if name not in before:
            app = bundle_app({"folder": str(offer.folder), "replicas": replicas})
            new.append(serve.RunTarget(app, name, route_prefix=None))
    if new:
        serve.run_many(new)
    serve.run(gate_app({"models": apps}), name=GATE, route_prefix="/")
    for name in before:
        if name not in apps:
            serve.delete(name)
    return list(apps)


def run(
    folders: Sequence[Path],
    shares: Sequence[float],
    *,
    host: str,
    port: int,
    replicas: int,
    on_ready: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM; SIGHUP reads the bundles' folders again.

    Raises:
        BadInput: see `offers_of`.
    """
    offers, again = offers_of(folders, shares), threading.Event()

    def renew(number: int, frame: FrameType | None) -> None:
        again.set()

    signal.signal(signal.SIGHUP, renew)
    with suppress(KeyboardInterrupt), service(host, port, 2 * replicas * len(offers)):
        for number in (signal.SIGINT, signal.SIGTERM):  # Ray has set its own
            signal.signal(number, signal.default_int_handler)
        apps = deploy(offers, replicas)
        on_ready(f"http://{host}:{port}")
        while again.wait():
            again.clear()
            try:
                apps = deploy(offers_of(folders, shares), replicas, apps)
            except BadInput as error:
                logging.getLogger(__name__).warning("%s; the earlier bundles stay", error)
            else:
                on_ready(f"http://{host}:{port}")
