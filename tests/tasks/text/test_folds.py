"""What is asked of a window of texts, and of the sealed test's alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from worlds import experiment_of

from recsweep.config.schema import Experiment
from recsweep.data.prepare import prepare
from recsweep.data.sealed import unseal
from recsweep.data.types import Dataset
from recsweep.errors import BadInput
from recsweep.models.text.texts import labelled
from recsweep.stages.confirm.scorable import check_test
from recsweep.tasks.folds import development_folds, make_fold
from recsweep.tasks.task import TEST

N = 60  # texts, an hour apart


def on(
    root: Path, labels: Sequence[str], rule: str, said: str = "text number", **text: str
) -> tuple[Dataset, Experiment]:
    """Texts in the order of time, every third of them twice, and the experiment on them."""
    rows = [f"{said} {n},{label},{1_700_000_000 + 3600 * n}" for n, label in enumerate(labels)]
    path = root / "texts.csv"
    path.write_text("\n".join(["text,label,time", *rows, *rows[::3]]) + "\n")
    table = {"path": str(path), "text": "text", "label": {"column": "label"}, "time": "time"}
    experiment = experiment_of(
        task="text",
        text=text,
        data={"name": "said", "texts": [table]},
        folds={"rule": rule, "count": 2, "test": 0.2}
        | ({"validation": 0.2} if rule == "time" else {}),
        families={"base_rate": "any.yaml"},
    )
    return prepare(experiment, root), experiment


@pytest.mark.parametrize("rule", ["stratified", "time"])
def test_what_was_learned_with_copies_goes_with_the_stratified_test_alone(
    tmp_path: Path, rule: str
) -> None:
    dataset, experiment = on(tmp_path, ["good", "bad"] * (N // 2), rule)
    assert all(
        labelled(fold.validation).learned is None for fold in development_folds(dataset, experiment)
    )
    whole = unseal(dataset)
    fold = make_fold(TEST, whole.development, whole.cuts.test, whole, experiment)
    learned = labelled(fold.validation).learned
    if rule == "time":
        assert learned is None
        return
    assert learned is not None
    assert fold.training.examples is not None
    taught = labelled(fold.training.examples)
    assert set(learned.text) == set(taught.text[taught.copies > 0])
    assert 0 < len(learned) < len(taught)
    assert np.array_equal(learned.copies, np.ones(len(learned)))


def test_texts_whose_label_training_lacks_are_left_out_and_counted(tmp_path: Path) -> None:
    labels = ["good", "bad"] * (N // 2)
    labels[-2:] = ["odd", "odd"]
    dataset, experiment = on(tmp_path, labels, "time")
    whole = unseal(dataset)
    fold = make_fold(TEST, whole.development, whole.cuts.test, whole, experiment)
    assert fold.validation.counts == {"label unknown to training": 2, "training texts": 48}
    assert len(fold.validation) == 10
    histories = fold.validation.histories
    none = (histories.offsets, histories.features, fold.validation.length, fold.validation.item)
    assert not any(numbers.any() for numbers in none)  # no history, and one item for all texts


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (["good"] * 12, "its 12 texts with a known label all bear one, 'good'; raise folds.test"),
        (["odd"] * 12, "none of the 12 texts in its window bears a label that training knows"),
        (["odd", "bad"] * 6, "its 6 texts with a known label all bear one, 'bad'"),
    ],
)
def test_a_sealed_test_that_tells_no_labels_apart_is_refused_before_a_search(
    tmp_path: Path, last: list[str], words: str
) -> None:
    dataset, experiment = on(tmp_path, [*["good", "bad"] * 24, *last], "time")
    with pytest.raises(BadInput, match=words):
        check_test(dataset, experiment)


@pytest.mark.parametrize(
    ("said", "language", "chinese"),
    [
        ("text number", "auto", False),
        ("这是一本好书", "auto", True),
        ("text number", "zh", True),
        ("这是一本好书", "other", False),
    ],
)
def test_how_texts_are_cut_into_words_is_found_unless_it_is_said(
    tmp_path: Path, said: str, language: str, chinese: bool
) -> None:
    labels = ["good", "bad"] * 10
    fold, *_ = development_folds(*on(tmp_path, labels, "stratified", said, language=language))
    assert fold.training.examples is not None
    assert labelled(fold.training.examples).chinese is chinese
