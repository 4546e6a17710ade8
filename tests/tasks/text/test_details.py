"""What is said of labels besides a study's metric."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from recsweep.config.schema import Metric
from recsweep.data.types import Targets
from recsweep.models.text.texts import labelled
from recsweep.tasks.text.details import details_of
from recsweep.testing.text_worlds import text_world

METRIC = Metric(name="log_loss")


@pytest.fixture(scope="module")
def targets() -> Targets:
    return text_world("text", features=False).validation


def test_each_label_is_told_by_its_name_and_given_where_it_is_the_likeliest(
    targets: Targets,
) -> None:
    texts = labelled(targets)
    said = np.random.default_rng(0).dirichlet(np.ones(len(texts.classes)), len(targets))
    given, found = said.argmax(axis=1), details_of(said, targets, METRIC).labels
    assert tuple(found) == texts.classes
    for n, label in enumerate(found.values()):
        right = {"y_true": texts.answer, "y_pred": given, "labels": [n], "average": "macro"}
        assert label.precision == pytest.approx(precision_score(**right))
        assert label.recall == pytest.approx(recall_score(**right))
        assert label.f1 == pytest.approx(f1_score(**right))
        assert label.support == (texts.answer == n).sum()


def test_a_label_that_is_never_given_has_no_precision_and_is_told_all_the_same(
    targets: Targets,
) -> None:
    texts = labelled(targets)
    said = np.zeros((len(targets), len(texts.classes)))
    said[:, 0] = 1
    first, *others = details_of(said, targets, METRIC).labels.values()
    assert first.recall == 1
    assert {(label.precision, label.recall, label.f1) for label in others} == {(0, 0, 0)}


def test_reliability_is_of_the_label_given(targets: Targets) -> None:
    texts = labelled(targets)
    said = np.random.default_rng(1).dirichlet(np.ones(len(texts.classes)), len(targets))
    said = (said + np.eye(len(texts.classes))[texts.answer]) / 2  # mostly right
    bins = details_of(said, targets, METRIC).reliability
    assert sum(part.examples for part in bins) == len(targets)
    weight = [part.examples for part in bins]
    of_given, right = said.max(axis=1), said.argmax(axis=1) == texts.answer
    assert np.average([part.predicted for part in bins], weights=weight) == pytest.approx(
        of_given.mean()
    )
    assert np.average([part.bought for part in bins], weights=weight) == pytest.approx(right.mean())
