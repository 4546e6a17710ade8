"""Texts laid out once on one device, and handed out in batches of similar lengths."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from recsweep.data.types import Int64
from recsweep.models.histories import BLOCK_PLACES
from recsweep.models.text.texts import Sequences, Texts


@dataclass(frozen=True, slots=True)
class Bags:
    """Sparse rows, end to end."""

    term: Tensor  # (n_entries,) int64
    value: Tensor  # (n_entries,) float32
    start: Tensor  # (n_texts,) int64


@dataclass(frozen=True, slots=True)
class TextBatch:
    """Some texts."""

    parts: Tensor  # (n_texts, longest) int64; 0: not known; past a text's end stands anything
    length: Tensor  # (n_texts,) int64
    inputs: Tensor  # (n_texts, n_inputs) float32
    answer: Tensor  # (n_texts,) int64
    at: Int64  # (n_texts,) positions in the book
    bags: Bags | None = None

    def inside(self) -> Tensor:
        """(n_texts, longest) bool: the places that a text has."""
        places = torch.arange(self.parts.shape[1], device=self.parts.device)
        return places < self.length[:, None]


class TextBook:
    """Texts in the numbers of one network."""

    def __init__(
        self,
        texts: Texts,
        found: Sequences,
        terms: tuple[str, ...],
        longest: int,
        rows: csr_matrix | None,
        device: torch.device,
    ) -> None:
        """
        Args:
            texts: with answers and inputs.
            found: their parts.
            terms: that the network knows.
            longest: so many parts of a text are read, from its start.
            rows: (n_texts, n_terms) sparse values, where the network asks for some.
            device: of the network.
        """
        self._device, self._rows = device, rows
        self._start = found.start[:-1]
        self._length = np.minimum(np.diff(found.start), longest)
        # A place that no text reaches still has to be somewhere.
        self._part = torch.from_numpy(np.append(found.of(terms), 0)).to(device)
        self._inputs = torch.from_numpy(texts.inputs).to(device)
        self._answer = torch.from_numpy(texts.answer.astype(np.int64)).to(device)

    def __len__(self) -> int:
        return len(self._length)

    def epoch(self, batch_size: int, seed: int) -> Iterator[TextBatch]:
        """Every text once, in random batches of `batch_size` texts with similar lengths."""
        random = np.random.default_rng(seed)
        size = self._length * random.uniform(0.9, 1.1, len(self)) + random.random(len(self)) * 1e-3
        order = np.argsort(size, kind="stable")
        chunks = np.split(order, np.arange(batch_size, len(order), batch_size))
        for n in random.permutation(len(chunks)):
            if len(chunks[n]):
                yield self._batch(chunks[n])

    def blocks(self) -> Iterator[TextBatch]:
        """Every text once, in blocks whose grid is small enough."""
        order = np.argsort(self._length, kind="stable")
        while len(order):
            grid = np.arange(1, len(order) + 1) * np.maximum(self._length[order], 1)
            n = max(1, int(np.searchsorted(grid, BLOCK_PLACES, side="right")))
            yield self._batch(order[:n])
            order = order[n:]

    def _batch(self, at: Int64) -> TextBatch:
        longest = max(1, int(self._length[at].max()))
        index = np.minimum(self._start[at][:, None] + np.arange(longest), len(self._part) - 1)
        chosen = torch.from_numpy(at).to(self._device)
        return TextBatch(
            parts=self._part[torch.from_numpy(index).to(self._device)],
            length=torch.from_numpy(self._length[at]).to(self._device),
            inputs=self._inputs[chosen],
            answer=self._answer[chosen],
            at=at,
            bags=None if self._rows is None else self._bags(self._rows[at]),
        )

    def _bags(self, rows: csr_matrix) -> Bags:
        return Bags(
            term=torch.from_numpy(rows.indices.astype(np.int64)).to(self._device),
            value=torch.from_numpy(rows.data.astype(np.float32)).to(self._device),
            start=torch.from_numpy(rows.indptr[:-1].astype(np.int64)).to(self._device),
        )
