"""Surroundings of a process that trains. Knows nothing of who starts it."""

import ctypes
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from recsweep.config.schema import Resources


def worker_environment(resources: Resources) -> dict[str, str]:
    """Environment of a worker process, which some libraries read only when it starts.

    One thread for one core: a process a core beats threads by 1.6x at small batches. glibc keeps
    and reuses the large buffers of a training step instead of handing each back to the system.
    oneDNN keeps the code that it makes for each shape of a product, and batches have many shapes:
    a thousand of them held 300 MiB and saved no time.
    """
    threads = str(resources.threads)
    names = ("OMP", "MKL", "OPENBLAS", "NUMEXPR")
    return {
        **{f"{name}_NUM_THREADS": threads for name in names},
        "POLARS_MAX_THREADS": threads,
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
        "MALLOC_TOP_PAD_": str(64 << 20),
        "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
        "MALLOC_TRIM_THRESHOLD_": str(2 << 30),
    }


@contextmanager
def environment_variables(variables: Mapping[str, str]) -> Iterator[None]:
    """Set for processes that are started meanwhile; many libraries read them only at the start."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def without_main() -> Iterator[None]:
    """Processes that are spawned meanwhile don't run the script again that this process runs: one
    that calls recsweep at its top level, as in the README, would begin a study in each of them.
    """
    main = sys.modules["__main__"]
    # What multiprocessing goes by; it passes over what isn't there.
    names = ("__file__", "__spec__")
    before = {name: getattr(main, name) for name in names if hasattr(main, name)}
    main.__file__, main.__spec__ = None, None
    try:
        yield
    finally:
        for name in names:
            if name in before:
                setattr(main, name, before[name])
            else:
                delattr(main, name)


def give_back_memory() -> None:
    """Hand what nothing holds any more back to the system, where its C library can (glibc)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def memory_in_use(device: torch.device) -> float | None:
    """MiB of this process now; on a GPU, the most that it has held there so far.

    None: this system doesn't say.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / (1 << 20)
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
