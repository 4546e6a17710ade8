from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from recsweep.data.types import UNKNOWN, Sequences, Targets
from recsweep.evaluation.metrics import MISS
from recsweep.models.protocol import Histories
from recsweep.tasks.next_item import ranking
from recsweep.tasks.next_item.ranking import Ranker, drop_seen

CPU = torch.device("cpu")


class Fixed:
    """Scores that depend on the history's last item alone."""

    def __init__(self, table: Tensor) -> None:
        self.table = table

    def fit_epoch(self) -> None:
        return None

    def score(self, histories: Histories) -> Tensor:
        return self.table[histories.items[histories.row, histories.length - 1]].clone()

    def state(self) -> dict[str, Tensor]:
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        return None


def targets_of(
    histories: list[list[int]],
    asked: list[tuple[int, int, int]],
    drop_seen: bool = False,
    times: list[int] | None = None,
) -> Targets:
    """`asked` holds (history, length, target item). With times, those of one instant of a learner
    are no wrong answers to each other.
    """
    offsets = np.concatenate(([0], np.cumsum([len(h) for h in histories]))).astype(np.int64)
    items = np.array([i for h in histories for i in h], np.int32)
    sequences = Sequences(
        user=np.arange(len(histories), dtype=np.int32),
        offsets=offsets,
        item=items,
        time=np.arange(len(items), dtype=np.int64),
        kind=np.zeros(len(items), np.int8),
        features=np.zeros((len(histories), 0), np.float32),
    )
    columns = np.array(asked, np.int32).reshape(-1, 3)
    return Targets(
        histories=sequences,
        sequence=columns[:, 0],
        length=columns[:, 1],
        item=columns[:, 2],
        time=np.array(times or range(len(columns)), np.int64),
        drop_seen=drop_seen,
        same_instant_competes=times is None,
        counts={},
    )


def naive(targets: Targets, table: Tensor) -> list[int]:
    """The definition, one target at a time, by sorting."""
    found = []
    for n in range(len(targets)):
        if targets.item[n] == UNKNOWN:
            found.append(MISS)
            continue
        start = targets.histories.offsets[targets.sequence[n]]
        history = targets.histories.item[start : start + targets.length[n]]
        row = table[int(history[-1])]
        candidates = [
            i for i in range(len(row)) if not (targets.drop_seen and i in history.tolist())
        ]
        own = float(row[targets.item[n]])
        together = [
            targets.item[m]
            for m in range(len(targets))
            if targets.sequence[m] == targets.sequence[n] and targets.time[m] == targets.time[n]
        ]
        left_out = together if not targets.same_instant_competes else [targets.item[n]]
        others = [float(row[i]) for i in candidates if i not in left_out]
        found.append(1 + len([s for s in others if not s < own]))
    return found


@pytest.mark.parametrize("drop_seen", [True, False])
@pytest.mark.parametrize(("scores", "places"), [(1, 1), (60, 7), (1 << 24, 1 << 16)])
def test_ranks_equal_the_naive_definition_whatever_the_block(
    drop_seen: bool, scores: int, places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "BLOCK_SCORES", scores)
    monkeypatch.setattr(ranking, "BLOCK_PLACES", places)
    rng = np.random.default_rng(0)
    histories = [rng.integers(0, 9, rng.integers(1, 12)).tolist() for _ in range(12)]
    asked = []
    for s, history in enumerate(histories):
        for length in sorted(rng.integers(1, len(history) + 1, 4)):
            unseen = sorted(set(range(9)) - set(history[:length])) or [UNKNOWN]
            asked.append((s, int(length), int(rng.choice([*unseen, UNKNOWN]))))
    targets = targets_of(histories, asked, drop_seen)
    table = torch.from_numpy(rng.integers(0, 4, (9, 9)).astype(np.float32))  # many ties
    found = Ranker(targets, 9, CPU).ranks(Fixed(table))
    assert found.tolist() == naive(targets, table)


@pytest.mark.parametrize("scores", [1, 60, 1 << 24])
@pytest.mark.parametrize("seed", range(4))
def test_courses_of_one_instant_are_no_wrong_answers_to_each_other(
    scores: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "BLOCK_SCORES", scores)
    rng = np.random.default_rng(seed)
    histories, asked, times = [], [], []
    for learner in range(6):
        histories.append(rng.integers(0, 9, 5).tolist())
        for moment in range(3):  # the third has the history of the second: nothing known between
            together = rng.choice(9, rng.integers(1, 5), replace=False)
            asked += [(learner, min(moment, 1) + 1, int(item)) for item in together]
            times += [moment] * len(together)
    targets = targets_of(histories, asked, times=times)
    table = torch.from_numpy(rng.integers(0, 4, (9, 9)).astype(np.float32))
    table[rng.random((9, 9)) < 0.1] = torch.nan
    assert Ranker(targets, 9, CPU).ranks(Fixed(table)).tolist() == naive(targets, table)


def test_two_courses_of_an_instant_can_both_rank_first() -> None:
    table = torch.tensor([[0.0, 3.0, 2.0]]).expand(3, -1)
    asked = [(0, 1, 1), (0, 1, 2)]
    assert Ranker(targets_of([[0]], asked), 3, CPU).ranks(Fixed(table)).tolist() == [1, 2]
    together = targets_of([[0]], asked, times=[7, 7])
    assert Ranker(together, 3, CPU).ranks(Fixed(table)).tolist() == [1, 1]


def test_ties_count_against_the_model() -> None:
    targets = targets_of([[0]], [(0, 1, 2)])
    assert Ranker(targets, 5, CPU).ranks(Fixed(torch.zeros(5, 5))).tolist() == [5]


def test_scores_that_are_not_numbers_count_against_the_model() -> None:
    table = torch.tensor([[0.0, torch.nan, 1.0], [0, 0, 0], [0, 0, 0]])
    targets = targets_of([[0]], [(0, 1, 2), (0, 1, 1)])
    assert Ranker(targets, 3, CPU).ranks(Fixed(table)).tolist() == [2, 3]


def test_a_target_that_training_does_not_know_is_a_miss() -> None:
    targets = targets_of([[0]], [(0, 1, UNKNOWN)])
    assert Ranker(targets, 3, CPU).ranks(Fixed(torch.zeros(3, 3))).tolist() == [MISS]


def test_one_course_in_the_catalogue_ranks_first() -> None:
    targets = targets_of([[0]], [(0, 1, 0)])
    assert Ranker(targets, 1, CPU).ranks(Fixed(torch.zeros(1, 1))).tolist() == [1]


@pytest.mark.parametrize("seen_places", [1, 7, 1 << 22])
@pytest.mark.parametrize("n_items", [4, 40])
def test_seen_courses_leave_the_candidates_however_long_a_history_is(
    n_items: int, seen_places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "SEEN_PLACES", seen_places)
    rng = np.random.default_rng(1)
    items = torch.from_numpy(rng.integers(0, n_items, (5, 9)))
    row, length = torch.tensor([0, 0, 1, 2, 4, 4]), torch.tensor([0, 3, 9, 1, 5, 9])
    histories = Histories(
        items=items,
        time=torch.zeros(5, 9, dtype=torch.int64),
        user_features=torch.zeros(5, 0),
        row=row,
        length=length,
    )
    makes_seen = torch.from_numpy(rng.random((5, 9)) < 0.5)
    for mask in (None, makes_seen):
        scores = torch.from_numpy(rng.random((6, n_items)).astype(np.float32))
        found = scores.clone()
        drop_seen(found, histories, mask)
        for n in range(6):
            of_row, size = int(row[n]), int(length[n])
            seen = {
                int(items[of_row, at])
                for at in range(size)
                if mask is None or bool(mask[of_row, at])
            }
            for item in range(n_items):
                want = -torch.inf if item in seen else float(scores[n, item])
                assert float(found[n, item]) == want


def test_counting_in_parts_changes_no_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    table = torch.from_numpy(rng.integers(0, 5, (9, 9)).astype(np.float32))
    targets = targets_of(
        [[0, 1, 2]] * 7, [(s, n, int(rng.integers(9))) for s in range(7) for n in (1, 2, 3)]
    )
    whole = Ranker(targets, 9, CPU).ranks(Fixed(table))
    assert whole.tolist() == naive(targets, table)
    for counted in (1, 2, 5):
        monkeypatch.setattr(ranking, "COUNTED", counted)
        assert Ranker(targets, 9, CPU).ranks(Fixed(table)).tolist() == whole.tolist()


def blocks(targets: Targets, n_items: int = 9) -> list[tuple[list[int], tuple[int, ...]]]:
    """Of each block its targets and the shape of its grid."""
    found = Ranker(targets, n_items, CPU)._blocks
    return [(block.at.tolist(), tuple(block.histories.items.shape)) for block in found]


def test_a_block_holds_histories_of_similar_length_up_to_so_many_scores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    histories = [[0] * 4, [1] * 1, [2] * 2, [3] * 3]
    asked = [(0, 4, 5), (1, 1, 5), (2, 2, 5), (2, 1, 5), (3, 3, UNKNOWN)]
    targets = targets_of(histories, asked)
    assert blocks(targets) == [([1, 3, 2, 0], (3, 4))]
    monkeypatch.setattr(ranking, "BLOCK_SCORES", 27)  # three targets of nine courses each
    assert blocks(targets) == [([1, 3, 2], (2, 2)), ([0], (1, 4))]
    monkeypatch.setattr(ranking, "BLOCK_SCORES", 1)
    assert blocks(targets) == [([1], (1, 1)), ([3], (1, 1)), ([2], (1, 2)), ([0], (1, 4))]


def test_a_block_encodes_no_more_places_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    histories = [[0] * 2, [1] * 2, [2] * 4, [3] * 5]
    targets = targets_of(histories, [(s, len(h), 5) for s, h in enumerate(histories)])
    for places, sizes in (
        (4, [(2, 2), (1, 4), (1, 5)]),
        (5, [(2, 2), (1, 4), (1, 5)]),
        (12, [(3, 4), (1, 5)]),
        (19, [(3, 4), (1, 5)]),
        (20, [(4, 5)]),
        (1, [(1, 2), (1, 2), (1, 4), (1, 5)]),
    ):
        monkeypatch.setattr(ranking, "BLOCK_PLACES", places)
        assert [shape for _, shape in blocks(targets)] == sizes


def test_an_instant_is_never_divided_among_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "BLOCK_SCORES", 2 * 9)
    asked = [(0, 1, 2), (0, 1, 3), (0, 1, 4), (0, 2, 5), (1, 1, 2), (1, 1, 6)]
    targets = targets_of([[0, 1], [1]], asked, times=[1, 1, 1, 2, 1, 1])
    assert [at for at, _ in blocks(targets)] == [[4, 5], [0, 1, 2], [3]]
    other = targets_of([[0, 1]], [(0, 1, 2), (0, 2, 3), (0, 2, 4)], times=[1, 2, 2])
    assert [at for at, _ in blocks(other)] == [[0], [1, 2]]


def test_what_a_block_says_of_its_queries() -> None:
    targets = targets_of(
        [[3, 4, 5], [6]], [(0, 2, 7), (0, 2, 8), (0, 3, 1), (1, 1, 2)], times=[1, 1, 2, 1]
    )
    events = np.arange(8, dtype=np.float32).reshape(4, 2)
    histories = replace(
        targets.histories, event_features=events, kind=np.array([0, 1, 0, 1], np.int8)
    )
    ((block,),) = [Ranker(replace(targets, histories=histories, seen_kinds=(1,)), 9, CPU)._blocks]
    # By the length of the longest history: the second learner's first.
    assert block.at.tolist() == [3, 0, 1, 2]
    assert block.target.tolist() == [2, 7, 8, 1]
    assert block.query.tolist() == [0, 1, 1, 2]
    assert block.histories.row.tolist() == [1, 0, 0]
    assert block.histories.length.tolist() == [1, 2, 3]
    assert block.histories.items[0].tolist() == [3, 4, 5]
    assert int(block.histories.items[1, 0]) == 6
    assert block.histories.time is not None
    assert block.histories.time[0].tolist() == [0, 1, 2]
    assert block.histories.event_features is not None
    assert block.histories.event_features[0].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert block.makes_seen is not None
    assert block.makes_seen[0].tolist() == [False, True, False]
    assert block.instant.tolist() == [1, 2, 2, 3]
