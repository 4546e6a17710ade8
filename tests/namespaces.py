"""Raylets in network namespaces of their own: machines that share only a wire. Needs root."""

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import ray

NET = "10.77.0"
BRIDGE = "rsweep0"
PORT = 6390
OWN_DISK = (
    *("unshare", "--mount", "sh", "-c"),
    'mount -t tmpfs recsweep-test /tmp/ray && exec "$@"',
    "sh",
)
"""Two raylets that begin at once would meet in Ray's folder."""


class Namespaces:
    """A head on this machine and one raylet in each namespace, at 10.77.0.2, 10.77.0.3, …"""

    def __init__(self, nodes: int, cpus: int, gpus: int) -> None:
        self.address = f"{NET}.1:{PORT}"
        os.environ["RAY_AUTH_MODE"] = "disabled"  # `ray start` would take up this machine's token
        self._names = [f"rsweep{n}" for n in range(1, 1 + nodes)]
        self._processes: list[subprocess.Popen[bytes]] = []
        self.shutdown()
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("addr", "add", f"{NET}.1/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        self._start([], "--head", f"--port={PORT}", f"--node-ip-address={NET}.1", "--num-cpus=0")
        _wait_for(f"{NET}.1", PORT)
        for n, name in enumerate(self._names, 2):
            wire = f"rsw{n}"
            _ip("netns", "add", name)
            _ip("link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", wire, "master", BRIDGE, "up")
            _ip("-n", name, "addr", "add", f"{NET}.{n}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("-n", name, "link", "set", "lo", "up")
            self._start(
                ["ip", "netns", "exec", name, *OWN_DISK],
                f"--address={self.address}", f"--node-ip-address={NET}.{n}",
                f"--num-cpus={cpus}", f"--num-gpus={gpus}",
            )  # fmt: skip
        self._wait_for_nodes(1 + nodes)

    def _wait_for_nodes(self, n_nodes: int, seconds: float = 150.0) -> None:
        ray.init(self.address, log_to_driver=False, logging_level="CRITICAL")
        limit = time.monotonic() + seconds
        while sum(node["Alive"] for node in ray.nodes()) < n_nodes:
            for n, process in enumerate(self._processes):
                if process.poll() is not None:  # Ray gives a raylet half a minute: too little here
                    self._processes[n] = _popen(process.args)
            if time.monotonic() > limit:
                raise TimeoutError(f"{n_nodes} nodes did not come up")
            time.sleep(0.2)
        ray.shutdown()

    def remove_last(self) -> str:
        """Kill the last raylet, as a machine that loses its power; its name."""
        _kill(self._processes.pop())
        return self.cut_off_last()

    def cut_off_last(self) -> str:
        """Cut the last one's wire: it lives and works on, and nobody hears of it. Its name."""
        _ip("link", "del", f"rsw{len(self._names) + 1}")
        return self._names[-1]

    def shutdown(self) -> None:
        """End what was started, and take the namespaces away."""
        while self._processes:
            _kill(self._processes.pop())
        for name in self._names:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL, check=False)
        for link in (*(f"rsw{n}" for n in range(2, 2 + len(self._names))), BRIDGE):
            subprocess.run(["ip", "link", "del", link], stderr=subprocess.DEVNULL, check=False)

    def _start(self, inside: list[str], *options: str) -> None:
        command = [*inside, str(Path(sys.executable).with_name("ray")), "start", "--block"]
        common = ("--disable-usage-stats", f"--object-store-memory={80 << 20}")
        self._processes.append(_popen([*command, *common, *options]))


def _popen(command: Any) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """And all that it started, without a word: asked to end, Ray drains for half a minute."""
    everything = [psutil.Process(process.pid)]
    everything += everything[0].children(recursive=True)
    for each in everything:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait()


def _wait_for(host: str, port: int, seconds: float = 60.0) -> None:
    limit = time.monotonic() + seconds
    while True:
        with suppress(OSError), socket.create_connection((host, port), 1.0):
            return
        if time.monotonic() > limit:
            raise TimeoutError(f"nothing answers at {host}:{port}")
        time.sleep(0.2)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
