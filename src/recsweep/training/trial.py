"""One trial: one configuration of one family, trained on all folds epoch by epoch.

No Ray and no W&B in here. The search drives `Trial.advance`; `Trial.run`, which `reproduce` and
tests call, is the same path to its end.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from recsweep.config.schema import Experiment
from recsweep.config.values import RecordedConfiguration
from recsweep.data.types import Fold
from recsweep.evaluation.metrics import mean_over_folds
from recsweep.models.protocol import Context, Resumable
from recsweep.models.registry import families_of
from recsweep.tasks.registry import TASKS
from recsweep.training.epoch import EpochReport
from recsweep.training.footprint import largest, p99_ms, state_size
from recsweep.training.process import memory_in_use


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A trial after some of its epochs, from which another process can go on."""

    last: EpochReport  # of the last epoch, which may not have reached anybody
    best: EpochReport
    tensors: Mapping[str, torch.Tensor]  # `<fold>/<name>`: see `Resumable.checkpoint`


class Diverged(Exception):
    """Training left the finite numbers; the message says where."""


class Trial:
    """A trial in progress. All folds advance together, so every report is cross-validated.

    With `answer_seconds`, so long is spent after the first epoch on how fast a model answers.
    """

    def __init__(
        self,
        family: str,
        config: RecordedConfiguration,
        folds: Sequence[Fold],
        experiment: Experiment,
        *,
        epochs: int,
        seed: int,
        device: torch.device,
        answer_seconds: float = 0.0,
    ) -> None:
        task, precision = TASKS[experiment.task], experiment.resources.precision
        entry = families_of(task.name)[family]
        self.metric, self._task = experiment.metric, task
        self.epochs = min(epochs, entry.epochs or epochs)
        self.epoch = 0
        self._device, self._answer_seconds = device, answer_seconds
        self.last: EpochReport | None = None
        self.best: EpochReport | None = None  # of equals the earliest
        self._folds = tuple(folds)
        self._models: list[Any] = [
            entry.model(config, Context(fold.training, fold_seed(seed, n), device, precision))
            for n, fold in enumerate(folds)
        ]
        self._scorers = tuple(task.scorer(f.validation, f.n_items, device) for f in folds)

    def advance(self) -> EpochReport:
        """Train one more epoch on every fold and evaluate it.

        Raises:
            Diverged: a training loss is infinite or not a number.
        """
        self.epoch += 1
        fit_seconds = evaluate_seconds = 0.0
        losses, norms, summaries = list[float | None](), list[float | None](), []
        footprint: dict[str, Any] = {}
        for n, (fold, scorer) in enumerate(zip(self._folds, self._scorers, strict=True)):
            model, started = self._models[n], time.perf_counter()
            losses.append(loss := model.fit_epoch())
            fitted = time.perf_counter()
            if loss is not None and not math.isfinite(loss):
                raise Diverged(f"{fold.name}: the training loss is {loss} in epoch {self.epoch}")
            outcomes = scorer.outcomes(model)
            summaries.append(self._task.summarise(outcomes, fold.validation, self.metric))
            fit_seconds += fitted - started
            evaluate_seconds += time.perf_counter() - fitted
            norms.append(getattr(model, "gradient_norm", None))
            if self.epoch == 1 and fold is largest(self._folds):
                footprint = self._footprint(model, fold)
            if self.epoch == self.epochs and not isinstance(model, Resumable):
                self._models[n] = None  # nobody asks it any more, and the next one may be as large
        metrics = {key: tuple(means[key] for means, _ in summaries) for key in summaries[0][0]}
        report = EpochReport(
            epoch=self.epoch,
            value=mean_over_folds(metrics, self.metric.key),
            metrics=metrics,
            losses=tuple(losses),
            fit_seconds=fit_seconds,
            evaluate_seconds=evaluate_seconds,
            user_values=tuple(values for _, values in summaries),
            gradient_norms=tuple(norms),
            training_events=sum(len(fold.training.sequences.item) for fold in self._folds),
            memory_mb=memory_in_use(self._device),
            **footprint,
        )
        self.last, goodness = report, self.metric.goodness
        if self.best is None or goodness(report.value) > goodness(self.best.value):
            self.best = report
        return report

    def _footprint(self, model: Any, fold: Fold) -> dict[str, Any]:
        """Of a fold's model; how fast it answers if `answer_seconds` may be spent."""
        parameters, size = state_size(model)
        found: dict[str, Any] = {"parameters": parameters, "model_bytes": size}
        if seconds := self._answer_seconds:
            found["p99_ms"] = p99_ms(self._task, model, fold, self._device, seconds)
        return found

    def run(
        self, on_epoch: Callable[[EpochReport], None] = lambda report: None
    ) -> tuple[EpochReport, ...]:
        """Advance to the end; every epoch's report.

        Raises:
            Diverged: see `advance`.
        """
        reports = []
        while self.epoch < self.epochs:
            reports.append(self.advance())
            on_epoch(reports[-1])
        return tuple(reports)

    def checkpoint(self) -> Checkpoint | None:
        """Where it stands; None before its first epoch, and for a family that can't go on."""
        if self.last is None or self.best is None:
            return None
        tensors: dict[str, torch.Tensor] = {}
        for n, model in enumerate(self._models):
            if not isinstance(model, Resumable):
                return None
            tensors |= {f"{n}/{name}": value for name, value in model.checkpoint().items()}
        return Checkpoint(self.last, self.best, tensors)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from there: every later epoch is the same bit for bit as without the break.

        Raises:
            KeyError, RuntimeError, ValueError: it is of another trial. This one is spoilt then.
        """
        for n, model in enumerate(self._models):
            if not isinstance(model, Resumable):
                raise ValueError(f"{type(model).__name__} can't go on from a checkpoint")
            start = f"{n}/"
            model.restore(
                {
                    name.removeprefix(start): value
                    for name, value in checkpoint.tensors.items()
                    if name.startswith(start)
                }
            )
        self.epoch = checkpoint.last.epoch
        self.last, self.best = checkpoint.last, checkpoint.best


MakeTrial = Callable[..., Trial]
"""As `Trial` itself."""


def fold_seed(seed: int, fold: int) -> int:
    """Folds start from different weights, the same ones in every trial with this seed."""
    return seed * 1009 + fold
