"""The contract catches each way to break it, and nothing else."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from recsweep.data.types import UNKNOWN, Float32, Sequences
from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context, FamilyConfig, Histories
from recsweep.models.registry import families
from recsweep.tasks.registry import TASKS
from recsweep.testing import Case, check_family, checks
from recsweep.testing.worlds import smallest_world, world


class LastCourse:
    """Courses by how often they came, the last one of the history on top."""

    def __init__(self, config: FamilyConfig, context: Context) -> None:
        self.training, self.seed = context.training, context.seed
        self.counts = torch.zeros(self.training.n_items)

    def fit_epoch(self) -> None:
        counts = np.bincount(self.training.sequences.item, minlength=self.training.n_items)
        self.counts = torch.from_numpy(counts).float()

    def score(self, histories: Histories) -> Tensor:
        return self.counts + 100.0 * self.top(histories)

    def top(self, histories: Histories) -> Tensor:
        last = histories.items[histories.row, histories.length - 1]
        return torch.nn.functional.one_hot(last, len(self.counts)).float()

    def state(self) -> dict[str, Tensor]:
        return {"counts": self.counts.clone()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        self.counts = state["counts"]


class Infinite(LastCourse):
    def score(self, histories: Histories) -> Tensor:
        return super().score(histories).log()


class Forgets(LastCourse):
    def load_state(self, state: Mapping[str, Tensor]) -> None:
        pass


class Shares(LastCourse):
    def state(self) -> dict[str, Tensor]:
        return {"counts": self.counts}

    def fit_epoch(self) -> None:
        self.counts += 1


class Draws(LastCourse):
    def fit_epoch(self) -> None:
        super().fit_epoch()
        self.counts += np.random.default_rng(self.seed).random()


class DrawsFromTheWorld(LastCourse):
    def fit_epoch(self) -> None:
        super().fit_epoch()
        self.counts += torch.rand(1)


class Peeks(LastCourse):
    def top(self, histories: Histories) -> Tensor:
        last = histories.items[histories.row, -1]
        return torch.nn.functional.one_hot(last, len(self.counts)).float()


class Compares(LastCourse):
    def top(self, histories: Histories) -> Tensor:
        return super().top(histories) * (len(histories.row) > 1)


class ReadsColumns(LastCourse):
    def fit_epoch(self) -> None:
        super().fit_epoch()
        self.counts += self.training.item_features.shape[1]


class NeedsTwoCourses(LastCourse):
    def fit_epoch(self) -> None:
        super().fit_epoch()
        self.counts /= self.counts.std(correction=0)


class HasVectors(LastCourse):
    def learner_vectors(self, histories: Sequences) -> Float32:
        return np.zeros((len(histories), 1), np.float32)


class ResumesWrongly(LastCourse):
    epoch = 0

    def fit_epoch(self) -> None:
        self.epoch += 1
        self.counts += self.epoch

    def checkpoint(self) -> dict[str, Tensor]:
        return self.state()

    def restore(self, checkpoint: Mapping[str, Tensor]) -> None:
        self.load_state(checkpoint)


GOOD: Build[FamilyConfig, LastCourse] = Build(FamilyConfig, LastCourse, epochs=1, random=False)


def cases_with(build: Build[FamilyConfig, LastCourse]) -> tuple[Family, list[Case]]:
    family = Family("last", "floor", {"next_item": build})
    return family, [Case(family, "next_item", {})]


def failing(build: Build[FamilyConfig, LastCourse]) -> set[str]:
    found = set()
    for check in checks(*cases_with(build)):
        try:
            check()
        except AssertionError:
            found.add(check.claim.__name__)
    return found


def test_a_family_that_keeps_the_contract_passes() -> None:
    assert failing(GOOD) == set()
    check_family(*cases_with(GOOD))


@pytest.mark.parametrize(
    ("build", "claim"),
    [
        (replace(GOOD, build=Infinite), "answers_are_finite_and_one_for_each_target"),
        (replace(GOOD, build=Forgets), "a_loaded_state_answers_as_the_saved_model_did"),
        (replace(GOOD, build=Shares), "a_loaded_state_answers_as_the_saved_model_did"),
        (replace(GOOD, build=Draws), "without_chance_every_seed_gives_the_same_model"),
        (replace(GOOD, build=DrawsFromTheWorld), "a_seed_gives_one_model_whatever_happens_around"),
        (replace(GOOD, build=Peeks), "nothing_past_a_targets_length_reaches_its_answer"),
        (replace(GOOD, build=Compares), "an_answer_is_the_same_alone_and_in_company"),
        (replace(GOOD, build=ReadsColumns), "columns_reach_no_family_that_uses_none"),
        (replace(GOOD, build=NeedsTwoCourses), "the_smallest_world_is_enough"),
        (replace(GOOD, build=HasVectors), "a_state_of_a_learner_is_there_where_it_is_said"),
        (replace(GOOD, portrays=True), "a_state_of_a_learner_is_there_where_it_is_said"),
        (replace(GOOD, reads_order=False), "order_reaches_answers_exactly_where_it_is_said_to"),
        (
            replace(GOOD, build=ResumesWrongly, epochs=None),
            "a_restored_checkpoint_goes_on_bit_for_bit",
        ),
    ],
    ids=lambda value: value.build.__name__ if isinstance(value, Build) else "",
)
def test_each_breach_is_caught(build: Build[FamilyConfig, LastCourse], claim: str) -> None:
    assert any(name.startswith(claim) for name in failing(build))


def test_a_breach_is_named_with_its_case() -> None:
    with pytest.raises(AssertionError) as error:
        check_family(*cases_with(replace(GOOD, portrays=True)))
    assert error.value.__notes__ == [
        "last next_item given: a state of a learner is there where it is said to be"
    ]


@pytest.mark.parametrize("task", sorted({task for f in families().values() for task in f.tasks}))
def test_the_worlds_hold_what_is_hard(task: str) -> None:
    fold = world(task, {})
    targets, histories = fold.validation, fold.validation.histories
    assert len(targets) > len(histories) > 10  # several targets a learner
    if not len(histories.item):
        return  # rows of a table: nothing happened before
    assert ((targets.item == UNKNOWN) | (targets.item >= fold.training.n_known)).any()
    same = (np.diff(histories.time) == 0) & (
        np.diff(np.repeat(histories.user, np.diff(histories.offsets))) == 0
    )
    assert same.any()  # events of one moment
    assert fold.training.item_features.shape[1] > 1
    assert fold.training.event_columns
    assert world(task, {}, features=False).training.item_features.shape[1] == 0
    assert smallest_world(task, {}).n_items == 1
    assert TASKS[task].name == task
