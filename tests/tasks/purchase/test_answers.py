"""Who would buy which course: every answer stands at its own learner and course."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
import torch
from known import known_of
from scipy.special import expit, logit
from torch import Tensor
from worlds import dataset_of, events_of

from recsweep.data.before_cut import rows_of
from recsweep.data.clock import DAY
from recsweep.data.features.dated import DatedTable
from recsweep.data.features.events import EventEncoder
from recsweep.data.features.fit import fit_features
from recsweep.data.types import BOUGHT, UNKNOWN, Float64, Targets
from recsweep.evaluation.probability import Calibrator
from recsweep.models.cases import CaseBook, labels_of
from recsweep.tasks.asked import Asked, Known
from recsweep.tasks.purchase import answers as module
from recsweep.tasks.purchase.answers import (
    answers,
    answers_to_looks,
    answers_to_rows,
    row_answers,
)
from recsweep.testing.worlds import CUT, whole_world, world


@cache
def known() -> tuple[Known, Asked]:
    """What was learned by day 60, and learners of any length of history who are asked then."""
    split = whole_world("purchase", {})
    found, index = known_of(split, CUT * DAY, world("purchase", {}).training)
    events = split.dataset.development
    rows = np.flatnonzero((events.time < CUT * DAY) & (events.user < 9) & (events.user != 4))
    mine = rows_of(events, rows)
    shorter = np.arange(len(rows)) % 9 >= mine.user  # fewer and fewer events
    asked = Asked(
        user=np.arange(9, dtype=np.int32),
        events=rows_of(mine, shorter),
        index=index[rows][shorter],
        moment=CUT * DAY + np.arange(9),
        courses=np.array([0, 2, 3, 5, 6]),
    )
    return found, asked


def told(examples: Targets, width: int | None = None) -> Float64:
    """What stands in an example: its course, its time, and the sum of its history."""
    histories, found = examples.histories, []
    for n in range(len(examples)):
        start = histories.offsets[examples.sequence[n]]
        history = slice(start, start + examples.length[n])
        held = int(histories.item[history].sum()) + len(histories.item[history])
        assert int(histories.user[examples.sequence[n]]) == (examples.time[n] - CUT * DAY)
        found.append(1000.0 * examples.item[n] + held + (examples.time[n] - CUT * DAY) / 100)
    assert width is not None
    assert width >= examples.length.max()
    return np.array(found)


def expected(asked: Asked, n_items: int) -> Float64:
    found = np.full((len(asked.user), n_items), -np.inf)
    for n, user in enumerate(asked.user):
        mine = (asked.events.user == user) & (asked.index != UNKNOWN)
        for course in asked.courses:
            if ((asked.index == course) & mine & (asked.events.kind == BOUGHT)).any():
                continue
            found[n, course] = 1000.0 * course + asked.index[mine].sum() + mine.sum() + n / 100
    return found


@pytest.mark.parametrize(("learners", "courses"), [(16, 64), (2, 2), (1, 3), (4, 5)])
def test_an_answer_stands_at_its_learner_and_course_whatever_the_blocks(
    learners: int, courses: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEARNERS", learners)
    monkeypatch.setattr(module, "COURSES", courses)
    of_training, asked = known()
    ((at, found),) = answers_to_looks(asked, of_training, told)
    want = expected(asked, len(of_training.items))
    assert at.tolist() == list(range(9))
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found.numpy(), want)
    assert np.isneginf(want[:, [0, 2, 3, 5, 6]]).any()  # somebody has bought one of them
    assert np.isneginf(want[:, [1, 4]]).all()


def test_a_purchase_of_a_course_beyond_the_catalogue_takes_none_out() -> None:
    of_training, asked = known()
    events = replace(asked.events, kind=np.full(len(asked.events), BOUGHT, np.int8))
    unknown = replace(asked, events=events, index=np.full(len(asked.index), UNKNOWN, np.int32))
    ((_, found),) = answers_to_looks(unknown, of_training, told)
    assert torch.isfinite(found[:, asked.courses]).all()


def test_what_is_read_of_a_look_is_what_was_known_just_before_it() -> None:
    of_training, asked = known()
    seen: list[Targets] = []

    def say(examples: Targets, width: int | None = None) -> Float64:
        seen.append(examples)
        return np.zeros(len(examples))

    one = asked.of_learner(2)
    assert len(one.events) > 3
    list(answers_to_looks(one, of_training, say))
    (examples,) = seen
    labels = labels_of(examples)
    assert examples.histories.event_features is not None
    assert len(examples.histories.event_features) == len(examples.histories.item)
    assert examples.kind is None
    events = labels.columns.index("history: browse events")
    looks = (one.events.kind == 0).sum()
    assert labels.inputs[:5, events] == pytest.approx(np.log1p(looks))
    assert not labels.bought.any()
    at = labels.columns.index("course: events")
    assert labels.inputs[:5, at] == pytest.approx(np.log1p(of_training.counts[one.courses]))


@pytest.mark.parametrize("dated", [True, False])
def test_features_of_courses_and_events_go_with_every_history_where_there_are_any(
    dated: bool,
) -> None:
    of_training, asked = known()
    encoder = of_training.encoder
    if not dated:
        table = encoder.of_items.known
        undated = DatedTable(table.table, table.ids)
        of_items = replace(encoder.of_items, known=undated)
        encoder = replace(encoder, of_items=of_items, of_events=EventEncoder())
    seen: list[Targets] = []

    def say(examples: Targets, width: int | None = None) -> Float64:
        seen.append(examples)
        return np.zeros(len(examples))

    list(answers_to_looks(asked, replace(of_training, encoder=encoder), say))
    for examples in seen:
        histories = examples.histories
        assert histories.offsets[-1] == len(histories.item)
        if not dated:
            assert histories.item_features is histories.event_features is None
            continue
        codes = of_training.items[histories.item]
        want = encoder.items(codes, histories.time - 1)
        np.testing.assert_array_equal(histories.item_features, want)
        assert histories.event_features is not None
        assert len(histories.event_features) == len(histories.item)


class Stub:
    """A classifier that says so much of a course: the higher its code, the more."""

    def fit_epoch(self) -> None:
        """Nothing to fit."""

    def probability(self, book: CaseBook) -> Float64:
        assert book.device == torch.device("cpu")
        return (book.targets.item + 1) / 20

    def state(self) -> dict[str, Tensor]:
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Nothing to load."""


def test_answers_are_a_models_probabilities_after_the_studys_calibrator() -> None:
    of_training, asked = known()
    platt = Calibrator("platt", x=(2.0,), y=(0.5,))
    ((_, found),) = answers(Stub(), asked, replace(of_training, calibrator=platt))
    want = np.tile(expit(2 * logit((np.arange(len(of_training.items)) + 1) / 20) + 0.5), (9, 1))
    want[np.isneginf(expected(asked, len(of_training.items)))] = -np.inf
    np.testing.assert_allclose(found.numpy(), want)
    rows = row_answers(Stub(), replace(rows_known(3), calibrator=platt))
    np.testing.assert_allclose(rows, [expit(2 * logit(1 / 20) + 0.5)] * 3)


def rows_known(n: int) -> Known:
    """A plain table of n learners; the age of each is its number."""
    dataset = replace(
        dataset_of(events_of([(u, 0, 0) for u in range(n)])),
        users=pl.DataFrame({"_id": [f"u{k}" for k in range(n)], "age": np.arange(n) * 1.0}),
    )
    none = np.zeros(0, np.int32)
    encoder = fit_features(dataset, None, np.arange(n, dtype=np.int32), none, cut=1)
    return replace(known()[0], encoder=encoder)


@pytest.mark.parametrize(("n", "block"), [(7, 3), (6, 3), (2, 4), (5, 8)])
def test_each_row_of_a_table_is_an_example_by_itself_in_blocks_of_one_shape(
    n: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS", block)
    of = rows_known(n)
    sizes = []

    def say(examples: Targets, width: int | None = None) -> Float64:
        sizes.append(len(examples))
        assert not examples.length.any()
        assert not examples.item.any()
        assert examples.kind is None
        return labels_of(examples).inputs[:, 0].astype(np.float64)

    found = answers_to_rows(of, say)
    ages = np.arange(n) * 1.0
    np.testing.assert_allclose(found, (ages - ages.mean()) / ages.std(), rtol=1e-6)
    assert sizes == [block] * -(-n // block)
