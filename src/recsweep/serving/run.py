"""A service on this machine: Ray started, bundles up, replaced on demand, down again.

This process speaks HTTP itself. Ray's proxy and a gate behind it would be two more processes in the
path of every request, and take more of a small machine than the answers do.
"""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import ray
import uvicorn
from ray import serve

from recsweep.bundle.bundle import load_bundle
from recsweep.bundle.files import read_bundle_file
from recsweep.errors import BadInput, WorkFailed, one_line
from recsweep.serving.app import SERVED, Entry, make_app
from recsweep.serving.deployments import TOKEN, bundle_app, described, digest_of
from recsweep.serving.replicas import RayReplicas
from recsweep.training.cores import usable_cores


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
        bundle = load_bundle(folder)
        if (kind := bundle.known.experiment.data.kind) != "events":
            raise BadInput(f"{folder}: is a model of {kind}; those are not served")
        if (task := bundle.file.task) not in SERVED:
            able = " and ".join(SERVED)
            raise BadInput(f"{folder}: is a model of task {task}; those of {able} are served")
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
def ray_serve(processes: int) -> Iterator[None]:
    """Ray Serve without an HTTP side of its own, and room for so many processes; on a cluster where
    RAY_ADDRESS says one.

    Raises:
        WorkFailed: it doesn't start.
    """
    address = os.environ.get("RAY_ADDRESS", "").strip() or "local"
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's 15 is for work that nobody waits for
    here = address == "local"
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    try:
        ray.init(
            address=address,
            # More bundles than cores take turns.
            num_cpus=max(processes, usable_cores()) if here else None,
            include_dashboard=False if here else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
        serve.start(proxy_location="Disabled")
    except Exception as error:  # Ray raises this very class when its processes are slow to start
        ray.shutdown()
        raise WorkFailed(f"Ray doesn't start ({one_line(error)}); try again") from error
    try:
        yield
    finally:
        serve.shutdown()
        ray.shutdown()


class Front:
    """The bundles that are up, and those that learners are led to."""

    def __init__(self, replicas: int) -> None:
        self.entries: tuple[Entry, ...] = ()
        self._replicas, self._up = replicas, dict[str, RayReplicas]()

    def bring_up(self, offers: Sequence[Offer]) -> None:
        """Start those that aren't up, then lead learners to all of these.

        Raises:
            WorkFailed: one doesn't start; learners are led as before.
        """
        apps = {_app(offer.folder): offer for offer in offers}
        new = [name for name in apps if name not in self._up]
        try:
            if new:
                serve.run_many([self._target(name, apps[name].folder) for name in new])
        except (RuntimeError, TimeoutError) as error:
            for name in new:
                serve.delete(name)
            raise WorkFailed(f"a replica doesn't start: {one_line(error)}") from error
        self._up |= {name: RayReplicas(name, self._replicas) for name in new}
        self.entries = tuple(
            Entry(described(offer.folder, offer.share), self._up[name])
            for name, offer in apps.items()
        )

    async def let_go(self) -> None:
        """Stop those that nobody is led to any more, each when its last request is answered."""
        used = {id(entry.replicas) for entry in self.entries}
        for name, replicas in tuple(self._up.items()):
            if id(replicas) not in used:
                await replicas.idle()
                await asyncio.to_thread(serve.delete, name)
                del self._up[name]

    def _target(self, name: str, folder: Path) -> serve.RunTarget:
        app = bundle_app({"folder": str(folder), "replicas": self._replicas})
        return serve.RunTarget(app, name, route_prefix=None)


def _app(folder: Path) -> str:
    return f"{folder.resolve().name}-{digest_of(read_bundle_file(folder))}"


@contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """The port, taken before anything is started, and refusing connections until all is up.

    Raises:
        BadInput: somebody else has it, or there is no such address.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        taken = socket.socket(family, kind)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
    except OSError as error:
        raise BadInput(f"--host {host} --port {port}: {error.strerror or error}") from None
    with taken:
        yield taken


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
        BadInput: see `offers_of` and `bound`.
        WorkFailed: Ray or a replica doesn't start.
    """
    offers, front, address = offers_of(folders, shares), Front(replicas), f"http://{host}:{port}"

    async def renew(again: asyncio.Event) -> None:
        while await again.wait():
            again.clear()
            try:
                now = await asyncio.to_thread(offers_of, folders, shares)
                await asyncio.to_thread(front.bring_up, now)
                on_ready(address)
                await front.let_go()
            except Exception as error:  # whatever it is, what is up is to stay up
                logging.getLogger(__name__).warning("%s; the earlier bundles stay", one_line(error))

    async def answer(server: uvicorn.Server, listener: socket.socket) -> None:
        again = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, again.set)
        renewing = asyncio.create_task(renew(again))
        listener.listen(2048)
        on_ready(address)
        await server.serve([listener])
        renewing.cancel()

    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to renew
    with (
        bound(host, port) as listener,
        suppress(KeyboardInterrupt),
        ray_serve(2 * replicas * len(offers)),
    ):
        for number in (signal.SIGINT, signal.SIGTERM):  # Ray has set its own
            signal.signal(number, signal.default_int_handler)
        front.bring_up(offers)
        config = uvicorn.Config(
            make_app(lambda: front.entries, os.environ.get(TOKEN) or None),
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=10,
        )
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(answer(uvicorn.Server(config), listener))
