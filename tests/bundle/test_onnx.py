"""An exported network scores as its bundle, without recsweep."""

import json
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from recsweep.bundle import onnx as exporting
from recsweep.bundle.bundle import Bundle
from recsweep.errors import BadInput, WorkFailed
from recsweep.models.graph import ScoringGraph
from recsweep.models.registry import families
from recsweep.testing import Case, cases_of
from recsweep.testing.bundles import bundle_of

RUN = """
import json, sys
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
given = json.loads(sys.argv[2])
kinds = {"tensor(int64)": np.int64, "tensor(float)": np.float32}
inputs = {i.name: np.array(given[i.name], kinds[i.type]) for i in session.get_inputs()}
courses = json.loads(session.get_modelmeta().custom_metadata_map["courses"])
print(json.dumps([courses, session.run(None, inputs)[0].astype(float).tolist()]))
"""
NETWORKS = [
    case
    for name in (
        *("gru", "lstm", "gru_unordered", "lstm_unordered", "sasrec", "sasrec_unordered"),
        *("wide_deep", "neumf", "matrix_factorization"),
    )
    for case in cases_of(families()[name], "next_item")
    if case.name.startswith(("defaults", "fading=", "positions=", "block=", "loss=bpr"))
    and case.config.get("loss") != "als"
]
CHOICES = ("defaults", "fading=instant", "fading=time", "positions=none", "positions=time")


def export(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Bundle, Path]:
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    bundle = bundle_of(case)
    monkeypatch.setattr(exporting, "load_bundle", lambda _: bundle)
    return bundle, folder / "graph.onnx"


def test_every_family_that_trains_on_windows_of_histories_is_put_to_the_test() -> None:
    ranking = {n: f.tasks["next_item"] for n, f in families().items() if "next_item" in f.tasks}
    trained = {n for n, of in ranking.items() if "window" in of.config.model_fields}
    assert {case.family.name for case in NETWORKS} == trained


@pytest.mark.parametrize("case", [c for c in NETWORKS if c.name in CHOICES], ids=str)
def test_every_network_is_made_of_what_onnx_has(case: Case, tmp_path: Path) -> None:
    """Without the extra, too: the graph is made before the package is asked for."""
    missing = pytest.raises(
        torch.onnx.errors.OnnxExporterError, match=r"^Module onnx is not installed!$"
    )
    with nullcontext() if find_spec("onnx") else missing:
        exporting._trace(ScoringGraph(bundle_of(case).model).eval(), tmp_path / "graph.onnx")


@pytest.mark.parametrize("case", NETWORKS, ids=str)
def test_every_network_is_within_the_tolerance(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out = export(case, tmp_path, monkeypatch)
    assert exporting.export_onnx(Path("m"), out) <= exporting.TOLERANCE
    assert [path.name for path in tmp_path.iterdir()] == ["graph.onnx"]
    with pytest.raises(BadInput, match="is there already"):
        exporting.export_onnx(Path("m"), out)


def test_a_bundle_of_a_study_in_half_precision_is_written_in_single_precision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, out = export(NETWORKS[0], tmp_path, monkeypatch)
    bundle.model.context = replace(bundle.model.context, precision="bf16")
    inputs = ScoringGraph(bundle.model).example(3, 5)
    given = exporting._histories(inputs)
    apart = (bundle.model.score(given) - ScoringGraph(bundle.model)(inputs)).abs().max()
    assert apart > 10 * exporting.TOLERANCE  # it does answer in half precision
    assert exporting.export_onnx(Path("m"), out) <= exporting.TOLERANCE


def test_it_runs_where_only_onnxruntime_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, out = export(NETWORKS[0], tmp_path, monkeypatch)
    exporting.export_onnx(Path("m"), out)
    inputs = ScoringGraph(bundle.model).example(2, 4)
    given = json.dumps({name: value.tolist() for name, value in inputs.items()})
    run = [sys.executable, "-c", RUN, str(out), given]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    courses, scores = json.loads(done.stdout)
    assert courses == bundle.courses.catalogue["_id"].to_list()
    with torch.inference_mode():
        expected = bundle.model.score(exporting._histories(inputs)).numpy()
    np.testing.assert_allclose(np.array(scores), expected, rtol=1e-5, atol=1e-5)


def test_a_graph_that_scores_otherwise_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out = export(NETWORKS[0], tmp_path, monkeypatch)
    monkeypatch.setattr(exporting, "TOLERANCE", 0.0)
    with pytest.raises(WorkFailed, match="from the bundle's; not written"):
        exporting.export_onnx(Path("m"), out)
    assert list(tmp_path.iterdir()) == []


def test_what_can_not_be_made_a_graph_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out = export(NETWORKS[0], tmp_path, monkeypatch)
    reason = torch.onnx.errors.UnsupportedOperatorError("aten::diff", 18, None)
    monkeypatch.setattr(exporting, "_trace", lambda *_: (_ for _ in ()).throw(reason))
    with pytest.raises(WorkFailed, match=r"^m: can't be made ONNX \(.*aten::diff"):
        exporting.export_onnx(Path("m"), out)
    assert list(tmp_path.iterdir()) == []


def test_other_families_are_refused_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = next(cases_of(families()["markov"], "next_item"))
    _, out = export(case, tmp_path, monkeypatch)
    with pytest.raises(BadInput, match="markov is no network that ranks courses"):
        exporting.export_onnx(Path("m"), out)
