import copy
from typing import Any

import pytest

from recsweep.records.digests import digests_of, edited
from recsweep.records.selection import BestFile


def content() -> dict[str, Any]:
    keys: dict[str, Any] = {
        "kind": "gru",
        "seed": 3,
        "epochs": 4,
        "metric": "ndcg@10",
        "value": 0.25,
        "data": {"fingerprint": "f00", "raw": {"log.csv": "0a"}},
        "experiment": {"seed": 0, "folds": {"count": 3}},
        "config": {"depth": 1, "learning_rate": 0.001},
        "metrics": {"ndcg@10": [0.2, 0.3], "mrr@10": [0.1, 0.2]},
        "converged": True,
    }
    return {**keys, "digests": digests_of(BestFile, keys)}


def test_a_file_as_it_was_written_is_not_edited() -> None:
    assert edited(BestFile, content()) == []


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("config", "depth"), 2, "config.depth was edited"),
        (("config", "depth"), True, "config.depth was edited"),
        (("config", "dropout"), 0.5, "config.dropout was added"),
        (("metrics", "ndcg@10"), [0.2, 0.31], "metrics.ndcg@10 was edited"),
        (("seed",), 4, "seed was edited"),
        (("epochs",), 5, "epochs was edited"),
        (("value",), 0.26, "value was edited"),
        (("experiment", "folds", "count"), 2, "experiment was edited"),
        (("data", "raw", "log.csv"), "0b", "data was edited"),
    ],
)
def test_an_edit_is_named(path: tuple[str, ...], value: object, named: str) -> None:
    changed = copy.deepcopy(content())
    *parents, last = path
    node = changed
    for parent in parents:
        node = node[parent]
    node[last] = value
    edits = edited(BestFile, changed)
    assert [line.removesuffix(" after the file was written") for line in edits] == [named]


def test_a_hyperparameter_that_was_taken_out_is_named() -> None:
    changed = content()
    del changed["config"]["depth"]
    assert edited(BestFile, changed) == ["config.depth was taken out after the file was written"]


@pytest.mark.parametrize("digests", [{}, None])
def test_without_digests_nothing_is_vouched_for(digests: object) -> None:
    assert len(edited(BestFile, {**content(), "digests": digests})) == 1


def test_keys_that_decide_nothing_may_change() -> None:
    assert edited(BestFile, {**content(), "converged": False, "comment": "mine"}) == []
