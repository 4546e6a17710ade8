"""What runs in a Ray worker: one trial after another, on data that is loaded once."""

import gc
import math
from collections.abc import Callable, Sequence
from typing import Any

import ray
import torch
from ray import tune

from recsweep.config.schema import Experiment
from recsweep.data.types import Fold
from recsweep.search.ledger import Proposal
from recsweep.tasks.registry import TASKS
from recsweep.training.trial import Diverged, Trial

MakeTrial = Callable[..., Trial]


class Worker(tune.Trainable):  # type: ignore[misc]
    """Reports an epoch at a time; a trial that can't go on reports why, and the worker lives on."""

    def setup(
        self,
        config: dict[str, Any],
        experiment: Experiment | None = None,
        kinds: dict[str, str] | None = None,
        folds: Sequence[Fold] = (),
        make_trial: MakeTrial = Trial,
    ) -> None:
        """Take over what all trials share. `kinds`: family name in the study -> registry's."""
        assert experiment is not None
        assert kinds is not None
        self._experiment, self._kinds, self._folds = experiment, kinds, folds
        self._make_trial = make_trial
        self._device = torch.device("cuda" if ray.get_gpu_ids() else "cpu")
        torch.set_num_threads(max(1, int(experiment.resources.cpu)))
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
        return True

    def step(self) -> dict[str, Any]:
        """One more epoch."""
        try:
            if self._trial is None:
                self._trial = self._begin()
            report = self._trial.advance()
        except Diverged as reason:
            return {"failure": f"diverged: {one_line(reason)}"}
        except Exception as error:
            if _device_is_lost(error):
                raise  # only a new process gets a working device again
            return {"failure": f"{type(error).__name__}: {one_line(error)}"}
        if not math.isfinite(report.value):
            return {"failure": f"diverged: the score is {report.value} in epoch {report.epoch}"}
        return {"report": report, "epochs": self._trial.epochs}

    def _begin(self) -> Trial:
        experiment, proposal = self._experiment, self._proposal
        return self._make_trial(
            self._kinds[proposal.family],
            proposal.config,
            self._folds,
            experiment.metric,
            epochs=experiment.budget.epochs,
            seed=proposal.seed,
            device=self._device,
            precision=experiment.resources.precision,
            task=TASKS[experiment.task],
        )


def one_line(error: BaseException) -> str:
    """The first line of an exception's message, cut to a readable length."""
    lines = str(error).strip().splitlines() or ["no message"]
    return lines[0] if len(lines[0]) <= 200 else lines[0][:199] + "…"


def _device_is_lost(error: Exception) -> bool:
    return isinstance(error, RuntimeError) and str(error).startswith("CUDA error")
