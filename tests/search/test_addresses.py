import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from recsweep.errors import BadInput
from recsweep.search import addresses
from recsweep.search.addresses import check_address

LIMIT = addresses.SECONDS
SETTINGS = b"\0\0\0\4\0\0\0\0\0"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "SECONDS", 0.5)
    monkeypatch.delenv("RAY_USE_TLS", raising=False)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def test_nobody_waits_longer_than_ten_seconds() -> None:
    assert LIMIT == 10


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port of this machine; each connection goes to `answer`."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):  # who asked may be gone
                answer(connection)

    threading.Thread(target=serve, daemon=True).start()
    yield listening.getsockname()[1]
    listening.close()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:8265", "ray job submit --address http://127.0.0.1:8265"),
        ("https://ray.example.org", "RAY_ADDRESS=auto"),
        ("ray://head:10001", "Ray Client is not supported"),
        ("tcp://head:6379", "tcp:// is unknown"),
        ("://head:6379", "RAY_ADDRESS=://head:6379"),
        ("head", "host:port"),
        ("head:", "host:port"),
        ("head:port", "host:port"),
        ("head:99999", "host:port"),
        ("head:0", "host:port"),
        ("head:6379/x", "host:port"),
        ("somebody@head:6379", "host:port"),
        (":6379", "host:port"),
        ("[::1:6379", "host:port"),
        ("AUTO", "allowed: auto"),
    ],
)
def test_what_is_no_address_is_one_line_at_once(
    monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("it was asked"))
    with pytest.raises(BadInput) as told:
        check_address(address)
    assert words in str(told.value)
    assert address in str(told.value)
    assert "\n" not in str(told.value)


def test_an_unknown_host_and_a_port_where_nobody_listens_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(BadInput, match=rf"connection refused at 127\.0\.0\.1:{port}"):
        check_address(f"127.0.0.1:{port}")
    with pytest.raises(BadInput, match=r"no host no-such-host\.invalid|nobody answers in 0\.5 s"):
        check_address("no-such-host.invalid:6379")


@pytest.mark.parametrize("host", ["a..b", "x" * 70])
def test_a_name_that_no_host_can_have_is_told(host: str) -> None:
    with pytest.raises(BadInput, match="there is no host"):
        check_address(f"{host}:6379")


def test_a_name_server_that_takes_its_time_has_the_limit_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = threading.Event()

    def late(*_: object, **__: object) -> None:
        over.wait(60)
        raise socket.gaierror

    monkeypatch.setattr(socket, "create_connection", late)
    began = time.monotonic()
    with pytest.raises(BadInput, match=r"nobody answers in 0\.5 s"):
        check_address("head:6379")
    assert time.monotonic() - began < 10
    over.set()  # who asks is still waiting, in a thread that ends without a traceback


def test_a_port_that_says_nothing_has_the_limit() -> None:
    with (
        server(lambda connection: time.sleep(3)) as port,
        pytest.raises(BadInput, match=r"nobody answers in 0\.5 s"),
    ):
        check_address(f"127.0.0.1:{port}")


def test_a_web_server_is_no_ray() -> None:
    web = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    try:
        with pytest.raises(BadInput, match="is not Ray"):
            check_address(f"127.0.0.1:{web.server_port}")
    finally:
        web.shutdown()
        web.server_close()


@pytest.mark.parametrize("answer", [b"", b"\0\0\4", b"SSH-2.0-OpenSSH_9.2\r\n", b"+OK\r\n"])
def test_other_services_are_no_ray(answer: bytes) -> None:
    with (
        server(lambda connection: connection.sendall(answer)) as port,
        pytest.raises(BadInput, match=r"is not Ray|reset"),
    ):
        check_address(f"127.0.0.1:{port}")


def test_a_service_of_rays_kind_is_let_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(lambda connection: connection.sendall(SETTINGS)) as port:
        check_address(f"127.0.0.1:{port}")
        check_address(f"localhost:{port}")
        monkeypatch.setattr(addresses, "canonicalize_bootstrap_address", lambda _: f"127.1:{port}")
        check_address("auto")


@pytest.mark.parametrize("yes", ["1", "true", "True"])
def test_with_certificates_a_port_that_listens_is_enough(
    monkeypatch: pytest.MonkeyPatch, yes: str
) -> None:
    monkeypatch.setenv("RAY_USE_TLS", yes)
    with server(lambda connection: None) as port:
        check_address(f"127.0.0.1:{port}")


@pytest.mark.parametrize("no", ["0", "false", ""])
def test_without_certificates_it_is_not(monkeypatch: pytest.MonkeyPatch, no: str) -> None:
    monkeypatch.setenv("RAY_USE_TLS", no)
    with (
        server(lambda connection: None) as port,
        pytest.raises(BadInput, match=r"is not Ray|reset"),
    ):
        check_address(f"127.0.0.1:{port}")


@pytest.mark.parametrize("known", [True, False])
def test_auto_without_a_ray_on_the_machine_is_told(
    monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    def nothing(address: str) -> str | None:
        if known:
            return None
        raise ConnectionError("Could not find any running Ray instance.")

    monkeypatch.setattr(addresses, "canonicalize_bootstrap_address", nothing)
    with pytest.raises(BadInput, match="no Ray runs on this machine"):
        check_address("auto")
