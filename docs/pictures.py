"""The README's pictures, from a finished study: the answer, the learning curves, and the live page
halfway through.

    python docs/pictures.py results/default

The live page shows the first part of the study's own journal. Needs Chromium.
"""

import json
import shutil
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from recsweep.dashboard.server import Watch, look_at, serve
from recsweep.dashboard.state import Places
from recsweep.records.files import read_study
from recsweep.records.live import LiveSweep, myself, read_live, write_live
from recsweep.search.storage import JOURNAL

IMAGES = Path(__file__).with_name("images")
SIZE = {"width": 1180, "height": 760}
SHARE = 0.6  # of the journal
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Write them."""
    (study,) = map(Path, sys.argv[1:])
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("no Chromium on this machine")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport=SIZE, color_scheme="light")
        page.goto((study / "report.html").resolve().as_uri())
        page.screenshot(path=IMAGES / "answer.png")
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        page.locator("#filter").evaluate("bar => { bar.hidden = true }")  # it would lie over them
        page.locator("#curves .panels").screenshot(path=IMAGES / "curves.png")
        live(study, Path(scratch) / study.name, page)
        chromium.close()
    for picture in IMAGES.glob("*.png"):
        print(f"{picture}: {picture.stat().st_size / 1000:.0f} kB")


def live(study: Path, folder: Path, page: Page) -> None:
    """The live page as it looked when a part of the journal was written."""
    folder.mkdir()
    lines = (study / JOURNAL).read_text("utf-8").splitlines(keepends=True)
    part = lines[: int(SHARE * len(lines))]
    (folder / JOURNAL).write_text("".join(part), "utf-8")
    swept = read_live(study)
    if swept is None or swept.ended is None:
        sys.exit(f"{study}: has no sweep.json of a finished sweep")
    times = [json.loads(line).get("datetime_start") for line in part]
    began = max(datetime.fromisoformat(time) for time in times if time)
    state = {
        **swept.model_dump(),
        "stage": "search",
        "later": ("select", "confirm", "report"),
        "ended": None,
        "ends": datetime.now(UTC) + (swept.ended - began.astimezone(UTC)),
        "kinds": {name: space.family for name, space in read_study(study).spaces.items()},
        **myself(),
    }
    write_live(LiveSweep.model_validate(state), folder)
    places = Places(folder, "recsweep", "wandb")
    watch = Watch(look_at(places, tensorboard=False), places)
    server = serve(watch, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    page.get_by_role("heading", name="Running now").wait_for(timeout=120_000)
    page.screenshot(path=IMAGES / "live.png")
    watch.stop()
    server.shutdown()


if __name__ == "__main__":
    main()
