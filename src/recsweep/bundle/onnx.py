"""A bundle's network as an ONNX graph, checked against the bundle before it is kept.

Inputs: see `ScoringGraph.example`; rows and the longest history are free. Output: `scores` (rows,
courses), seen courses included. The courses' ids, in the order of the scores, are in the model's
metadata under `courses`, as JSON.
"""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from recsweep.bundle.bundle import Bundle, load_bundle
from recsweep.bundle.files import check_free
from recsweep.data.atomic_folders import temporary_folder
from recsweep.data.features.dated import ID
from recsweep.errors import BadInput, WorkFailed, one_line
from recsweep.models.graph import ScoringGraph
from recsweep.models.protocol import Histories
from recsweep.models.ranker import GradientRanker

OPSET = 18
TOLERANCE = 1e-5
"""Of a score, against the larger of one and its size."""
SHAPES = (1, 1), (5, 3), (3, 300)
"""Rows and the longest history that are compared."""


def export_onnx(folder: Path, out: Path) -> float:
    """Write the graph to a new file; gives the largest difference from the bundle's scores in
    float32, in which a graph computes, whatever the precision of its study.

    Raises:
        BadInput: no bundle, one without a network that ranks, a file that is there, or the extra
            `onnx` isn't installed.
        WorkFailed: the network can't be made a graph, or the graph's scores differ from the
            bundle's.
    """
    check_free(out)
    bundle = load_bundle(folder)
    if not isinstance(bundle.model, GradientRanker):
        raise BadInput(
            f"{folder}: {bundle.file.family} is no network that ranks courses; ONNX is for those"
        )
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise BadInput(
            f"{error.name} is not installed; install it with pip install 'recsweep[onnx]'"
        ) from None
    bundle.model.context = replace(bundle.model.context, precision="fp32")
    out.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(out.parent, out.name) as temporary:
        path = temporary / out.name
        graph = ScoringGraph(bundle.model).eval()
        try:
            _trace(graph, path)
        except torch.onnx.errors.OnnxExporterError as error:
            raise WorkFailed(f"{folder}: can't be made ONNX ({one_line(error)})") from error
        model = onnx.load(str(path))
        onnx.helper.set_model_props(model, _metadata(bundle))
        onnx.save(model, str(path))
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        worst = 0.0
        for seed, (rows, longest) in enumerate(SHAPES):
            inputs = graph.example(rows, longest, seed)
            (found,) = session.run(None, {name: value.numpy() for name, value in inputs.items()})
            expected = bundle.model.score(_histories(inputs)).numpy()
            apart = np.abs(found - expected) / np.maximum(np.abs(expected), 1)
            worst = max(worst, float(apart.max()))
        if not worst <= TOLERANCE:
            raise WorkFailed(f"{out}: its scores are {worst:.1g} from the bundle's; not written")
        path.rename(out)
    return worst


class _Flat(nn.Module):
    """Exporters give tensors one by one."""

    def __init__(self, graph: ScoringGraph, names: tuple[str, ...]) -> None:
        super().__init__()
        self.graph, self.names = graph, names

    def forward(self, *inputs: Tensor) -> Tensor:
        scores: Tensor = self.graph(dict(zip(self.names, inputs, strict=True)))
        return scores


def _trace(graph: ScoringGraph, path: Path) -> None:
    example = graph.example(3, 5)
    of_places = "items", "time", "event_features"
    axes = {
        name: {0: "rows", 1: "longest"} if name in of_places else {0: "rows"}
        for name in (*example, "scores")
    }
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a tracer on what it takes for constants
        torch.onnx.export(
            _Flat(graph, tuple(example)).eval(),
            tuple(example.values()),
            str(path),
            input_names=list(example),
            output_names=["scores"],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )


def _metadata(bundle: Bundle) -> dict[str, str]:
    return {
        "courses": json.dumps(bundle.courses.catalogue[ID].to_list(), ensure_ascii=False),
        "bundle": bundle.name,
        "fingerprint": bundle.file.fitted.fingerprint,
        "licence": bundle.file.licence,
    }


def _histories(inputs: dict[str, Tensor]) -> Histories:
    items = inputs["items"]
    nothing = torch.zeros(len(items), 0)
    return Histories(
        items=items,
        user_features=inputs.get("user_features", nothing),
        row=torch.arange(len(items)),
        length=inputs["length"],
        event_features=inputs.get("event_features"),
        time=inputs.get("time"),
    )
