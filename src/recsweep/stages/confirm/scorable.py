"""Can the sealed test be scored at all? Asked before a search, and before an opening is booked.

It lays out what would be asked of the test, with no features and no model, and keeps nothing of it:
the answer is no word, or one line of counts on why not.
"""

from recsweep.config.schema import Experiment
from recsweep.data.sealed import unseal
from recsweep.data.types import Dataset
from recsweep.errors import BadInput
from recsweep.tasks.folds import make_fold
from recsweep.tasks.support import without_features
from recsweep.tasks.task import TEST


def check_test(dataset: Dataset, experiment: Experiment) -> None:
    """Refuse data whose sealed test would say nothing.

    Raises:
        BadInput: nothing in it can be predicted, it has one answer only, or one learner; or
            development has nothing to train on.
    """
    whole = unseal(dataset)
    fold = make_fold(TEST, whole.development, whole.cuts.test, whole, without_features(experiment))
    if len(fold.validation.histories) < 2:
        alone = experiment.folds.rule == "leave_one_out"  # which has no folds.test
        raise BadInput(
            f"{TEST}: all of its targets are of one learner, and learners are what intervals are "
            f"drawn from; {'more learners need a history' if alone else 'raise folds.test'}"
        )
