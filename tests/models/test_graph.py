"""One module of plain tensors scores as the model does."""

from typing import Any

import numpy as np
import pytest
import torch
from families import CONFIGS, CPU, FAMILIES, asked

from recsweep.models.graph import ScoringGraph
from recsweep.models.protocol import Context, Histories
from recsweep.models.ranker import GradientRanker
from recsweep.testing.worlds import world

DAY = 86_400_000_000


def model_of(case: str, features: bool, **changes: object) -> GradientRanker:
    family, config = CONFIGS[case]
    training = world("next_item", {}, features).training
    model: Any = FAMILIES[family].model({**config, **changes}, Context(training, 0, CPU, "fp32"))
    for parameter in model.network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    assert isinstance(model, GradientRanker)
    return model


@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize(
    ("case", "changes", "timed"),
    [
        ("gru bpr", {}, False),
        ("wide_deep cross_entropy", {}, False),
        ("wide_deep faded", {}, True),
        ("gru_unordered bpr", {"fading": "time", "half_life_days": 2.0}, True),
        ("gru_unordered bpr", {"fading": "step"}, False),
        ("neumf bpr", {}, True),
        ("neumf bpr", {"fading": "none"}, False),
        ("sasrec cross_entropy", {"positions": "learned"}, False),
        ("sasrec cross_entropy", {"positions": "time"}, True),
        ("sasrec_unordered cross_entropy", {"positions": "time", "fading": "none"}, False),
    ],
)
def test_a_graph_scores_each_row_after_its_last_event_as_the_model_does(
    case: str, changes: dict[str, object], timed: bool, features: bool
) -> None:
    model = model_of(case, features, **changes)
    graph = ScoringGraph(model)
    inputs = graph.example(5, 7, seed=3)
    assert graph.timed is timed
    assert set(inputs) == (
        {"items", "length"}
        | ({"time"} if timed else set())
        | ({"user_features", "event_features"} if features else set())
    )
    nothing = torch.zeros(5, 0)
    expected = model.score(
        Histories(
            inputs["items"],
            inputs.get("user_features", nothing),
            torch.arange(5),
            inputs["length"],
            event_features=inputs.get("event_features"),
            time=inputs.get("time"),
        )
    )
    with torch.no_grad():
        torch.testing.assert_close(graph(inputs), expected, rtol=1e-4, atol=1e-5)


class Flat(torch.nn.Module):
    """Tracers give tensors one by one."""

    def __init__(self, graph: ScoringGraph, names: tuple[str, ...]) -> None:
        super().__init__()
        self.graph, self.names = graph, names

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.graph(dict(zip(self.names, inputs, strict=True)))
        return scores


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")  # on what it takes for constants
@pytest.mark.filterwarnings("ignore:.torch.jit.trace:DeprecationWarning")
@pytest.mark.parametrize(
    ("case", "changes"),
    [
        ("gru bpr", {}),
        ("gru_unordered bpr", {}),
        ("gru_unordered bpr", {"fading": "time", "half_life_days": 2.0}),
        ("neumf bpr", {}),
        ("wide_deep faded", {}),
        ("sasrec cross_entropy", {"positions": "none", "window": 7}),
        ("sasrec cross_entropy", {"positions": "time", "window": 7}),
    ],
)
def test_a_graph_that_was_drawn_on_a_short_history_scores_a_long_one(
    case: str, changes: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = ScoringGraph(model_of(case, True, **changes)).eval()
    short, long = graph.example(3, 5), graph.example(4, 20, seed=1)
    with torch.no_grad():
        expected = graph(long)
        with monkeypatch.context() as exporting:
            exporting.setattr("torch.onnx.is_in_onnx_export", lambda: True)
            flat = Flat(graph, tuple(short))
            drawn = torch.jit.trace(flat, (*short.values(),), check_trace=False)  # type: ignore[no-untyped-call]
        torch.testing.assert_close(drawn(*long.values()), expected, rtol=1e-4, atol=1e-5)


def test_an_example_is_drawn_by_its_seed_within_the_catalogue_and_the_rows() -> None:
    graph = ScoringGraph(model_of("wide_deep faded", True))
    inputs = graph.example(400, 6)
    again, other = graph.example(400, 6, seed=0), graph.example(400, 6, seed=1)
    assert all(torch.equal(inputs[name], again[name]) for name in inputs)
    assert not any(torch.equal(inputs[name], other[name]) for name in inputs)
    training = world("next_item", {}).training
    shapes = {name: tuple(value.shape[1:]) for name, value in inputs.items()}
    assert shapes == {
        "items": (6,),
        "length": (),
        "time": (6,),
        "user_features": (training.sequences.features.shape[1],),
        "event_features": (6, len(training.event_columns)),
    }
    assert set(inputs["items"].flatten().tolist()) == set(range(training.n_items))
    assert set(inputs["length"].tolist()) == {1, 2, 3, 4, 5, 6}
    steps = np.diff(inputs["time"].numpy(), axis=1) / DAY
    assert set(steps.flatten()) == {0, 1, 2}  # days, and events of one instant


def test_courses_that_were_seen_keep_their_scores() -> None:
    model = model_of("gru bpr", False)
    found = ScoringGraph(model)({"items": torch.tensor([[0, 1]]), "length": torch.tensor([2])})
    assert found.isfinite().all()
    torch.testing.assert_close(found.detach(), model.score(asked([0, 1])))
