"""A whole service on loopback: answered, replaced, its replica killed, and down again."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

pytest.importorskip("ray.serve", reason="needs the extra serve")
pytest.importorskip("fastapi", reason="needs the extra serve")

import httpx

from recsweep.bundle.files import write_bundle
from recsweep.bundle.format import BundleFile
from recsweep.errors import BadInput
from recsweep.models.registry import families
from recsweep.serving.run import bound, offers_of
from recsweep.testing import cases_of
from recsweep.testing.bundles import pieces_of

BODY = {"learner": "x", "events": [{"course": "c1", "time": 8_000_000}], "k": 3}


def write(folder: Path, family: str, task: str = "next_item") -> None:
    record, files = pieces_of(next(cases_of(families()[family], task)))
    content = {name: getattr(record, name) for name in BundleFile.model_fields if name != "files"}
    write_bundle(folder, content, files)


def wait_for(what: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_shares_and_names_are_checked_before_anything_starts(tmp_path: Path) -> None:
    write(tmp_path / "a", "popularity")
    write(tmp_path / "b", "popularity")
    write(tmp_path / "other/a", "popularity")
    write(tmp_path / "mail", "logistic_regression", "uplift")
    both = [tmp_path / "a", tmp_path / "b"]
    assert [offer.share for offer in offers_of(both, ())] == [0.5, 0.5]
    for folders, shares, says in (
        (both, [0.5], "--split has 1 shares for 2 bundles"),
        (both, [0.5, 0.6], "add up to 1.1, not 1"),
        ([both[0], tmp_path / "other/a"], [], "two bundles are called a"),
        ([tmp_path / "none"], [], "is no bundle"),
        ([tmp_path / "mail"], [], "model of task uplift; those of next_item and purchase are"),
    ):
        with pytest.raises(BadInput, match=re.escape(says)):
            offers_of(folders, shares)


def test_a_port_that_is_taken_is_refused_before_anything_starts() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        says = re.escape(f"--host 127.0.0.1 --port {port}: Address already in use")
        with pytest.raises(BadInput, match=says), bound("127.0.0.1", port):
            pass


@dataclass
class Service:
    """`recsweep serve`, in a process of its own."""

    process: subprocess.Popen[bytes]
    address: str
    current: Path  # the link that it serves

    def ask(self) -> tuple[int, str]:
        """Status (0: the connection broke), and the model that answered."""
        try:
            answer = httpx.post(self.address, json=BODY, timeout=120)
        except httpx.TransportError:
            return 0, ""
        if answer.status_code == 503:
            assert answer.headers["Retry-After"] == "1"
        return answer.status_code, answer.json().get("model", "")

    def replicas(self) -> list[psutil.Process]:
        found = []
        for each in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.Error):  # it has ended since
                found += [each] if "ServeReplica" in " ".join(each.cmdline()) else []
        return found


@contextmanager
def steady(service: Service, clients: int = 8) -> Iterator[list[tuple[int, str]]]:
    """Clients who ask one request after another; what they were answered so far."""
    found: list[tuple[int, str]] = []
    end = threading.Event()

    def go_on(_: int) -> None:
        while not end.is_set():
            found.append(service.ask())

    with ThreadPoolExecutor(clients) as pool:
        asked = pool.map(go_on, range(clients))
        try:
            wait_for(lambda: len(found) > 2 * clients)
            yield found
        finally:
            end.set()
        list(asked)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    place = tmp_path_factory.mktemp("service")
    write(place / "m1", "popularity")
    write(place / "m2", "markov")
    current = place / "current"
    current.symlink_to("m1")
    port = 18_431 + os.getpid() % 1000
    command = [sys.executable, "-m", "recsweep", "serve", str(current), "--port", str(port)]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    found = Service(process, f"http://127.0.0.1:{port}/v1/recommend", current)
    try:
        wait_for(lambda: process.poll() is not None or found.ask()[0] == 200, seconds=400)
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert process.returncode == 0, (place / "log").read_text()


@pytest.mark.long
def test_a_bundle_is_replaced_without_a_lost_request(service: Service) -> None:
    with steady(service) as found:
        service.current.unlink()
        service.current.symlink_to("m2")
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: found[-1][1] == "m2", seconds=300)
        wait_for(lambda: len(service.replicas()) == 1, seconds=300)
        wait_for(lambda: len(found) > len([each for each in found if each[1] == "m1"]) + 50)
    assert {status for status, _ in found} == {200}
    assert {model for _, model in found[-50:]} == {"m2"}


@pytest.mark.long
def test_a_killed_replica_loses_what_it_had_in_hand_and_no_more(service: Service) -> None:
    clients = 8
    wait_for(lambda: len(service.replicas()) == 1)
    (replica,) = service.replicas()
    with steady(service, clients) as found:
        replica.kill()
        killed = len(found)
        wait_for(lambda: len(service.replicas()) == 1 and service.replicas() != [replica], 300)
        wait_for(lambda: [status for status, _ in found[killed:]].count(200) > 50, seconds=300)
    statuses = [status for status, _ in found]
    assert set(statuses) <= {200, 503}
    assert statuses.count(503) <= clients  # each had one request in the replica's hands
