import numpy as np
from worlds import training_of

from recsweep.config.schema import NEXT_ITEM, PURCHASE, UPLIFT
from recsweep.models.families.ensemble import VOTES


def test_a_votes_size_is_that_of_the_array_that_is_kept_of_a_target() -> None:
    training = training_of([[0, 2]], n_items=3)
    assert VOTES[NEXT_ITEM].size(training) == np.zeros(3, np.float32).nbytes
    assert VOTES[PURCHASE].size(training) == VOTES[UPLIFT].size(training) == np.zeros(1).nbytes
