"""What is asked of a window of texts, and of the sealed test's alone."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from worlds import dataset_of, events_of, experiment_of

from recsweep.config.schema import Experiment
from recsweep.data.features.dated import ANSWER, COPIES, GROUP, ID, TEXT
from recsweep.data.prepare import prepare
from recsweep.data.sealed import unseal
from recsweep.data.types import Dataset
from recsweep.errors import BadInput
from recsweep.models.text.texts import labelled
from recsweep.stages.confirm.scorable import check_test
from recsweep.tasks.development import whole_split
from recsweep.tasks.folds import development_folds, make_fold
from recsweep.tasks.task import TEST
from recsweep.tasks.text.folds import training_of

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


def table_of(groups: Sequence[str | None], labels: Sequence[str]) -> tuple[Dataset, Experiment]:
    """Texts an hour apart, of which the last third is the window."""
    n = len(labels)
    table = pl.DataFrame(
        {
            ID: [f"id{k}" for k in range(n)],
            TEXT: [f"text {k}" for k in range(n)],
            ANSWER: labels,
            GROUP: pl.Series(groups, dtype=pl.String),
            COPIES: range(n),
            "stars": [1.0 * k for k in range(n)],
        }
    )
    events = events_of([(k, 0, 10 * k) for k in range(n)])
    dataset = replace(dataset_of(events), users=table, n_items=1)
    text = {"path": "x", "text": "t", "label": {"column": "l"}, "time": "d", "numeric": ["stars"]}
    return dataset, experiment_of(
        task="text", data={"name": "said", "texts": [text]}, families={"base_rate": "any.yaml"}
    )


def test_texts_of_a_group_stand_together_and_one_without_a_group_by_itself() -> None:
    groups = ["b", None, "a", "b", "a", None, "b", "a", None]
    dataset, experiment = table_of(groups, list("xyxyxyxyx"))
    fold = make_fold("fold0", dataset.development, (60, 99), dataset, experiment)
    examples = fold.training.examples
    assert examples is not None
    texts = labelled(examples)
    # The groups a, b, and the texts id1 and id5, in this order.
    assert texts.text.tolist() == [f"text {k}" for k in (2, 4, 0, 3, 1, 5)]
    assert examples.sequence.tolist() == [0, 0, 1, 1, 2, 3]
    assert examples.histories.user.tolist() == [2, 0, 1, 5]  # each with its first text's code
    assert examples.time.tolist() == [20, 40, 0, 30, 10, 50]
    assert texts.classes == ("x", "y")
    assert texts.answer.tolist() == [0, 0, 0, 1, 1, 1]
    assert texts.copies.tolist() == [2, 4, 0, 3, 1, 5]
    assert texts.columns == fold.training.user_columns == ("stars",)
    stars = np.array([2, 4, 0, 3, 1, 5])
    np.testing.assert_allclose(texts.inputs[:, 0], (stars - 2.5) / stars.std(), rtol=1e-6)
    assert examples.histories.offsets.tolist() == [0] * 5
    assert examples.histories.features.shape == (4, 1)
    assert not examples.drop_seen
    assert (fold.training.n_items, fold.training.item_features.shape) == (1, (1, 0))
    assert fold.training.sequences is examples.histories
    asked = fold.validation
    assert labelled(asked).text.tolist() == ["text 7", "text 6", "text 8"]
    assert labelled(asked).answer.tolist() == [1, 0, 0]
    assert asked.counts == {"label unknown to training": 0, "training texts": 6}


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ("xxxxxxxyx", "^fold0: its 6 texts to learn from bear one label, 'x', and two are needed"),
        ("xyxyxyxxx", "^fold0: its 3 texts with a known label all bear one, 'x'; raise folds.val"),
        ("xyxyxyyyy", "all bear one, 'y'"),
        ("xyxyxyzzz", "^fold0: none of the 3 texts in its window bears a label that training"),
    ],
)
def test_one_label_alone_is_refused(labels: str, told: str) -> None:
    dataset, experiment = table_of([None] * 9, list(labels))
    with pytest.raises(BadInput, match=told):
        make_fold("fold0", dataset.development, (60, 99), dataset, experiment)


def test_no_text_before_the_window_is_refused() -> None:
    dataset, experiment = table_of([None] * 4, list("xyxy"))
    split = whole_split(dataset, experiment, 99)
    nothing = replace(split, before=np.zeros(4, bool))
    with pytest.raises(BadInput, match=r"^development: there is no text to learn from$"):
        training_of(nothing)


def test_training_gets_the_vectors_of_its_words_and_characters_and_no_others() -> None:
    dataset, experiment = table_of([None] * 9, list("xyxyxyxyx"))
    table = {"_id": ["text", "t", "5", "8", "tex", "other"], "a": range(6), "b": [9.0] * 6}
    dataset = replace(dataset, word_vectors=pl.DataFrame(table))
    fold = make_fold("fold0", dataset.development, (60, 99), dataset, experiment)
    assert fold.training.examples is not None
    vectors = labelled(fold.training.examples).vectors
    assert vectors is not None
    assert vectors.words == ("text", "t", "5")  # 8 stands in a text of the window
    assert vectors.values.tolist() == [[0, 9], [1, 9], [2, 9]]
    assert vectors.values.dtype == np.float32
    assert labelled(fold.validation).vectors is None
