import numpy as np
import pytest
import torch
from families import CPU, FAMILIES, asked
from pydantic import ValidationError
from worlds import training_of

from recsweep.data.clock import DAY
from recsweep.models.families.popularity import PopularityConfig
from recsweep.models.protocol import Context


def test_an_event_weighs_half_for_every_half_life_before_the_last_of_all() -> None:
    training = training_of([[0, 1, 1], [2, 0]], 4)
    training.sequences.time[:] = np.array([0, 4, 6, 2, 3]) * DAY
    config = {"fading": "time", "half_life_days": 2}
    model = FAMILIES["popularity"].model(config, Context(training, 0, CPU, "fp32"))
    model.fit_epoch()
    expected = [2**-3 + 2**-1.5, 2**-1 + 1, 2**-2, 0]
    torch.testing.assert_close(model.score(asked([1], [2, 3])), torch.tensor([expected] * 2))


def test_fading_by_time_needs_a_half_life() -> None:
    assert PopularityConfig().half_life_days is None
    with pytest.raises(ValidationError, match="fading time needs half_life_days"):
        PopularityConfig(fading="time")
