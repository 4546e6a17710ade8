"""Compiles `kernels.cpp` at first use, where there are a processor and a compiler for it."""

import ctypes
import hashlib
import logging
import multiprocessing
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

log = logging.getLogger(__name__)

SOURCES = Path(__file__).parent
_NEEDS = ("avx512bw", "avx512dq", "avx512f", "avx512vl", "fma")
_FLAGS = (
    *("-std=c++20", "-O3", "-shared", "-fPIC", "-fopenmp-simd", "-fno-math-errno"),
    *("-fno-trapping-math", "-mprefer-vector-width=512"),
    *(f"-m{name}" for name in _NEEDS),
)


@dataclass(frozen=True, slots=True)
class Product:
    """A way to multiply in bfloat16: `<name>.h`."""

    name: str
    needs: tuple[str, ...]  # as the system calls them
    flags: tuple[str, ...]  # as the compiler does


PRODUCTS = (  # the fastest first
    Product("amx", ("amx_bf16", "amx_tile"), ("-mamx-bf16", "-mamx-tile")),
    Product("avx512", ("avx512_bf16",), ("-mavx512bf16",)),
)


@dataclass(frozen=True, slots=True)
class Library:
    """The compiled functions; `kernels.cpp` says what they take."""

    functions: ctypes.CDLL
    product: str  # its name
    compiler: str  # and its version


@cache
def library() -> Library | None:
    """None: the processor doesn't multiply in bfloat16, or nothing compiles (a warning tells)."""
    try:
        for product in products():
            found = _load(product)
            if found.functions.start():
                return found
    except (OSError, subprocess.SubprocessError) as error:
        if multiprocessing.parent_process() is None:  # else who began this process told it
            log.warning(
                "training is slower than it might be: no bfloat16 kernel was compiled (%s)", error
            )
    return None


def runs(device: torch.device) -> bool:
    """Do our kernels multiply here?"""
    return device.type == "cpu" and library() is not None


def products() -> list[Product]:
    """Those of this processor, the fastest first."""
    if platform.machine() != "x86_64":
        return []
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:  # not Linux, which alone grants AMX the way that we ask
        return []
    found = set(text.partition("flags")[2].partition("\n")[0].split())
    return [each for each in PRODUCTS if found.issuperset((*_NEEDS, *each.needs))]


def address(tensor: Tensor) -> ctypes.c_void_p:
    """Where its numbers begin."""
    assert tensor.is_contiguous()
    return ctypes.c_void_p(tensor.data_ptr())


def _load(product: Product) -> Library:
    compiler = shutil.which("g++")
    if compiler is None:
        raise FileNotFoundError("there is no g++")
    asked = subprocess.run(
        [compiler, "-dumpfullversion"], capture_output=True, text=True, check=True, timeout=60
    )
    name = f"g++ {asked.stdout.strip()}"
    flags = (*_FLAGS, *product.flags, f'-DPRODUCT="{product.name}.h"')
    texts = [path.read_text("utf-8") for path in sorted(SOURCES.glob("*.[ch]*"))]
    recipe = "\n".join((*texts, name, *flags))
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "recsweep"
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:16]
    path = folder / f"{product.name}-{digest}.so"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            made = Path(temporary) / path.name
            subprocess.run(
                [compiler, *flags, str(SOURCES / "kernels.cpp"), "-o", str(made)],
                capture_output=True,
                check=True,
                timeout=300,
            )
            made.replace(path)
    functions = ctypes.CDLL(str(path))
    functions.cross_entropy.restype = ctypes.c_double
    return Library(functions, product.name, name)
