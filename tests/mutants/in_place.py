"""A change put into a module that is imported already: its functions get the changed code."""

import gc
import inspect
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType


class MoreThanFunctions(Exception):
    """The change reaches what an import runs: a default, a constant, a decorator's argument."""


class Alive:
    """Functions and modules of a folder that this process has imported."""

    def __init__(self, folder: Path) -> None:
        inside = f"{folder}/"
        gc.unfreeze()  # what the collector doesn't walk through, it doesn't list
        self._functions: dict[str, list[FunctionType]] = defaultdict(list)
        for known in gc.get_objects():
            if isinstance(known, FunctionType) and known.__code__.co_filename.startswith(inside):
                self._functions[known.__code__.co_filename].append(known)
        self._modules = {getattr(module, "__file__", None) for module in [*sys.modules.values()]}

    def put(self, path: str, before: bytes, after: bytes) -> None:
        """Let functions of the module at `path` do what its changed source says.

        Who imported a function by its name holds the same object, and so the change. A module that
        nobody has imported yet is left to its import.
        """
        if path not in self._modules:
            return
        changed = dict(_functions(compile(before, path, "exec"), compile(after, path, "exec")))
        alive = [f for f in self._functions[path] if f.__code__ in changed]
        if {f.__code__ for f in alive} != changed.keys():
            raise MoreThanFunctions
        for function in alive:
            try:
                function.__code__ = changed[function.__code__]
            except ValueError as reason:  # it takes another number of names from around it
                raise MoreThanFunctions from reason


def _functions(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Outermost functions that differ, inside bodies of modules and classes that don't."""
    if old.co_flags & inspect.CO_OPTIMIZED:
        if old != new:
            yield old, new
        return
    if (old.co_code, old.co_names) != (new.co_code, new.co_names):
        raise MoreThanFunctions
    for a, b in zip(old.co_consts, new.co_consts, strict=True):
        if isinstance(a, CodeType) and isinstance(b, CodeType):
            yield from _functions(a, b)
        elif repr(a) != repr(b):
            raise MoreThanFunctions
