"""A model that is asked outside of a study says what it says of a study's targets."""

import numpy as np
import pytest
import torch

from recsweep.data.before_cut import learn, rows_of
from recsweep.data.types import UNKNOWN
from recsweep.evaluation.probability import Calibrator
from recsweep.models.registry import families
from recsweep.tasks.asked import Asked, Known
from recsweep.tasks.folds import make_fold
from recsweep.tasks.registry import TASKS
from recsweep.testing import cases_of
from recsweep.testing.worlds import whole_world

DAY = 86_400_000_000  # microseconds
CUT, END = 60 * DAY, 100 * DAY


@pytest.mark.parametrize(
    ("task", "family"),
    [
        ("next_item", "gru"),
        ("next_item", "markov"),
        ("purchase", "gru"),
        ("purchase", "logistic_regression"),
    ],
)
def test_answers_are_those_of_the_studys_own_scorer(task: str, family: str) -> None:
    split = whole_world(task, {})
    dataset, experiment = split.dataset, split.experiment
    events = dataset.development
    fold = make_fold("fold0", events, (CUT, END), dataset, experiment)
    model = next(cases_of(families()[family], task)).fitted(fold)
    cpu = torch.device("cpu")
    expected = TASKS[task].scorer(fold.validation, fold.n_items, cpu).outcomes(model)
    before = events.time < CUT
    learned = learn(events, before, CUT, dataset, experiment)
    in_catalogue = learned.index[before & (learned.index != UNKNOWN)]
    known = Known(
        experiment=experiment,
        training=fold.training,
        encoder=learned.encoder,
        items=learned.items,
        counts=np.bincount(in_catalogue, minlength=len(learned.items)),
        kinds=tuple(np.unique(events.kind[before]).tolist()),
        cut=CUT,
        calibrator=Calibrator(),
    )
    ask, targets = TASKS[task].answers, fold.validation
    assert ask is not None
    asked = 0
    for n in range(0, len(targets), 7):
        user, item, time = (
            targets.histories.user[targets.sequence[n]],
            targets.item[n],
            targets.time,
        )
        if item == UNKNOWN:
            continue
        rows = np.flatnonzero((events.user == user) & (events.time < time[n]))
        question = Asked(
            user=np.array([user], np.int32),
            events=rows_of(events, rows),
            index=learned.index[rows],
            moment=time[n : n + 1],
            courses=np.arange(len(learned.items)),
        )
        ((at, scores),) = ask(model, question, known)
        assert at.tolist() == [0]
        own = scores[0, item]
        if own == -torch.inf:  # bought before: no question, and no target of a study
            continue
        if task == "purchase":
            assert float(own) == pytest.approx(expected[n], rel=1e-5)
        else:
            together = (targets.sequence == targets.sequence[n]) & (time == time[n])
            others = targets.item[together & (targets.item != item)]
            not_below = scores[0] >= own - 1e-6
            not_below[torch.from_numpy(others[others != UNKNOWN]).long()] = False
            assert int(not_below.sum()) == expected[n]
        asked += 1
    assert asked > 5
