"""`popularity` against counts by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from families import CPU, FAMILIES, asked
from pydantic import ValidationError
from worlds import training_of

from recsweep.data.clock import DAY
from recsweep.data.types import KINDS
from recsweep.models.families.popularity import PopularityConfig
from recsweep.models.protocol import Context, Recommender


def fitted(config: dict[str, object], *kinds: str) -> Recommender:
    """Courses 0, 1, 1, 2 and 0 on days 0, 4, 6, 2 and 3, of these types."""
    training = training_of([[0, 1, 1], [2, 0]], 4)
    kind = np.array([KINDS.index(kind) for kind in kinds or ["browse"] * 5], np.int8)
    time = np.array([0, 4, 6, 2, 3]) * DAY
    training = replace(training, sequences=replace(training.sequences, time=time, kind=kind))
    model: Recommender = FAMILIES["popularity"].model(config, Context(training, 0, CPU, "fp32"))
    model.fit_epoch()
    return model


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, [2, 2, 1, 0]),
        ({"fading": "time", "half_life_days": 2}, [2**-3 + 2**-1.5, 2**-1 + 1, 2**-2, 0]),
        # Purchases weigh as much as four events, over the mean: 1, 4, 1, 1, 1 of 8 / 5.
        ({"weight_purchase": 4}, [2 / 1.6, 5 / 1.6, 1 / 1.6, 0]),
        (
            {"weight_purchase": 4, "fading": "time", "half_life_days": 2},
            [(2**-3 + 2**-1.5) / 1.6, (4 * 2**-1 + 1) / 1.6, 2**-2 / 1.6, 0],
        ),
    ],
)
def test_an_event_weighs_half_for_every_half_life_before_the_last_of_all_times_its_type(
    config: dict[str, object], expected: list[float]
) -> None:
    model = fitted(config, "browse", "purchase", "browse", "browse", "browse")
    found = model.score(asked([1], [2, 3]))
    torch.testing.assert_close(found, torch.tensor([expected] * 2, dtype=torch.float32))
    found.zero_()  # whoever asks may write into the answer
    assert model.score(asked([1])).any()


def test_fading_by_time_needs_a_half_life() -> None:
    assert PopularityConfig().half_life_days is None
    with pytest.raises(ValidationError, match="fading time needs half_life_days"):
        PopularityConfig(fading="time")


def test_a_state_is_all_that_scores_need_and_a_copy() -> None:
    model, training = fitted({}), training_of([[0, 3]])
    other = FAMILIES["popularity"].model({}, Context(training, 0, CPU, "fp32"))
    assert other.score(asked([1])).tolist() == [[0, 0, 0, 0]]
    other.load_state(model.state())
    assert other.score(asked([1])).tolist() == [[2, 2, 1, 0]]
    model.state()["counts"].zero_()
    assert model.score(asked([1])).tolist() == [[2, 2, 1, 0]]
