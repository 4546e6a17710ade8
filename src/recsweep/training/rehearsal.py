"""What a configuration takes, as far as it can be known before it is trained.

One model is built on the fold with the most to learn from, trained on a few batches and asked; then
it is thrown away. A family that isn't trained by batches is measured by its first epoch instead
(see `of_epoch`), unless it is too large by being built. What it takes has no bearing on what is
trained: a trial builds models of its own.
"""

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from recsweep.config.schema import Experiment
from recsweep.config.values import RecordedConfiguration
from recsweep.data.types import Fold
from recsweep.errors import BadInput
from recsweep.models.gradient import GradientModel
from recsweep.models.protocol import Context, Resumable
from recsweep.models.registry import families_of
from recsweep.models.uplift import UpliftModel
from recsweep.tasks.registry import TASKS
from recsweep.training.epoch import EpochReport
from recsweep.training.footprint import events_in, largest, p99_ms, state_size
from recsweep.training.process import give_back_memory, memory_in_use

STEPS = 5
"""Batches that are trained and timed, after one that warms up."""
ANSWER_SECONDS = 2.0
"""For the answers that a p99 is taken of."""


def rehearse(
    kind: str,
    config: RecordedConfiguration,
    folds: Sequence[Fold],
    experiment: Experiment,
    device: torch.device,
) -> dict[str, float]:
    """What the configuration takes of all that the experiment limits.

    Once one is over its limit the others aren't measured any more.
    """
    limits, task = experiment.limits.given, TASKS[experiment.task]
    fold = largest(folds)
    context = Context(fold.training, 0, device, experiment.resources.precision)
    peak = _Peak(device)
    model = families_of(task.name)[kind].model(config, context)
    found: dict[str, float] = {}
    if "parameters" in limits:
        size = state_size(model)[0]  # of one that is fitted in one go, what it has at least
        if isinstance(model, Resumable) or size > limits["parameters"]:
            found["parameters"] = size
    networks = networks_of(model)
    if outside(found, limits) or not networks:
        return found
    if limits.keys() - {"parameters"}:
        seconds = (
            sum(map(seconds_per_epoch, networks)) * sum(map(events_in, folds)) / events_in(fold)
        )
        answer = p99_ms(task, model, fold, device, ANSWER_SECONDS) if "p99_ms" in limits else None
        measured = {"seconds_per_epoch": seconds, "p99_ms": answer, "memory_mb": peak.growth()}
        found |= {k: v for k, v in measured.items() if k in limits and v is not None}
    return found


def of_epoch(report: EpochReport, limits: Mapping[str, float]) -> dict[str, float]:
    """The same by a first epoch; of `memory_mb` it tells nothing."""
    measured = {
        "parameters": report.parameters,
        "p99_ms": report.p99_ms,
        "seconds_per_epoch": report.fit_seconds,
    }
    return {k: float(v) for k, v in measured.items() if k in limits and v is not None}


def outside(measured: Mapping[str, float], limits: Mapping[str, float]) -> list[str]:
    """What is over its limit: `parameters 3,000,000 > 2,000,000`."""
    return [
        f"{name} {_shown(value)} > {_shown(limits[name])}"
        for name, value in measured.items()
        if value > limits.get(name, math.inf)
    ]


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def check_measurable(experiment: Experiment) -> None:
    """Refuse a limit that this system can't measure.

    Raises:
        BadInput: it is on memory, and there is no way to ask for a process's peak.
    """
    on_gpu = experiment.resources.gpu > 0
    if "memory_mb" in experiment.limits.given and not on_gpu and not _CLEAR.exists():
        raise BadInput("limits.memory_mb: this system doesn't tell a process's peak; leave it out")


def networks_of(model: object) -> list[GradientModel[Any, Any]]:
    """What of a model is trained by batches, if all of it is: itself, or the models of the
    probabilities that an uplift is the difference of. Empty: of anything else.
    """
    parts = list(model.parts.values()) if isinstance(model, UpliftModel) else [model]
    networks = [part for part in parts if isinstance(part, GradientModel)]
    return networks if len(networks) == len(parts) else []


def seconds_per_epoch(model: GradientModel[Any, Any]) -> float:
    """Of the model's own fold, by a few batches; the model is spoilt by them."""
    in_epoch = model.steps
    model.fit_epoch(steps=1)
    steps = min(STEPS, in_epoch)
    began = time.perf_counter()
    model.fit_epoch(steps=steps)  # waits for the device in the end
    return (time.perf_counter() - began) / max(1, steps) * in_epoch


_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


class _Peak:
    """The most memory that was held since."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self._before = torch.cuda.memory_allocated(device) / (1 << 20)
            return
        give_back_memory()  # what earlier trials let go of isn't there to reuse
        with suppress(OSError):
            _CLEAR.write_text("5")  # the peak counts from now on: proc(5)
        self._before = memory_in_use(device) or 0.0

    def growth(self) -> float | None:
        """MiB; None: this system doesn't say."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device) / (1 << 20) - self._before
        with suppress(OSError):
            for line in _STATUS.read_text("ascii").splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024 - self._before
        return None
