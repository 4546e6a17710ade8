"""The live page as its user meets it: a process of its own, a browser, a sweep meanwhile."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import recsweep
from recsweep.dashboard import server

pytestmark = pytest.mark.browser
LIMIT = 60.0  # seconds that a busy machine may take


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[str, float]]:
    """Of `recsweep dashboard` on an empty folder: address, seconds of work until it answered."""
    code = "from recsweep.cli import main; main()"
    command = [sys.executable, "-c", code, "dashboard", str(tmp_path), "--port", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "300"}
    )
    assert process.stdout is not None
    address = next(w for w in process.stdout.readline().split() if w.startswith("http"))
    with urllib.request.urlopen(address, timeout=LIMIT) as answer:
        assert answer.status == 200
    spent = psutil.Process(process.pid).cpu_times()
    yield address, spent.user + spent.system
    process.send_signal(signal.SIGINT)
    assert process.wait(LIMIT) == 0


def wait_for(page: Any, words: str) -> None:
    page.get_by_text(words).first.wait_for(timeout=LIMIT * 1000)


def test_what_is_new_is_looked_for_and_then_shown_within_five_seconds() -> None:
    script = (Path(recsweep.__file__).parent / "reporting/templates/dashboard.js").read_text()
    (milliseconds,) = re.findall(r"setTimeout\(look, document.hidden \? \d+ : (\d+)\)", script)
    assert server.SECONDS + int(milliseconds) / 1000 <= 5


def test_the_page_is_up_and_follows_every_trial(
    browser: Any, started: tuple[str, float], sweep: Callable[[], Any]
) -> None:
    address, start_seconds = started
    assert start_seconds <= 5  # of work: a busy machine is no failure
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
    wait_for(page, "Nothing has begun here yet")
    running = sweep()
    wait_for(page, "The sweep is running.")
    trial = running.finish(0.25)
    wait_for(page, trial)
    assert page.get_by_text("1/4").first.is_visible()
    running.finish(0.375)
    wait_for(page, "0.3750")
    wait_for(page, "Open the Optuna dashboard")
    running.let_go()
    wait_for(page, "The sweep was interrupted")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(22, 24, 27)"
    page.goto(f"{address}?lang=zh")
    wait_for(page, "研究已中断")
    assert not troubles
    context.close()
