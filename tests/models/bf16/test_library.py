import ctypes
import multiprocessing
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from recsweep.config.files import load_experiment
from recsweep.config.schema import Resources
from recsweep.models.bf16 import library as compiled
from recsweep.models.bf16.library import PRODUCTS, address, library, products, runs
from recsweep.models.engine import ENGINE, engine_of, with_precision

pytestmark = pytest.mark.usefixtures("forgetful")
needs_library = pytest.mark.skipif(
    library() is None, reason="needs g++, and a processor that multiplies in bfloat16"
)


@pytest.fixture
def forgetful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No library was compiled or looked for yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    library.cache_clear()
    yield
    library.cache_clear()


# Of a log: what `warnings` has to say, the command line leaves to libraries and keeps to itself.
def test_without_a_compiler_a_warning_tells_once_and_torch_does_the_work(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compiled, "products", lambda: PRODUCTS)
    monkeypatch.setenv("PATH", "")
    assert engine_of(Resources(precision="bf16")) == ENGINE
    assert not runs(torch.device("cpu"))
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "WARNING",
            "training is slower than it might be: no bfloat16 kernel was compiled (there is no "
            "g++)",
        )
    ]


def test_processes_that_one_begins_leave_the_warning_to_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compiled, "products", lambda: PRODUCTS)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: "another")
    monkeypatch.setenv("PATH", "")
    assert library() is None
    assert caplog.records == []


def test_another_processor_is_no_reason_for_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compiled, "products", list)
    assert library() is None
    assert caplog.records == []


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("avx512f avx512bw avx512dq avx512vl fma avx512_bf16 amx_bf16 amx_tile", "amx avx512"),
        ("avx512f avx512bw avx512dq avx512vl fma avx512_bf16 amx_tile", "avx512"),
        ("avx512f avx512bw avx512dq avx512vl fma", ""),
        ("avx2 fma avx512_bf16", ""),
    ],
)
def test_a_product_is_taken_where_the_processor_has_all_that_it_needs(
    flags: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"processor\t: 0\nflags\t\t: fpu {flags} fsrm\nbugs\t\t: none amx_bf16 avx512_bf16\n"
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(Path, "read_text", lambda *_: text)
    assert " ".join(each.name for each in products()) == expected


def test_no_product_is_known_of_another_machine_or_system(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = "avx512f avx512bw avx512dq avx512vl fma avx512_bf16"
    monkeypatch.setattr(Path, "read_text", lambda *_: f"flags : {flags}\n")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert products() == [PRODUCTS[1]]
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert products() == []

    def missing(*_: object) -> str:
        raise FileNotFoundError("/proc/cpuinfo")

    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(Path, "read_text", missing)
    assert products() == []


def test_an_address_is_of_numbers_that_lie_together() -> None:
    grid = torch.zeros(3, 2)
    assert address(grid[1]).value == grid.data_ptr() + 8
    with pytest.raises(AssertionError):
        address(grid.T)


@needs_library
def test_it_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library()
    (made,) = (tmp_path / "recsweep").iterdir()
    when = made.stat().st_mtime_ns
    library.cache_clear()
    library()
    assert [made] == list((tmp_path / "recsweep").iterdir())
    assert made.stat().st_mtime_ns == when


COMPILER = """#!/bin/sh
if [ "$1" = -dumpfullversion ]; then echo "$VERSION"; exit; fi
echo once >> "$LOG"
[ -z "$BROKEN" ] || exit 1
for last; do :; done
echo "$@" > "$last"
"""


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that writes how it was called where a library should be; how often it was is in a log."""
    script, log = tmp_path / "bin/g++", tmp_path / "log"
    script.parent.mkdir()
    script.write_text(COMPILER)
    script.chmod(0o755)
    log.touch()
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(log))
    monkeypatch.setenv("VERSION", "13.2.0")
    functions = SimpleNamespace(cross_entropy=SimpleNamespace(), start=lambda: 1)
    monkeypatch.setattr("ctypes.CDLL", lambda path: functions)
    monkeypatch.setattr(compiled, "products", lambda: PRODUCTS)
    return log


def test_kernels_run_on_the_cpu_alone_and_their_loss_is_a_double(compiler: Path) -> None:
    assert runs(torch.device("cpu"))
    assert not runs(torch.device("meta"))
    found = library()
    assert found is not None
    assert found.functions.cross_entropy.restype is ctypes.c_double


@pytest.mark.parametrize("named", [True, False])
def test_it_is_kept_in_the_users_cache_whose_folders_are_made(
    named: bool, tmp_path: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a/b") if named else "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    library()
    folder = tmp_path / ("a/b" if named else "home/.cache") / "recsweep"
    assert len([*folder.iterdir()]) == 1


def test_other_sources_make_a_library_of_their_own(
    tmp_path: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    monkeypatch.setattr(compiled, "SOURCES", sources)
    for text in ("one", "two", "two"):
        (sources / "some.h").write_text(text)
        library.cache_clear()
        library()
    assert len([*(tmp_path / "recsweep").iterdir()]) == 2


def test_a_compiler_that_does_not_say_its_version_is_none(
    tmp_path: Path, compiler: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "bin/g++").write_text("#!/bin/sh\nexit 3\n")
    assert library() is None
    assert re.search("dumpfullversion.* exit status 3", caplog.text)


def test_what_was_compiled_is_kept_for_this_user_alone(tmp_path: Path, compiler: Path) -> None:
    found = library()
    assert found is not None
    assert (found.product, found.compiler) == ("amx", "g++ 13.2.0")
    folder = tmp_path / "recsweep"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (made,) = folder.iterdir()
    assert re.fullmatch(r"amx-[0-9a-f]{16}\.so", made.name)
    assert {"-mamx-bf16", "-mfma", "-shared"} <= set(made.read_text().split())
    library.cache_clear()
    assert library() == found
    assert compiler.read_text() == "once\n"


def test_another_compiler_and_another_product_make_a_library_of_their_own(
    tmp_path: Path, compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library()
    monkeypatch.setenv("VERSION", "14.1.0")
    library.cache_clear()
    assert library().compiler == "g++ 14.1.0"  # type: ignore[union-attr]
    monkeypatch.setattr(compiled, "products", lambda: PRODUCTS[1:])
    library.cache_clear()
    assert library().product == "avx512"  # type: ignore[union-attr]
    names = sorted(path.name.split("-")[0] for path in (tmp_path / "recsweep").iterdir())
    assert names == ["amx", "amx", "avx512"]


def test_a_product_that_the_system_does_not_grant_is_passed_over(
    compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(path: str) -> SimpleNamespace:
        return SimpleNamespace(cross_entropy=SimpleNamespace(), start=lambda: "avx512-" in path)

    monkeypatch.setattr("ctypes.CDLL", load)
    found = library()
    assert found is not None
    assert found.product == "avx512"


def test_a_compiler_that_fails_leaves_nothing_behind_and_a_warning_tells(
    tmp_path: Path,
    compiler: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("BROKEN", "1")
    assert library() is None
    assert re.search("no bfloat16 kernel was compiled .*exit status 1", caplog.text)
    assert list((tmp_path / "recsweep").iterdir()) == []


def test_the_engine_is_named_by_product_number_and_compiler(compiler: Path) -> None:
    assert engine_of(Resources(precision="bf16")) == "amx-3, g++ 13.2.0"
    assert engine_of(Resources(precision="bf16", gpu=1)) == ENGINE == "torch-eager-2"
    assert engine_of(Resources()) == ENGINE


@pytest.mark.parametrize(
    ("asked", "gpu", "kernels_here", "settled"),
    [
        ("auto", 0, True, "bf16"),
        ("auto", 0, False, "fp32"),
        ("auto", 1, True, "fp32"),
        ("fp32", 0, True, "fp32"),
        ("bf16", 0, False, "bf16"),
    ],
)
def test_auto_takes_bfloat16_where_there_are_kernels_for_it(
    asked: str, gpu: int, kernels_here: bool, settled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsweep.models.engine.library", lambda: kernels_here or None)
    experiment = load_experiment(Path(__file__).parents[3] / "experiments/default.yaml")
    experiment = experiment.model_copy(
        update={"resources": Resources.model_validate({"precision": asked, "gpu": gpu})}
    )
    assert with_precision(experiment).resources.precision == settled
