"""How long `serve` takes to answer at a steady rate, and what it refuses.

    python benchmarks/serving.py [--seconds 15] [--courses 10000] [--replicas 1]

Needs the extra `serve`. The bars: 99 of 100 answers within 50 ms at 50 requests a second, and
within 200 ms at 200, where a 503 with Retry-After counts as well. Requests are sent on time whether
or not earlier ones are answered, and an answer's time counts from when its request was due. The
client takes part of the same cores. Where other work does, too, the load says so, and the computing
that a request costs is the better figure.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import aiohttp
import numpy as np
import psutil

from recommend import write_model

BARS = {50: 50, 200: 200}
"""Requests a second -> milliseconds for 99 of 100 answers."""


def body(number: int, courses: int, events: int = 20) -> bytes:
    """A request of a learner of its own."""
    draw = random.Random(number)
    history = [
        {"course": f"c{draw.randrange(courses)}", "time": 1_700_000_000 + n} for n in range(events)
    ]
    return json.dumps({"learner": str(number), "events": history, "k": 10}).encode()


async def ask(client: aiohttp.ClientSession, due: float, content: bytes) -> tuple[str, float]:
    """What came of it, and seconds since it was due."""
    await asyncio.sleep(due - time.perf_counter())
    try:
        async with client.post("/v1/recommend", data=content) as answer:
            await answer.read()
            status = str(answer.status)
            if answer.status == 503:
                status += " with Retry-After" if "Retry-After" in answer.headers else " alone"
    except aiohttp.ClientError:
        status = "broken connection"
    return status, time.perf_counter() - due


async def steady(address: str, rate: int, seconds: float, courses: int) -> dict[str, object]:
    """Ask at a rate."""
    bodies = [body(number, courses) for number in range(int(rate * seconds))]
    begin = time.perf_counter() + 0.5
    async with aiohttp.ClientSession(
        address,
        connector=aiohttp.TCPConnector(limit=0),
        headers={"Content-Type": "application/json"},
    ) as client:
        found = await asyncio.gather(
            *(ask(client, begin + n / rate, content) for n, content in enumerate(bodies))
        )
    answered = np.array([took for status, took in found if status == "200"]) * 1000
    p50, p99 = np.percentile(answered, (50, 99)) if len(answered) else (np.inf, np.inf)
    return {
        "requests a second": rate,
        "answers": dict(Counter(status for status, _ in found)),
        "p50 ms": round(float(p50), 1),
        "p99 ms": round(float(p99), 1),
        "bar ms": BARS.get(rate),
    }


def computing(service: subprocess.Popen[bytes]) -> float:
    """Seconds that the service and all its processes have computed for."""
    below = psutil.Process(service.pid)
    times = [each.cpu_times() for each in (below, *below.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))


def main() -> None:
    """Make a bundle, serve it, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--courses", type=int, default=10_000)
    parser.add_argument("--replicas", type=int, default=1)
    given = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, measured = f"http://127.0.0.1:{port}", []
    with tempfile.TemporaryDirectory() as place:
        model = Path(place) / "model"
        write_model(model, given.courses)
        command = [sys.executable, "-m", "recsweep", "serve", str(model), "--port", str(port)]
        command += ["--replicas", str(given.replicas)]
        service = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert service.stdout is not None
            if not service.stdout.readline():  # it is up
                sys.exit("it did not start")
            asyncio.run(steady(address, 50, 2, given.courses))  # warm
            for rate in BARS:
                before = computing(service)
                found = asyncio.run(steady(address, rate, given.seconds, given.courses))
                spent = (computing(service) - before) / (rate * given.seconds)
                found |= {"computing ms a request": round(1000 * spent, 1)}
                found |= {"load": round(os.getloadavg()[0], 1)}
                print(", ".join(f"{name} {value}" for name, value in found.items()), flush=True)
                measured.append(found)
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(60)
    print(json.dumps({"cores": os.cpu_count(), "replicas": given.replicas, "rates": measured}))


if __name__ == "__main__":
    main()
