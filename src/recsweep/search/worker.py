"""The Ray worker: one trial after another, on data that is loaded once."""

import gc
import math
import time
from collections.abc import Sequence
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
from recsweep.search.ledger import Proposal
from recsweep.search.remote_checkpoints import checkpoints_at
from recsweep.search.stopping import is_over
from recsweep.training.trial import Diverged, MakeTrial, Trial


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


class Worker(tune.Trainable):  # type: ignore[misc]
    """Reports an epoch at a time; a trial that can't go on reports why, and the worker lives on."""

    def setup(self, config: dict[str, Any], shared: Shared | None = None) -> None:
        """Take over what all trials share."""
        assert shared is not None
        self._shared = shared
        self._checkpoints = checkpoints_at(shared.home, shared.checkpoints)
        self._device = torch.device("cuda" if ray.get_gpu_ids() else "cpu")
        torch.set_num_threads(shared.experiment.resources.threads)
        # What libraries hold lives as long as the process: the collector needn't walk through it
        # again between any two trials, which took .2 s.
        gc.collect()
        gc.freeze()
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin the next trial."""
        self._trial: Trial | None = None  # its memory goes before the next one's comes
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        self._proposal: Proposal = new_config["proposal"]
        self._pace = Pace(self._shared.experiment.resources.checkpoint_seconds)
        self._words: list[str] = []  # for people
        return True

    def step(self) -> dict[str, Any]:
        """One more epoch."""
        result = self._advance()
        words, self._words = self._words, []
        return {**result, "words": words}

    def _advance(self) -> dict[str, Any]:
        try:
            if self._trial is None:
                self._trial = self._begin()
                if self._trial.last is not None:  # its report may have been lost with the driver
                    return {"report": replace(self._trial.last, user_values=()), "best": None}
            report = self._trial.advance()
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
        best = self._trial.best if last else None  # learners' scores travel once
        return {"report": replace(report, user_values=()), "best": best}

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
        columns = experiment.features_of(proposal.family)
        return shared.make_trial(
            shared.kinds[proposal.family],
            proposal.config,
            [with_features(fold, columns) for fold in shared.folds],
            experiment,
            epochs=experiment.budget.epochs,
            seed=proposal.seed,
            device=self._device,
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
