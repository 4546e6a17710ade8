"""Large tables of vectors: a step touches only the rows that it used.

So it is for the courses of large catalogues under a sampled loss, and for the words of texts. A
dense step costs memory and time in proportion to the table, however few of its rows a batch has.
Here the gradient of a table holds the used rows alone, and Adam moves those alone (its lazy
variant, `torch.optim.SparseAdam`): a row that isn't used keeps its moments and is not decayed
meanwhile. That gives other numbers than a dense step, so it is no choice of a trial's.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SPARSE_FROM = 50_000
"""Courses from which the sampled losses leave dense steps."""


def rows(table: Tensor, ids: Tensor) -> Tensor:
    """(*ids.shape, dim), with a gradient that holds no other row."""
    return F.embedding(ids, table, sparse=True)


class SparseTables:
    """The tables' share of an optimiser step."""

    def __init__(
        self, tables: Sequence[nn.Parameter], learning_rate: float, weight_decay: float
    ) -> None:
        self._tables = tuple(tables)
        self.optimizer = torch.optim.SparseAdam(list(tables), lr=learning_rate)
        self._decay = weight_decay

    def gradients(self) -> list[Tensor]:
        """(n_used, dim) of each table that was used, to be scaled in place."""
        found = []
        for table in self._tables:
            if table.grad is not None:
                table.grad = table.grad.coalesce()
                found.append(table.grad._values())
        return found

    @torch.no_grad()
    def step(self) -> None:
        """Decay and move the used rows; `gradients` comes before."""
        kept = 1 - self.optimizer.param_groups[0]["lr"] * self._decay  # decoupled, as in AdamW
        for table in self._tables:
            if table.grad is not None:
                used = table.grad._indices()[0]
                table.index_copy_(0, used, table[used] * kept)
        self.optimizer.step()  # type: ignore[no-untyped-call]
        for table in self._tables:
            table.grad = None
