"""Two families: the share of the kind, and its share after each latest kind of a history."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from recsweep.data.types import KINDS, Float64, Labels, Targets
from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context, FamilyConfig


class AfterLatestConfig(FamilyConfig):
    """How far a share is drawn to that of all."""

    prior: Annotated[float, Field(gt=0)]  # examples


class Share:
    """Training's share of the kind."""

    def __init__(self, config: FamilyConfig, context: Context) -> None:
        self._training, self.shares = context.training, np.full(len(KINDS), 0.5)

    def fit_epoch(self) -> None:
        """Count."""
        self.shares[:] = self._asked()[1].mean()

    def probability(self, targets: Targets) -> Float64:
        """(n_targets,)."""
        return np.asarray(self.shares[latest(targets)])

    def state(self) -> dict[str, Tensor]:
        """The shares."""
        return {"shares": torch.from_numpy(self.shares.copy())}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over shares."""
        self.shares = state["shares"].numpy()

    def _asked(self) -> tuple[Targets, Float64]:
        examples = self._training.examples
        assert examples is not None
        assert isinstance(examples.labels, Labels)
        return examples, examples.labels.bought.astype(np.float64)


class AfterLatest(Share):
    """Its share after each kind."""

    def __init__(self, config: AfterLatestConfig, context: Context) -> None:
        super().__init__(config, context)
        self._prior = config.prior

    def fit_epoch(self) -> None:
        """Count."""
        examples, answers = self._asked()
        kinds, prior = latest(examples), self._prior
        seen = np.bincount(kinds, minlength=len(KINDS))
        hits = np.bincount(kinds, weights=answers, minlength=len(KINDS))
        self.shares = (hits + prior * answers.mean()) / (seen + prior)


def latest(targets: Targets) -> NDArray[np.int8]:
    """(n_targets,) kind of the latest event of each history."""
    histories = targets.histories
    kinds: NDArray[np.int8] = histories.kind[
        histories.offsets[targets.sequence] + targets.length - 1
    ]
    return kinds


SPACES = Path(__file__).parent / "spaces"
FAMILIES = (
    Family(
        name="kind_share",
        title="share of the kind",
        title_zh="该类型的占比",
        role="floor",
        tasks={"next_kind": Build(FamilyConfig, Share, epochs=1, random=False, reads_order=False)},
        spaces=SPACES,
    ),
    Family(
        name="after_latest",
        title="after the latest kind",
        title_zh="按最近一次的类型",
        role="baseline",
        tasks={"next_kind": Build(AfterLatestConfig, AfterLatest, epochs=1, random=False)},
        spaces=SPACES,
    ),
)
