"""One local Ray for all sweeps of this folder."""

from collections.abc import Iterator

import pytest
import ray


@pytest.fixture(scope="session")
def local_ray() -> Iterator[None]:
    """Two workers' worth of Ray, which a sweep joins instead of starting its own."""
    if ray.is_initialized():  # another folder's
        yield
        return
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="CRITICAL",
    )
    yield
    ray.shutdown()
