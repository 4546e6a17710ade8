"""A whole service on loopback: answered, replaced under load, and down again."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("ray.serve", reason="needs the extra serve")
pytest.importorskip("fastapi", reason="needs the extra serve")

import httpx

from recsweep.bundle.files import write_bundle
from recsweep.bundle.format import BundleFile
from recsweep.errors import BadInput
from recsweep.models.registry import families
from recsweep.serving.run import offers_of
from recsweep.testing import cases_of
from recsweep.testing.bundles import pieces_of

BODY = {"learner": "x", "events": [{"course": "c1", "time": 8_000_000}], "k": 3}


def write(folder: Path, family: str) -> None:
    record, files = pieces_of(next(cases_of(families()[family], "next_item")))
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
    both = [tmp_path / "a", tmp_path / "b"]
    assert [offer.share for offer in offers_of(both, ())] == [0.5, 0.5]
    for folders, shares, says in (
        (both, [0.5], "--split has 1 shares for 2 bundles"),
        (both, [0.5, 0.6], "add up to 1.1, not 1"),
        ([both[0], tmp_path / "other/a"], [], "two bundles are called a"),
        ([tmp_path / "none"], [], "is no bundle"),
    ):
        with pytest.raises(BadInput, match=re.escape(says)):
            offers_of(folders, shares)


@pytest.mark.long
def test_a_bundle_is_replaced_without_a_lost_request(tmp_path: Path) -> None:
    write(tmp_path / "m1", "popularity")
    write(tmp_path / "m2", "markov")
    current = tmp_path / "current"
    current.symlink_to("m1")
    port = 18_431 + os.getpid() % 1000
    command = [sys.executable, "-m", "recsweep", "serve", str(current), "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        service = subprocess.Popen(command, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}/v1/recommend"
    statuses: list[int] = []
    models: list[str] = []

    def ask() -> bool:
        try:
            answer = httpx.post(address, json=BODY, timeout=60)
        except httpx.TransportError:
            return False
        if answer.status_code == 404 and not models:  # Ray is up, the bundles aren't
            return False
        statuses.append(answer.status_code)
        models.append(answer.json()["model"])
        return True

    try:
        wait_for(ask)
        current.unlink()
        current.symlink_to("m2")
        service.send_signal(signal.SIGHUP)
        wait_for(lambda: ask() and models[-1] == "m2")
        assert set(statuses) == {200}
        assert models == sorted(models)
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(60)
    assert service.returncode == 0, (tmp_path / "log").read_text()
