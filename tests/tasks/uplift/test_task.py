"""What the task says of its models' training."""

from math import ceil

from treatments import treated_log, uplift_fold

from recsweep.models.cases import examples_of, labels_of
from recsweep.models.uplift import treatments_of
from recsweep.tasks.uplift.task import TASK


def test_an_epoch_has_the_steps_of_every_model_that_a_meta_learner_trains() -> None:
    training = uplift_fold(treated_log(0)).training
    examples = examples_of(training)
    treated = treatments_of(labels_of(examples)).treated.tolist()
    pairs = list(zip(examples.sequence.tolist(), treated, strict=True))
    arms = [len({learner for learner, of in pairs if of is arm}) for arm in (True, False)]
    assert 0 < arms[0] != arms[1] > 0
    assert TASK.steps({"batch_size": 4, "meta_learner": "t"}, training) == sum(
        ceil(arm / 4) for arm in arms
    )
    every = ceil(len(training.sequences) / 4)
    assert TASK.steps({"batch_size": 4, "meta_learner": "s"}, training) == every
    assert TASK.steps({"trees": 9}, training) is None
