"""What models are asked and answer, in plain numbers and formulas."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from purchase_families import CPU, PURCHASE_FAMILIES
from purchases import fold_of, random_log
from torch import Tensor, nn

from recsweep.data.clock import DAY
from recsweep.data.types import UNKNOWN, Float64, Fold, Labels, Targets
from recsweep.models.cases import CaseBook
from recsweep.models.classifier import GradientClassifier
from recsweep.models.event_odds import EventLogOdds
from recsweep.models.protocol import Classifier, Context, Histories

State = dict[str, Float64]


def shaken(network: nn.Module, seed: int = 1) -> State:
    """No parameter is where it began; what the network holds then."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 2)
    return {name: value.double().numpy() for name, value in network.state_dict().items()}


def check_same_layers(network: nn.Module, twin: nn.Module) -> None:
    """Parameters of the same names and shapes."""
    shapes = [{k: v.shape for k, v in each.state_dict().items()} for each in (network, twin)]
    assert shapes[0] == shapes[1]


def purchases() -> tuple[Fold, Targets]:
    """A small fold, and questions about it, some of them about a course that training doesn't know,
    after no event or after one.
    """
    fold = fold_of(random_log(3, users=6))
    targets, number = fold.validation, np.arange(len(fold.validation))
    item = np.where(number % 5 == 0, UNKNOWN, targets.item).astype(np.int32)
    length = np.where(number % 7 < 2, number % 7, targets.length).astype(np.int32)
    return fold, replace(targets, item=item, length=length)


def classifier_of(family: str, config: dict[str, object], fold: Fold) -> GradientClassifier:
    """Untrained."""
    context = Context(fold.training, 0, CPU, "fp32")
    model: GradientClassifier = PURCHASE_FAMILIES[family].model(config, context)
    return model


def probabilities(model: Classifier, fold: Fold, targets: Targets) -> Float64:
    return model.probability(CaseBook(targets, fold.n_items, CPU))


def looks(targets: Targets, unknown: int) -> list[tuple[list[int], int, Float64]]:
    """Of each example the courses before it, its own or `unknown`, and what else is known."""
    assert isinstance(targets.labels, Labels)
    found = []
    for n, sequence in enumerate(targets.sequence):
        begin = int(targets.histories.offsets[sequence])
        history = targets.histories.item[begin : begin + int(targets.length[n])].tolist()
        course = unknown if targets.item[n] == UNKNOWN else int(targets.item[n])
        found.append((history, course, targets.labels.inputs[n].astype(np.float64)))
    return found


def faded_mean(
    table: Float64, history: Sequence[int], weight: float, exponent: float = 1
) -> Float64:
    """Of the history's rows, each step back with `weight` of the one after it; 0 of none."""
    total, weights = np.zeros(table.shape[1]), 0.0
    for steps, item in enumerate(reversed(history)):
        total, weights = total + weight**steps * table[item], weights + weight**steps
    return total / weights**exponent if history else total


def relu(matrix: Float64, bias: Float64, vector: Float64) -> Float64:
    """Of a layer."""
    return np.maximum(matrix @ vector + bias, 0)


def half_mean(vectors: Tensor) -> Tensor:
    """(1, d) of (n, d), each step back with half the weight of the one after it."""
    weights = 0.5 ** torch.arange(len(vectors) - 1, -1, -1)
    return (weights @ vectors / weights.sum())[None]


def events_of(network: EventLogOdds, histories: Histories, row: int, length: int) -> Tensor:
    """(length, size) course, its features, type and time since the event before."""
    assert histories.kinds is not None
    assert histories.time is not None
    items, time = histories.items[row, :length], histories.time[row, :length]
    days = time.diff(prepend=time[:1]).double() / DAY
    events: Tensor = (
        network.embedding(items)
        + network.of_features(network.item_features[items])
        + network.of_kind(histories.kinds[row, :length])
        + network.of_gap(days.log1p().float()[:, None])
    )
    return events
