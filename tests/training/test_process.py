"""What surrounds a process that trains."""

import os
import sys
from contextlib import suppress
from importlib.machinery import ModuleSpec
from multiprocessing.spawn import get_preparation_data
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch

from recsweep.config.schema import Resources
from recsweep.training.process import (
    environment_variables,
    give_back_memory,
    memory_in_use,
    without_main,
    worker_environment,
)

CPU = torch.device("cpu")


def test_every_library_of_a_worker_has_the_threads_that_were_asked_for() -> None:
    found = worker_environment(Resources(cpu=3))
    threads = {name for name in found if "THREADS" in name}
    assert threads == {
        "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
        "POLARS_MAX_THREADS",
    }  # fmt: skip
    assert {found[name] for name in threads} == {"3"}


def test_variables_are_set_for_the_while_and_are_what_they_were_after_a_failure_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RECSWEEP_BEFORE", "old")
    monkeypatch.delenv("RECSWEEP_NEW", raising=False)
    with (
        suppress(RuntimeError),
        environment_variables({"RECSWEEP_BEFORE": "1", "RECSWEEP_NEW": "2"}),
    ):
        assert (os.environ["RECSWEEP_BEFORE"], os.environ["RECSWEEP_NEW"]) == ("1", "2")
        raise RuntimeError
    assert os.environ["RECSWEEP_BEFORE"] == "old"
    assert "RECSWEEP_NEW" not in os.environ


def test_memory_is_told_in_mebibytes_and_comes_back_when_nothing_holds_it() -> None:
    give_back_memory()
    before = memory_in_use(CPU)
    assert before is not None
    held = torch.ones(64 << 18)
    during = memory_in_use(CPU)
    assert during is not None
    assert during - before == pytest.approx(64, abs=8)
    del held
    give_back_memory()
    after = memory_in_use(CPU)
    assert after is not None
    assert after - before == pytest.approx(0, abs=8)


@pytest.mark.parametrize("content", [None, "", "12", "12 x"])
def test_a_system_that_does_not_tell_the_memory_is_none_the_worse(
    content: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_text(*_: object) -> str:
        if content is None:
            raise OSError
        return content

    monkeypatch.setattr(Path, "read_text", read_text)
    assert memory_in_use(CPU) is None


def test_a_worker_keeps_the_large_buffers_of_a_step_and_few_of_onednns_kernels() -> None:
    found = worker_environment(Resources())
    kept = {name: int(value) for name, value in found.items() if "THREADS" not in name}
    assert kept == {
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": 64,
        "MALLOC_TOP_PAD_": 64 * 2**20,
        "MALLOC_MMAP_THRESHOLD_": 2**30,
        "MALLOC_TRIM_THRESHOLD_": 2 * 2**30,
    }


def test_a_gpu_tells_the_most_that_was_held_there(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = torch.device("cuda", 1)
    held = {gpu: 3.5 * 2**20}
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", held.__getitem__)
    assert memory_in_use(gpu) == 3.5


def test_memory_is_the_resident_pages_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_: "9999 512 33 1 0 44 0")
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096}.__getitem__)
    assert memory_in_use(CPU) == 2.0


@pytest.mark.parametrize("lacking", [OSError, AttributeError])
def test_where_the_c_library_takes_nothing_back_nothing_is_given(
    lacking: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def trim(pad: int) -> int:
        asked.append(pad)
        raise lacking

    def library(name: None) -> SimpleNamespace:
        asked.append(name)
        return SimpleNamespace(malloc_trim=trim)

    monkeypatch.setattr("ctypes.CDLL", library)
    give_back_memory()
    assert asked == [None, 0]


@pytest.mark.parametrize(
    ("of_script", "asks"),
    [
        ({"__file__": "/home/me/study.py"}, {"init_main_from_path"}),
        ({"__spec__": ModuleSpec("mine.study", None)}, {"init_main_from_name"}),
        ({}, set()),  # a notebook
    ],
)
def test_a_spawned_process_does_not_run_the_script_again_that_called_recsweep(
    of_script: dict[str, object], asks: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = ModuleType("__main__")
    vars(script).update(of_script)
    before = dict(vars(script))
    monkeypatch.setitem(sys.modules, "__main__", script)

    def asked_to_run() -> set[str]:
        return {name for name in get_preparation_data("p") if name.startswith("init_main")}

    assert asked_to_run() == asks
    with suppress(RuntimeError), without_main():
        assert asked_to_run() == set()
        raise RuntimeError
    assert vars(script) == before
