"""One Ray for all faults that aren't Ray's own.

`--times N` does every fault so often; without it, only a few are done, once.
"""

from pathlib import Path

import pytest
from faults.sweeping import Sweep

USUAL = ("test_the_driver_is_killed", "test_the_store_is_full", "test_a_second_sweep")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--times", type=int, default=0)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--times", 0):
        here = Path(__file__).parent
        items[:] = [i for i in items if here not in i.path.parents or i.name.startswith(USUAL)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if (times := metafunc.config.getoption("--times", 0)) > 1:
        metafunc.fixturenames.append("repetition")
        metafunc.parametrize("repetition", range(times))


@pytest.fixture
def repetition() -> int:
    """Which of the repetitions it is."""
    return 0


@pytest.fixture
def sweep(tmp_path: Path, pytestconfig: pytest.Config) -> Sweep:
    """With one worker where a few faults are done once: each takes five seconds to begin."""
    options = {} if pytestconfig.getoption("--times", 0) else {"workers": 1}
    return Sweep(tmp_path / "study", tmp_path, options)
