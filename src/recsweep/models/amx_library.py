"""Compiles `amx.cpp` at first use, where there are a processor and a compiler for it."""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from torch import Tensor

SOURCE = Path(__file__).with_name("amx.cpp")
_NEEDS = ("amx_bf16", "amx_tile", "avx512bw", "avx512dq", "avx512f", "avx512vl", "fma")
_FLAGS = (
    *("-std=c++20", "-O3", "-shared", "-fPIC", "-fopenmp-simd", "-fno-math-errno"),
    *("-fno-trapping-math", "-mprefer-vector-width=512"),
    *(f"-m{name.replace('_', '-')}" for name in _NEEDS),
)


@dataclass(frozen=True, slots=True)
class Library:
    """The compiled functions; `amx.cpp` says what they take."""

    functions: ctypes.CDLL
    compiler: str  # and its version


@cache
def library() -> Library | None:
    """None: this processor has no AMX, or nothing compiles for it, which a warning tells."""
    if not has_amx():
        return None
    try:
        found = _load()
    except (OSError, subprocess.SubprocessError) as error:
        warnings.warn(
            f"bfloat16 is left to torch, which is slower: amx.cpp was not compiled ({error})",
            stacklevel=2,
        )
        return None
    return found if found.functions.start() else None


def has_amx() -> bool:
    """Does this processor multiply tiles of bfloat16?"""
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8").partition("flags")[2].partition("\n")[0]
    except OSError:  # not Linux, which alone grants the tiles the way that we ask
        return False
    return platform.machine() == "x86_64" and set(_NEEDS) <= set(flags.split())


def address(tensor: Tensor) -> ctypes.c_void_p:
    """Where its numbers begin."""
    assert tensor.is_contiguous()
    return ctypes.c_void_p(tensor.data_ptr())


def _load() -> Library:
    compiler = shutil.which("g++")
    if compiler is None:
        raise FileNotFoundError("there is no g++")
    asked = subprocess.run(
        [compiler, "-dumpfullversion"], capture_output=True, text=True, check=True, timeout=60
    )
    name = f"g++ {asked.stdout.strip()}"
    recipe = "\n".join((SOURCE.read_text("utf-8"), name, *_FLAGS))
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "recsweep"
    path = folder / f"amx-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.so"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            made = Path(temporary) / path.name
            subprocess.run(
                [compiler, *_FLAGS, str(SOURCE), "-o", str(made)],
                capture_output=True,
                check=True,
                timeout=300,
            )
            made.replace(path)
    functions = ctypes.CDLL(str(path))
    functions.cross_entropy.restype = ctypes.c_double
    return Library(functions, name)
