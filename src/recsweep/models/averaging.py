"""A moving average of the weights along training (Polyak & Juditsky 1992; Izmailov et al. 2018).

What a network scores after an epoch depends on its last few batches as well. The average of recent
weights lacks most of that noise: it scores better, and a curve that rises steadily shows when it
has stopped to.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

SAMPLES = 16
"""Times an epoch that the average takes weights in, however many steps that has."""


class WeightAverage:
    """Outside of training the parameters hold the average, within it what the last step left."""

    def __init__(self, parameters: Sequence[nn.Parameter], epochs: float) -> None:
        self._parameters = [each for each in parameters if each.requires_grad]
        self._samples = epochs * SAMPLES
        self._taken = 0
        self._other: list[Tensor] = []  # the average while training; else training's own weights

    @torch.no_grad()
    def begin(self) -> None:
        """Go on from where training was."""
        if self._taken:
            self._exchange()

    @torch.no_grad()
    def take(self) -> None:
        """Take the weights in. Early ones are soon outweighed: the n-th counts 2 / (n + 1)."""
        if not self._taken:
            self._other = [each.detach().clone() for each in self._parameters]
        self._taken += 1
        share = max(1 / self._samples, 2 / (self._taken + 1))
        torch._foreach_lerp_(self._other, list(self._parameters), min(share, 1.0))

    @torch.no_grad()
    def end(self) -> None:
        """The average, from now on."""
        if self._taken:
            self._exchange()

    def _exchange(self) -> None:
        kept = [each.detach().clone() for each in self._parameters]
        torch._foreach_copy_(list(self._parameters), self._other)
        self._other = kept

    def checkpoint(self) -> dict[str, Tensor]:
        """Training's own weights, and how many were taken in."""
        weights = {f"training/{n}": each.clone() for n, each in enumerate(self._other)}
        return {"taken": torch.tensor(self._taken), **weights}

    def restore(self, checkpoint: Mapping[str, Tensor]) -> None:
        """Go on from there; the average is the network's."""
        self._taken = int(checkpoint["taken"])
        self._other = [
            checkpoint[f"training/{n}"].to(own.device, copy=True)
            for n, own in enumerate(self._parameters if self._taken else ())
        ]
