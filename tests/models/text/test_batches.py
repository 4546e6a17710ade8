import numpy as np
import pytest
import torch

from recsweep.models.text import batches
from recsweep.models.text.batches import TextBook
from recsweep.models.text.texts import Reading, sequences, unlabelled

TEXTS = unlabelled(np.array(["a b b c", "", "a", "c b", "", "b"], object), ("x", "y"))


def test_blocks_hold_every_text_once_on_grids_that_are_small_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = sequences(TEXTS, Reading("words", 1, chinese=False))
    book = TextBook(TEXTS, found, ("a", "b"), 3, None, torch.device("cpu"))
    for places in (1, 4, 100):
        monkeypatch.setattr(batches, "BLOCK_PLACES", places)
        blocks = [*book.blocks()]
        assert all(block.parts.numel() <= places or len(block.at) == 1 for block in blocks)
        read = {int(n): block.parts[row, : block.length[row]].tolist()
                for block in blocks for row, n in enumerate(block.at)}  # fmt: skip
        assert read == {0: [1, 2, 2], 1: [], 2: [1], 3: [0, 2], 4: [], 5: [2]}
