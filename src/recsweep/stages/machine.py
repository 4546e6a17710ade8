"""Cores, threads and devices that this machine gives to one process."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

from recsweep.config.schema import Resources
from recsweep.training.cores import usable_cores


def worker_count(resources: Resources, jobs: int) -> int:
    """How many refits this machine holds at once."""
    fitting = usable_cores() / resources.cpu
    if resources.gpu and torch.cuda.is_available():
        fitting = min(fitting, torch.cuda.device_count() / resources.gpu)
    return max(1, min(int(fitting), resources.workers or jobs, jobs))


def device_of(resources: Resources, process: int) -> torch.device:
    """A GPU if the experiment asks for one and there is one, as in the search."""
    if resources.gpu and torch.cuda.is_available():
        return torch.device("cuda", process % torch.cuda.device_count())
    return torch.device("cpu")


@contextmanager
def threads(resources: Resources) -> Iterator[None]:
    """As many threads as a worker of the search has: their number decides the last bits."""
    before, wanted = torch.get_num_threads(), resources.threads
    torch.set_num_threads(wanted)
    try:
        with threadpool_limits(wanted):
            yield
    finally:
        torch.set_num_threads(before)
