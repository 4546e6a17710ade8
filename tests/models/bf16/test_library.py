import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from recsweep.config.files import load_experiment
from recsweep.config.schema import Resources
from recsweep.models.bf16 import library as compiled
from recsweep.models.bf16.library import PRODUCTS, library, products, runs
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


def test_without_a_compiler_a_warning_tells_and_torch_does_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compiled, "products", lambda: PRODUCTS)
    monkeypatch.setenv("PATH", "")
    with pytest.warns(UserWarning, match=r"there is no g\+\+"):
        assert engine_of(Resources(precision="bf16")) == ENGINE
    assert not runs(torch.device("cpu"))


def test_another_processor_is_no_reason_for_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "products", list)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert library() is None


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


@needs_library
def test_the_record_names_the_engine_of_bfloat16_with_its_compiler() -> None:
    name = products()[0].name
    assert engine_of(Resources(precision="bf16")).startswith(f"{name}-3, g++ ")
    assert engine_of(Resources()) == ENGINE
    assert engine_of(Resources(precision="bf16", gpu=1)) == ENGINE


@needs_library
def test_it_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library()
    (made,) = (tmp_path / "recsweep").iterdir()
    when = made.stat().st_mtime_ns
    library.cache_clear()
    library()
    assert [made] == list((tmp_path / "recsweep").iterdir())
    assert made.stat().st_mtime_ns == when


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
