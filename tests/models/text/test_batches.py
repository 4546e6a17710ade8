"""Texts in batches."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from labelled_texts import texts
from scipy.sparse import csr_matrix

from recsweep.models.text import batches
from recsweep.models.text.batches import TextBook
from recsweep.models.text.texts import Reading, Texts, sequences, unlabelled

TEXTS = unlabelled(np.array(["a b b c", "", "a", "c b", "", "b"], object), ("x", "y"))
CPU = torch.device("cpu")


def book_of(
    given: Texts,
    longest: int = 3,
    rows: csr_matrix | None = None,
    terms: tuple[str, ...] = ("a", "b"),
) -> TextBook:
    found = sequences(given, Reading("words", 1, chinese=False))
    return TextBook(given, found, terms, longest, rows, CPU)


def test_blocks_hold_every_text_once_on_grids_that_are_small_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    book = book_of(TEXTS)
    for places, n_blocks in ((1, 6), (4, 3), (100, 1)):
        monkeypatch.setattr(batches, "BLOCK_PLACES", places)
        blocks = [*book.blocks()]
        assert len(blocks) == n_blocks
        assert all(block.parts.numel() <= places or len(block.at) == 1 for block in blocks)
        read = {int(n): block.parts[row, : block.length[row]].tolist()
                for block in blocks for row, n in enumerate(block.at)}  # fmt: skip
        assert read == {0: [1, 2, 2], 1: [], 2: [1], 3: [0, 2], 4: [], 5: [2]}
    assert [*book_of(TEXTS.at(np.zeros(0, np.int64))).blocks()] == []


def test_a_batch_has_of_each_text_its_own() -> None:
    given = texts(inputs=np.arange(12, dtype=np.float32).reshape(6, 2))
    rows = csr_matrix(np.array([[0, 2], [1, 0], [0, 0], [3, 4], [0, 5], [0, 0]], float))
    book = book_of(given, longest=2, rows=rows)
    assert len(book) == 6
    (batch,) = book.epoch(9, 0)
    inside = batch.inside()
    assert inside.shape == batch.parts.shape == (6, 2)
    expected = [[1, 2], [2], [], [0, 1], [2, 0], [1]]  # "c" isn't known, and a third is not read
    assert batch.bags is not None
    ends = [*batch.bags.start.tolist()[1:], len(batch.bags.term)]
    for row, n in enumerate(batch.at.tolist()):
        assert batch.parts[row][inside[row]].tolist() == expected[n]
        assert int(batch.length[row]) == len(expected[n])
        assert batch.inputs[row].tolist() == [2 * n, 2 * n + 1]
        assert int(batch.answer[row]) == given.answer[n]
        bag = slice(int(batch.bags.start[row]), ends[row])
        found = dict(
            zip(batch.bags.term[bag].tolist(), batch.bags.value[bag].tolist(), strict=True)
        )
        assert found == {term: value for term, value in enumerate(rows[n].toarray()[0]) if value}
    assert next(book_of(given).epoch(9, 0)).bags is None


def test_every_text_comes_once_an_epoch_in_batches_of_similar_lengths() -> None:
    random = np.random.default_rng(0)
    lengths = random.integers(0, 60, 50)
    given = unlabelled(np.array(["a " * n for n in lengths], object), ())
    book, orders = book_of(given, longest=99), []
    for seed in (0, 0, 1):
        found = [*book.epoch(8, seed)]
        sizes = [len(batch.at) for batch in found]
        assert sorted(sizes) == [2] + [8] * 6
        orders.append(np.concatenate([batch.at for batch in found]).tolist())
        assert sorted(orders[-1]) == [*range(50)]
        for batch in found:
            assert batch.parts.shape[1] == max(1, int(batch.length.max()))
        # Lengths are moved by up to a tenth before they are ordered, and then cut.
        spans = sorted((float(b.length.min()), float(b.length.max())) for b in found)
        for (_, before), (after, _) in pairwise(spans):
            assert before * 0.9 <= after * 1.1 + 1e-3
        assert [b.length.min() for b in found] != sorted(b.length.min() for b in found)
    assert orders[0] == orders[1] != orders[2]


def test_texts_of_one_length_are_mixed_anew_each_epoch_empty_ones_too() -> None:
    for text in ("a a", ""):
        book = book_of(unlabelled(np.array([text] * 40, object), ()))
        mixed = [{frozenset(b.at.tolist()) for b in book.epoch(8, seed)} for seed in (0, 1)]
        assert mixed[0] != mixed[1]
        assert frozenset(range(8)) not in mixed[0]


def test_no_texts_make_no_batch() -> None:
    assert [*book_of(TEXTS.at(np.zeros(0, np.int64))).epoch(4, 0)] == []


def test_where_all_texts_are_empty_there_is_one_place_that_none_has() -> None:
    (batch,) = book_of(unlabelled(np.array(["", ""], object), ())).blocks()
    assert batch.parts.tolist() == [[0], [0]]
    assert not batch.inside().any()
