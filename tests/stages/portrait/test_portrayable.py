"""Which family is portrayed, and which portraits are of what is selected now."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from worlds import experiment_of

from recsweep.errors import BadInput
from recsweep.stages.portrait import portrayable
from recsweep.stages.portrait.portrayable import current_portraits, portrayed_family

NDCG, LOG_LOSS = {"name": "ndcg"}, {"name": "log_loss"}


def portrayed(values: dict[str, float], asked: str | None, **changes: object) -> str:
    """Of a study in which a family has the name of its kind, and a number if it is a second; a
    family that is called ensemble is a GRU.
    """
    study = SimpleNamespace(experiment=experiment_of(**changes))
    chosen = {
        name: SimpleNamespace(kind="gru" if name == "ensemble" else name.rstrip("2"), value=v)
        for name, v in values.items()
    }
    selection = SimpleNamespace(families=chosen)
    return portrayed_family(cast(Any, study), cast(Any, selection), asked)


ALL = {"gru": 0.2, "lstm": 0.3, "gru2": 0.1, "matrix_factorization": 0.9, "popularity": 1.0}


def test_the_best_network_is_portrayed_and_no_other_family_that_is_better() -> None:
    assert portrayed(ALL, None) == "lstm"
    losses = {"gru": 0.2, "lstm": 0.3, "gru2": 0.1, "base_rate": 0.05}
    assert portrayed(losses, None, task="purchase", metric=LOG_LOSS) == "gru2"


@pytest.mark.parametrize("asked", ["gru", "gru2", "matrix_factorization", "ensemble"])
def test_any_family_with_a_state_of_a_learner_is_portrayed_where_it_is_asked_for(
    asked: str,
) -> None:
    assert portrayed(ALL | {"ensemble": 0.1}, asked) == asked


@pytest.mark.parametrize(
    ("families", "asked", "problem"),
    [
        (ALL, "grru", r"--family grru: the study has no such family; did you mean 'gru'\?"),
        (ALL, "ensemble", "many models, which share no state of a learner to portray; allo"),
        (ALL, "popularity", "no state of a learner to portray; allowed: gru, lstm, gru2, matrix"),
        ({"popularity": 1.0}, "popularity", "allowed: none of this study"),
        ({"popularity": 1.0, "matrix_factorization": 0.9}, None,
         "no network to portray; choose with --family: matrix_factorization"),
        ({"popularity": 1.0}, None, "none of the study's families has a state of a learner"),
    ],
)  # fmt: skip
def test_what_cannot_be_portrayed_is_refused_with_what_can(
    families: dict[str, float], asked: str | None, problem: str
) -> None:
    with pytest.raises(BadInput, match=problem):
        portrayed(families, asked)


def test_portraits_of_what_is_selected_are_kept_in_order_and_others_left_out_with_a_word(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    portraits = {"b": "b now", "c": "c before", "d": "d now"}
    monkeypatch.setattr(portrayable, "read_portrait", lambda _, name: portraits.get(name))
    monkeypatch.setattr(portrayable, "Opened", SimpleNamespace(of=lambda portrait: portrait))
    selection = SimpleNamespace(opened={name: f"{name} now" for name in "dabc"})
    found: object = current_portraits(cast(Any, selection), Path("results/x"))
    assert found == ["d now", "b now"]
    [warning] = caplog.messages
    assert "is of an earlier selection; recsweep portrait results/x --family c renews" in warning
