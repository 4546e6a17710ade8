"""An ensemble of models that say what they are told to."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from families import CPU, asked
from numpy.testing import assert_allclose
from pydantic import ValidationError
from torch import Tensor
from worlds import training_of

from recsweep.config.schema import NEXT_ITEM, PURCHASE, TEXT, UPLIFT
from recsweep.models.families import ensemble
from recsweep.models.families.ensemble import VOTES, EnsembleConfig, reciprocal_ranks
from recsweep.models.family import Build
from recsweep.models.protocol import Context, FamilyConfig, Recommender
from recsweep.models.registry import family
from recsweep.models.text.texts import texts_of
from recsweep.testing.text_worlds import text_world


class Said(FamilyConfig):
    """What a stand-in answers, and the losses of its epochs."""

    answer: str = "0"
    losses: str = "none"
    order: bool = False


class Told:
    """Answers the same whatever it is asked."""

    def __init__(self, config: Said, context: Context) -> None:
        self.context, self.epochs = context, 0
        self.answer = torch.tensor([float(x) for x in config.answer.split()])
        self._losses = config.losses.split()

    def fit_epoch(self) -> float | None:
        loss = self._losses[min(self.epochs, len(self._losses) - 1)]
        self.epochs += 1
        return None if loss == "none" else float(loss)

    def state(self) -> dict[str, Tensor]:
        return {"classes": torch.tensor([7]), "of/it": self.answer.clone()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        assert [*state] == ["classes", "of/it"]
        self.answer = state["of/it"]

    def score(self, asked: object) -> Tensor:
        return self.answer[None]

    def probability(self, book: object) -> np.ndarray:
        return self.answer.numpy()

    probabilities = uplift = probability


SPOKEN = {
    "long": Build(Said, Told, reads_order=lambda config: config.order),
    "short": Build(Said, Told, epochs=2, reads_order=False),
}


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "families_of", lambda task: SPOKEN)


def member(
    answer: str = "0", weight: int = 1, kind: str = "long", epochs: int = 1, **config: object
) -> dict[str, object]:
    return {
        "trial": "t", "kind": kind, "config": {"answer": answer, **config}, "epochs": epochs,
        "weight": weight, "seed_offset": 1000 * weight,
    }  # fmt: skip


def model_of(task: str, *members: dict[str, object]) -> Any:
    context = Context(training_of([[0, 2]], 3), 5, CPU, "fp32")
    return family("ensemble").tasks[task].model({"members": members}, context)


def test_a_votes_size_is_that_of_the_array_that_is_kept_of_a_target() -> None:
    training = training_of([[0, 2]], n_items=3)
    assert VOTES[NEXT_ITEM].size(training) == np.zeros(3, np.float32).nbytes
    assert VOTES[PURCHASE].size(training) == VOTES[UPLIFT].size(training) == np.zeros(1).nbytes
    texts = text_world("text").training
    assert VOTES[TEXT].size(texts) == np.zeros(len(texts_of(texts).classes)).nbytes == 16


def test_what_is_kept_of_an_answer_comes_back_as_it_was() -> None:
    for task, vote in VOTES.items():
        answer = torch.tensor([[0.5, 0.25]]) if task == NEXT_ITEM else np.array([0.5, 0.25])
        kept = vote.kept(answer)
        assert isinstance(kept, np.ndarray)
        assert type(vote.given(kept)) is type(answer)
        assert np.array_equal(vote.given(kept), answer)


def test_floors_of_uplift_are_not_of_the_others_scale() -> None:
    joins = VOTES[UPLIFT].joins
    found = {
        name: joins(family(name).tasks[UPLIFT])
        for name in ("gru", "logistic_regression", "treat_all", "predicted_outcome")
    }
    assert [*found.values()] == [True, True, False, False]
    assert VOTES[PURCHASE].joins(family("base_rate").tasks[PURCHASE])


@pytest.mark.parametrize(
    ("scores", "ranks"),
    [
        ("3 1 2", [1, 3, 2]),
        ("1 2 2 0", [3, 2, 2, 4]),  # of equals each has the worst rank
        ("0 0 0", [3, 3, 3]),
        ("nan 1 -inf inf", [4, 2, 4, 1]),  # what is no number is last
    ],
)
def test_a_vote_is_the_inverse_of_sixty_and_the_rank(scores: str, ranks: list[int]) -> None:
    model = Told(Said(answer=scores), Context(training_of([[0]]), 0, CPU, "fp32"))
    found = reciprocal_ranks(model, asked([0]))
    assert found.dtype == torch.float32
    assert_allclose(found[0], [1 / (60 + rank) for rank in ranks], rtol=1e-6)


def test_courses_are_ranked_by_the_weighted_mean_of_reciprocal_ranks() -> None:
    model: Recommender = model_of(NEXT_ITEM, member("9 8 7", 3), member("0 1 2", 1))
    expected = [3 / 61 + 1 / 63, 3 / 62 + 1 / 62, 3 / 63 + 1 / 61]
    assert_allclose(model.score(asked([0]))[0], np.array(expected) / 4, rtol=1e-6)


@pytest.mark.parametrize(
    ("task", "ask"), [(PURCHASE, "probability"), (TEXT, "probabilities"), (UPLIFT, "uplift")]
)
def test_other_answers_are_averaged_as_they_are(task: str, ask: str) -> None:
    model = model_of(task, member("0.2 0.8", 3), member("0.6 0.4", 2))
    assert_allclose(getattr(model, ask)(None), [(0.6 + 1.2) / 5, (2.4 + 0.8) / 5], rtol=1e-6)


def test_a_member_is_trained_as_its_trial_was_and_no_longer_than_its_family_is() -> None:
    members = [member(weight=1, epochs=3), member(weight=2, kind="short", epochs=5), member()]
    model = model_of(PURCHASE, *members)
    assert [each.context.seed for each in model.models] == [1005, 2005, 1005]
    trained = []
    for _ in range(4):
        model.fit_epoch()
        trained.append([each.epochs for each in model.models])
    assert trained == [[1, 1, 1], [2, 2, 1], [3, 2, 1], [3, 2, 1]]


def test_a_loss_is_told_only_if_it_is_no_finite_number() -> None:
    fine, ill = member(losses="0.5", epochs=3), member(losses="none nan inf", epochs=3)
    model = model_of(PURCHASE, fine, ill, fine)
    losses = [model.fit_epoch() for _ in range(3)]
    assert losses[0] is None
    assert math.isnan(losses[1])
    assert losses[2] == math.inf


def test_members_states_lie_side_by_side_and_go_back_to_whose_they_are() -> None:
    members = [member(str(n)) for n in range(11)]  # more than one digit
    state = model_of(PURCHASE, *members).state()
    assert [*state][:3] == ["0/classes", "0/of/it", "1/classes"]
    other = model_of(PURCHASE, *[member()] * 11)
    other.load_state(state)
    assert [float(each.answer) for each in other.models] == [*range(11)]


def test_of_texts_the_labels_that_all_know_are_told_once_more() -> None:
    model = model_of(TEXT, member("0.5"), member("0.5"))
    state = model.state()
    assert state["classes"].tolist() == [7]
    assert state["classes"].data_ptr() != state["0/classes"].data_ptr()
    assert len(state) == 5
    model.load_state(state)


@pytest.mark.parametrize(("first", "second"), [(True, True), (True, False), (False, False)])
def test_it_reads_order_if_any_member_does(first: bool, second: bool) -> None:
    config = {"members": [member(order=first), member(kind="short"), member(order=second)]}
    assert family("ensemble").tasks[NEXT_ITEM].sees_order(config) is first


def test_nobody_is_no_ensemble() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        EnsembleConfig(members=())
