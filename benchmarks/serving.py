"""How long `serve` takes to answer at a steady rate, and what it refuses.

    python benchmarks/serving.py [--rate 50] [--seconds 30] [--courses 10000] [--replicas 1]

Needs the extra `serve`. Requests are sent on time whether or not earlier ones are answered, and an
answer's time counts from when its request was due. The client runs beside the service and takes
part of the same cores; the load of the machine is printed with the figures.
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

import httpx
import numpy as np

from recommend import write_model


def body(number: int, courses: int, events: int) -> dict[str, object]:
    """A request of a learner of its own."""
    draw = random.Random(number)
    history = [
        {"course": f"c{draw.randrange(courses)}", "time": 1_700_000_000 + n} for n in range(events)
    ]
    return {"learner": str(number), "events": history, "k": 10}


async def ask(
    client: httpx.AsyncClient, due: float, content: dict[str, object]
) -> tuple[int, float]:
    """Status (0: the connection broke), and seconds since it was due."""
    await asyncio.sleep(due - time.perf_counter())
    try:
        status = (await client.post("/v1/recommend", json=content)).status_code
    except httpx.TransportError:
        status = 0
    return status, time.perf_counter() - due


async def steady(address: str, rate: float, seconds: float, courses: int) -> dict[str, object]:
    """Ask at a rate, after some seconds of warming up."""
    limits = httpx.Limits(max_connections=2000)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:
        for number in range(20):
            await client.post("/v1/recommend", json=body(number, courses, 20))
        count, begin = int(rate * seconds), time.perf_counter() + 1
        bodies = [body(number, courses, 20) for number in range(count)]
        found = await asyncio.gather(
            *(ask(client, begin + n / rate, content) for n, content in enumerate(bodies))
        )
    answered = np.array([took for status, took in found if status == 200]) * 1000
    return {
        "requests a second": rate,
        "statuses": dict(Counter(status for status, _ in found)),
        **{
            f"p{q} ms": round(float(np.percentile(answered, q)), 1)
            for q in (50, 99)
            if len(answered)
        },
        "load": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
    }


def main() -> None:
    """Make a bundle, serve it, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--courses", type=int, default=10_000)
    parser.add_argument("--replicas", type=int, default=1)
    given = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as place:
        model = Path(place) / "model"
        write_model(model, given.courses)
        command = [sys.executable, "-m", "recsweep", "serve", str(model), "--port", str(port)]
        command += ["--replicas", str(given.replicas)]
        service = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert service.stdout is not None
            service.stdout.readline()  # it is up
            address = f"http://127.0.0.1:{port}"
            found = asyncio.run(steady(address, given.rate, given.seconds, given.courses))
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(60)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
