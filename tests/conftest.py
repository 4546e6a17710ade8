"""What every test may ask for.

pytest's own process, which hands tests out, reads this too, before any begins: so what takes long
to import is imported where it is used.
"""

import gc
import os
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import settings
from s3_server import s3_server
from worlds import Row, dataset_of, events_of, experiment_of

from recsweep.data.types import Fold

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What was imported and collected lives to the end: the collector needn't walk through it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first: one that begins last has a core to itself."""
    long = {item.path for item in items if _is_slow(item)}
    items.sort(key=lambda item: item.path not in long)


def _is_slow(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return bool(item.get_closest_marker("slow")) or bool({"local_ray", "browser"} & {*fixtures})


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """As in a worker."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def fold_of() -> Callable[..., Fold]:
    """Make a fold from (user, item, time) rows and a window."""
    from recsweep.tasks.folds import make_fold

    def make(rows: Sequence[Row], window: tuple[int, int], **changes: object) -> Fold:
        events = events_of(rows)
        return make_fold("fold0", events, window, dataset_of(events), experiment_of(**changes))

    return make


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium of this machine."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs a browser: install chromium")
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a bucket on a real S3-compatible server."""
    with s3_server() as address:
        yield address


@pytest.fixture(scope="session")
def _local_ray() -> Iterator[str]:
    import ray

    context = ray.init(
        address="local",
        num_cpus=1,  # a worker of a sweep takes seconds to begin, and one will do for most tests
        include_dashboard=False,
        log_to_driver=False,
        logging_level="CRITICAL",
    )
    yield context.address_info["gcs_address"]
    ray.shutdown()


@pytest.fixture
def local_ray(_local_ray: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A core's worth of Ray, which a sweep joins instead of starting its own."""
    monkeypatch.setenv("RAY_ADDRESS", _local_ray)


@pytest.fixture
def pool_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to other processes and comes back is pickled, and no process begins.

    Each would import torch, which takes longer than a whole tiny study.
    """
    from pools import Here

    from recsweep.stages import pool

    monkeypatch.setattr(pool, "ProcessPoolExecutor", Here)


@pytest.fixture
def trials_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep and a plan run their trials in this process, where Ray isn't what is tested."""
    from trials_here import run_trials_here

    run_trials_here(monkeypatch)
