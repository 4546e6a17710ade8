"""The live page as its user meets it: a process of its own, a browser, a sweep meanwhile."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[str, float]]:
    """(address, seconds until it answered) of `recsweep dashboard` on an empty folder."""
    code = "from recsweep.cli import main; main()"
    command = [sys.executable, "-c", code, "dashboard", str(tmp_path), "--port", "0"]
    began = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "300"}
    )
    assert process.stdout is not None
    address = next(w for w in process.stdout.readline().split() if w.startswith("http"))
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert answer.status == 200
    yield address, time.monotonic() - began
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def seconds_until(page: Any, words: str, limit: float = 15.0) -> float:
    began = time.monotonic()
    page.get_by_text(words).first.wait_for(timeout=limit * 1000)
    return time.monotonic() - began


def test_the_page_is_up_and_follows_every_trial_within_five_seconds(
    browser: Any, started: tuple[str, float], sweep: Callable[[], Any]
) -> None:
    address, start_seconds = started
    assert start_seconds <= 5
    context = browser.new_context(viewport={"width": 390, "height": 900}, color_scheme="dark")
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "request",
        lambda r: None if r.url.startswith((address, "data:")) else troubles.append(r.url),
    )
    page.goto(address)
    seconds_until(page, "Nothing has begun here yet", 30)  # what reads a study takes time to load
    running = sweep()
    assert seconds_until(page, "The sweep is running.") <= 5
    trial = running.finish(0.25)
    assert seconds_until(page, trial) <= 5
    assert page.get_by_text("1/4").first.is_visible()
    running.finish(0.375)
    assert seconds_until(page, "0.3750") <= 5
    seconds_until(page, "Open the Optuna dashboard", 30)
    running.let_go()
    assert seconds_until(page, "The sweep was interrupted") <= 5
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(22, 24, 27)"
    page.goto(f"{address}?lang=zh")
    assert seconds_until(page, "研究已中断", 10) <= 5
    assert not troubles
    context.close()
