"""Every declared column may describe a learner, as it was known at the cut."""

from dataclasses import replace

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import dataset_of, events_of, experiment_of, training_of

from recsweep.config.schema import Experiment
from recsweep.data.descriptions import Numbers, Values, descriptions, distinct_pairs
from recsweep.data.types import KINDS, Cuts, Dataset
from recsweep.tasks.development import whole_development

ROWS = [(0, 0, 1), (0, 1, 2), (0, 0, 3), (1, 1, 1), (1, 2, 5), (2, 2, 2), (2, 2, 4)]
TABLE = {"path": "x", "key": "k"}


def world(**tables: object) -> tuple[Dataset, Experiment]:
    experiment = experiment_of(features=[])
    data = experiment.data.model_dump() | tables
    experiment = Experiment.model_validate(experiment.model_dump() | {"data": data})
    return replace(dataset_of(events_of(ROWS)), cuts=Cuts((), (10, 20))), experiment


def found(dataset: Dataset, experiment: Experiment) -> dict[str, Values | Numbers]:
    fold = whole_development(dataset, experiment)
    return {f"{c.table} {c.column}": c for c in descriptions(dataset, experiment, fold)}


def pairs(column: Values | Numbers) -> set[tuple[int, str]]:
    assert isinstance(column, Values)
    return {(int(o), column.names[v]) for o, v in zip(column.owner, column.value, strict=True)}


def numbers(column: Values | Numbers) -> list[float]:
    assert isinstance(column, Numbers)
    return [float(value) for value in column.value]


def test_columns_that_no_network_reads_describe_learners_and_their_courses() -> None:
    dataset, experiment = world(
        users=TABLE | {"categorical": ["job"], "numeric": ["age"], "tags": {"likes": "|"}},
        items=TABLE | {"categorical": ["kind"], "numeric": ["price"], "text": ["title"]},
    )
    users = pl.DataFrame(
        {"job": ["cook", None, "cook"], "age": [20.0, None, 40], "likes": [["a", "b"], None, ["b"]]}
    )
    items = pl.DataFrame(
        {"kind": ["x", "y", "x"], "price": [1.0, None, 5], "title": ["One", "Two", "Three"]}
    )
    columns = found(replace(dataset, users=users, items=items), experiment)
    assert pairs(columns["learners job"]) == {(0, "cook"), (2, "cook")}
    assert columns["learners job"].known.tolist() == [0, 2]  # type: ignore[union-attr]
    assert pairs(columns["learners likes"]) == {(0, "a"), (0, "b"), (2, "b")}
    assert numbers(columns["learners age"])[::2] == [20, 40]
    assert np.isnan(numbers(columns["learners age"])[1])
    assert pairs(columns["courses kind"]) == {(0, "x"), (0, "y"), (1, "x"), (1, "y"), (2, "x")}
    assert numbers(columns["courses price"]) == [1, 5, 5]
    assert numbers(columns["history events"]) == [3, 2, 2]
    assert "courses title" not in columns


def test_of_a_learner_whose_courses_all_lack_the_number_nothing_is_known() -> None:
    dataset, experiment = world(items=TABLE | {"numeric": ["price"]})
    items = pl.DataFrame({"price": [1.0, 2.0, None]})
    prices = numbers(found(replace(dataset, items=items), experiment)["courses price"])
    assert prices[:2] == [4 / 3, 2]
    assert np.isnan(prices[2])


def test_a_column_without_a_single_value_describes_nobody() -> None:
    dataset, experiment = world(users=TABLE | {"categorical": ["job"], "tags": {"likes": "|"}})
    users = pl.DataFrame(
        {
            "job": pl.Series([None] * 3, dtype=pl.String),
            "likes": pl.Series([None] * 3, dtype=pl.List(pl.String)),
        }
    )
    columns = found(replace(dataset, users=users), experiment)
    for name in ("learners job", "learners likes"):
        assert pairs(columns[name]) == set()


def test_what_a_table_says_only_after_the_cut_describes_nobody() -> None:
    dataset, experiment = world(users=TABLE | {"categorical": ["job"], "valid_from": "since"})
    rows = pl.DataFrame(
        {"_id": ["0", "0", "1"], "_valid_from": [1, 30, 30], "job": ["cook", "judge", "judge"]}
    )
    table = pl.DataFrame({"_id": ["0", "1", "2"], "_label": [None, None, None]})
    columns = found(replace(dataset, users=table, user_rows=rows), experiment)
    assert pairs(columns["learners job"]) == {(0, "cook")}


def test_events_are_told_by_type_where_there_are_several() -> None:
    dataset, experiment = world()
    assert list(found(dataset, experiment)) == ["history events"]
    kind = np.zeros(len(ROWS), np.int8)
    kind[-1] = KINDS.index("purchase")
    mixed = replace(dataset, development=replace(dataset.development, kind=kind))
    columns = found(mixed, experiment)
    assert numbers(columns["history purchase"]) == [0, 0, 1]
    assert numbers(columns["history browse"]) == [3, 2, 1]


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 4), max_size=5), min_size=1, max_size=4))
def test_every_course_of_a_history_is_one_pair(histories: list[list[int]]) -> None:
    sequences = training_of(histories, n_items=5).sequences
    expected = sorted({(n, item) for n, history in enumerate(histories) for item in history})
    learner, item = distinct_pairs(sequences)
    assert list(zip(learner.tolist(), item.tolist(), strict=True)) == expected


def test_values_of_a_column_are_told_in_alphabetical_order_each_once_a_learner() -> None:
    dataset, experiment = world(items=TABLE | {"categorical": ["kind"], "tags": {"topics": "|"}})
    items = pl.DataFrame({"kind": ["y", "x", "x"], "topics": [["b", "a"], ["b"], ["c", "a"]]})
    columns = found(replace(dataset, items=items), experiment)
    kind, topics = columns["courses kind"], columns["courses topics"]
    assert isinstance(kind, Values)
    assert isinstance(topics, Values)
    assert (kind.names, kind.table, kind.column) == (("x", "y"), "courses", "kind")
    assert (kind.owner.tolist(), kind.value.tolist()) == ([0, 0, 1, 2], [0, 1, 0, 0])
    assert kind.known.tolist() == [0, 1, 2]
    assert topics.names == ("a", "b", "c")
    assert (topics.owner.tolist(), topics.value.tolist()) == (
        [0, 0, 1, 1, 1, 2, 2], [0, 1, 0, 1, 2, 0, 2],
    )  # fmt: skip


def test_columns_come_table_by_table_and_the_history_last() -> None:
    dataset, experiment = world(
        users=TABLE | {"categorical": ["job"], "numeric": ["age"], "tags": {"likes": "|"}},
        items=TABLE | {"categorical": ["kind"], "numeric": ["price"], "tags": {"topics": "|"}},
    )
    users = pl.DataFrame({"job": ["a"] * 3, "age": [1.0] * 3, "likes": [["x"]] * 3})
    items = pl.DataFrame({"kind": ["a"] * 3, "price": [1.0] * 3, "topics": [["x"]] * 3})
    assert list(found(replace(dataset, users=users, items=items), experiment)) == [
        *("learners job", "learners likes", "learners age"),
        *("courses kind", "courses topics", "courses price", "history events"),
    ]
