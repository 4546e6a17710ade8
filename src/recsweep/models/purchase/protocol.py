"""What a family of the task `purchase` offers."""

from typing import Protocol

from recsweep.data.types import Float64
from recsweep.models.protocol import Model
from recsweep.models.purchase.cases import CaseBook


class Purchaser(Model, Protocol):
    """A model that gives the probability of a purchase."""

    def probability(self, book: CaseBook) -> Float64:
        """(n_examples,) in 0 to 1, in the order of the book's examples."""
        ...
