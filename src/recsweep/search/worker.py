"""The Ray worker: one trial after another, on data that is loaded once."""

import gc
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ray
import torch
from ray import tune

from recsweep.config.schema import Experiment
from recsweep.data.features.choose import with_features
from recsweep.data.types import Fold
from recsweep.errors import one_line
from recsweep.search.checkpoints import Checkpoints, Owner, Pace, Unusable
from recsweep.search.proposal import Proposal
from recsweep.search.remote_checkpoints import checkpoints_at
from recsweep.search.stopping import is_over
from recsweep.training.energy import Meter
from recsweep.training.epoch import EpochReport
from recsweep.training.process import give_back_memory
from recsweep.training.rehearsal import ANSWER_SECONDS as LIMITED_SECONDS
from recsweep.training.rehearsal import of_epoch, rehearse
from recsweep.training.trial import Diverged, MakeTrial, Trial

ANSWER_SECONDS = 0.05
"""For how fast a trial's model answers, where nothing limits that."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all trials of a sweep have in common."""

    experiment: Experiment
    kinds: dict[str, str]  # family name in the study -> registry's
    folds: Sequence[Fold]
    checkpoints: Checkpoints  # on the driver's machine,
    home: str  # as Ray knows it
    uid: str  # of the study
    make_trial: MakeTrial = Trial
    rehearse: Callable[..., dict[str, float]] = rehearse


class Worker(tune.Trainable):  # type: ignore[misc]
    """Reports an epoch at a time; a trial that can't go on reports why, and the worker lives on."""

    def setup(self, config: dict[str, Any], shared: Shared | None = None) -> None:
        """Take over what all trials share."""
        assert shared is not None
        self._shared = shared
        self._checkpoints = checkpoints_at(shared.home, shared.checkpoints)
        self._device = torch.device("cuda" if ray.get_gpu_ids() else "cpu")
        torch.set_num_threads(shared.experiment.resources.threads)
        declared, gpu = shared.experiment.energy, shared.experiment.resources.gpu
        self._meter = None if declared is None else Meter(declared, gpu)
        # As in `preload.py`, which a cluster's processes don't import: between any two trials .2 s.
        gc.collect()
        gc.freeze()
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin the next trial."""
        self._trial: Trial | None = None  # its memory goes before the next one's comes
        gc.collect()
        give_back_memory()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        self._proposal: Proposal = new_config["proposal"]
        self._pace = Pace(self._shared.experiment.resources.checkpoint_seconds)
        self._words: list[str] = []  # for people
        self._limits = self._shared.experiment.limits.given
        self._known: dict[str, float] | None = None  # of them, before the first epoch
        return True

    def step(self) -> dict[str, Any]:
        """One more epoch."""
        result = self._advance()
        words, self._words = self._words, []
        return {**result, "words": words}

    def _advance(self) -> dict[str, Any]:
        try:
            if self._trial is None:
                if self._limits and self._known is None and not self._proposal.measured:
                    self._known = self._rehearse()
                    if self._known:
                        return {"measured": tuple(self._known.items())}  # Ray flattens mappings
                self._trial = self._begin()
                if self._trial.last is not None:  # its report may have been lost with the driver
                    return self._result(self._trial.last, None)
            if self._meter is not None:
                self._meter.restart()
            report = self._trial.advance()
            if self._meter is not None:
                used, estimated = self._meter.joules()
                report = replace(report, joules=used, joules_estimated=estimated)
        except Diverged as reason:
            return {"failure": f"diverged: {one_line(reason)}"}
        except Exception as error:
            if _device_is_lost(error):
                raise  # only a new process gets a working device again
            return {"failure": f"{type(error).__name__}: {one_line(error)}"}
        if not math.isfinite(report.value):
            return {"failure": f"diverged: the score is {report.value} in epoch {report.epoch}"}
        assert self._trial.best is not None  # it has an epoch
        last = is_over(
            report.epoch,
            self._trial.best.epoch,
            self._trial.epochs,
            self._shared.experiment.stopping.patience,
        )
        if not last and (report.epoch == self._proposal.until or self._pace.due()):
            self._save(self._trial)
        return self._result(report, self._trial.best if last else None)

    def _result(self, report: EpochReport, best: EpochReport | None) -> dict[str, Any]:
        """An epoch's; learners' scores travel once. The first tells what no rehearsal did."""
        found = of_epoch(report, self._limits) if report.epoch == 1 else {}
        measured = tuple(pair for pair in found.items() if pair[0] not in (self._known or {}))
        return {"measured": measured, "report": replace(report, user_values=()), "best": best}

    def _rehearse(self) -> dict[str, float]:
        shared, proposal = self._shared, self._proposal
        kind = shared.kinds[proposal.family]
        return shared.rehearse(
            kind, proposal.config, self._folds, shared.experiment, device=self._device
        )

    @property
    def _folds(self) -> list[Fold]:
        columns = self._shared.experiment.features_of(self._proposal.family)
        return [with_features(fold, columns) for fold in self._shared.folds]

    def _begin(self) -> Trial:
        """Build the trial, and go on from its checkpoint if it has one."""
        trial = self._build()
        try:
            checkpoint = self._checkpoints.read(self._proposal.id, self._owner)
            if checkpoint is not None:
                trial.restore(checkpoint)
        except (Unusable, KeyError, RuntimeError, ValueError) as error:
            self._words.append(f"starts again from its first epoch: {one_line(error)}")
            return self._build()
        return trial

    def _build(self) -> Trial:
        shared, experiment, proposal = self._shared, self._shared.experiment, self._proposal
        return shared.make_trial(
            shared.kinds[proposal.family],
            proposal.config,
            self._folds,
            experiment,
            epochs=experiment.budget.epochs,
            seed=proposal.seed,
            device=self._device,
            answer_seconds=LIMITED_SECONDS if "p99_ms" in self._limits else ANSWER_SECONDS,
        )

    @property
    def _owner(self) -> Owner:
        proposal = self._proposal
        return {
            "study": self._shared.uid,
            "trial": proposal.id,
            "config": dict(proposal.config),
            "seed": proposal.seed,
        }

    def _save(self, trial: Trial) -> None:
        """A checkpoint that can't be written costs epochs if the trial is cut off, and no more."""
        began = time.monotonic()
        checkpoint = trial.checkpoint()
        if checkpoint is None:
            return
        try:
            self._checkpoints.write(self._proposal.id, self._owner, checkpoint)
        except OSError as error:
            self._words.append(f"no checkpoint after epoch {trial.epoch}: {error.strerror}")
        self._pace.wrote(began)


def _device_is_lost(error: Exception) -> bool:
    return isinstance(error, RuntimeError) and str(error).startswith("CUDA error")
