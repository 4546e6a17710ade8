"""What characterises groups of learners, on a catalogue that can be counted by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from worlds import dataset_of, events_of, experiment_of

from recsweep.data.descriptions import Numbers, Values
from recsweep.data.features.dated import ID, LABEL
from recsweep.data.types import Int64
from recsweep.evaluation.portrait.lift import Lifts
from recsweep.stages.portrait.characterise import _levels, _values, characterise
from recsweep.tasks.development import whole_development

FEW, MANY = 6, 10
LABELS = np.array([0] * FEW + [1] * MANY)


def described(*, label: bool = True) -> Any:
    """Six learners had courses 0 and 2, ten 1 and 2; all are of one age but for a year."""
    rows = [(user, course, 10 * user + course) for user in range(FEW) for course in (0, 2)]
    rows += [(FEW + n, course, 100 + 10 * n + course) for n in range(MANY) for course in (1, 2)]
    events = events_of(rows)
    items = pl.DataFrame({ID: ["x", "y", "z"], LABEL: ["Ex", "Why", None]})
    users = pl.DataFrame(
        {
            ID: [str(n) for n in range(FEW + MANY)],
            "region": ["north"] * FEW + ["south"] * MANY,
            "age": [20.0] * FEW + [40.0] * MANY,
        }
    )
    dataset = replace(dataset_of(events), users=users, items=items if label else items.drop(LABEL))
    table = {"path": "x", "key": "u", "categorical": ["region"], "numeric": ["age"]}
    event = {"path": "x", "user": "u", "item": "i", "time": "t"}
    experiment = experiment_of(
        data={"name": "test", "events": [event], "users": table}, features=[]
    )
    fold = whole_development(dataset, experiment, 1000)
    return characterise(dataset, experiment, fold, LABELS)


def test_groups_are_told_by_their_size_courses_values_and_numbers() -> None:
    first, second = described()
    assert [(c.cluster, c.learners, c.share) for c in (first, second)] == [
        (1, FEW, 6 / 16),
        (2, MANY, 10 / 16),
    ]
    # Course 0 was had by 6 of 6, and by 6 of 16 in all: 2.25 expected, and 5 beforehand.
    (course,) = first.courses
    assert (course.id, course.label, course.learners) == ("x", "Ex", 6)
    assert (course.share, course.overall) == (1.0, 6 / 16)
    assert course.lift == pytest.approx(11 / 7.25)
    (other,) = second.courses
    assert (other.id, other.label, other.learners) == ("y", "Why", 10)
    (value,) = first.values
    assert (value.table, value.column, value.value) == ("learners", "region", "north")
    assert (value.learners, value.share, value.overall) == (6, 1.0, 6 / 16)
    assert value.lift == pytest.approx(11 / 7.25)
    level = first.levels[0]
    assert (level.table, level.column, level.learners) == ("learners", "age", 6)
    assert (level.mean, level.overall) == (20.0, 32.5)
    spread = np.std([20.0] * 6 + [40.0] * 10)
    assert level.standardised == pytest.approx(-12.5 / spread)
    assert second.levels[0].standardised == pytest.approx(7.5 / spread)


def test_a_catalogue_without_titles_has_ids_alone() -> None:
    for cluster in described(label=False):
        assert [course.label for course in cluster.courses] == [None]


def column(name: str, owners: list[list[int]]) -> Values:
    """Who has each value, of thirty learners."""
    pairs = [(owner, value) for value, having in enumerate(owners) for owner in having]
    owner, value = np.array(pairs).T
    names = tuple(f"{name}{n}" for n in range(len(owners)))
    return Values("courses", name, names, owner, value, np.arange(30))


TEN = np.array([0] * 10 + [1] * 20)


def test_values_of_all_columns_stand_by_lift_then_by_how_many_have_them() -> None:
    a = column("a", [list(range(10)), [*range(6), 25]])
    b = column("b", [list(range(7)), [*range(10), *range(10, 30)]])
    found, rest = _values([a, b], TEN, 2)
    # 10 of 10 where a third was expected (15 / 8.33), 7 of 7 (12 / 7.33), 6 of 7 (11 / 7.33).
    assert [value.value for value in found] == ["a0", "b0", "a1"]
    assert [value.column for value in found] == ["a", "b", "a"]
    assert [value.lift for value in found] == pytest.approx([15 / (5 + 10 / 3), 12 / (5 + 7 / 3),
                                                             11 / (5 + 7 / 3)])  # fmt: skip
    assert rest == ()


def test_of_equal_lifts_the_value_that_more_learners_have_comes_first() -> None:
    seven = column("a", [[*range(7), 10, 11]])  # (7 + 5) / (3 + 5)
    ten = column("b", [[*range(10), *range(10, 15)]])  # (10 + 5) / (5 + 5)
    found, _ = _values([seven, ten], TEN, 2)
    assert [(value.column, value.lift) for value in found] == [("b", 1.5), ("a", 1.5)]


def test_ten_values_and_ten_numbers_are_told_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [column(f"c{n:02}", [list(range(10))]) for n in range(12)]
    found, _ = _values(columns, TEN, 2)
    assert [value.column for value in found] == [f"c{n:02}" for n in range(10)]
    several = column("many", [list(range(10))] * 12)
    assert [len(group) for group in _values([several], TEN, 2)] == [10, 0]
    asked: list[int] = []
    top = Lifts.top

    def noted(of: Lifts, group: int, most: int) -> Int64:
        asked.append(most)
        return top(of, group, most)

    monkeypatch.setattr(Lifts, "top", noted)
    described()
    assert set(asked) == {10}


def number(name: str, values: Any) -> Numbers:
    return Numbers("learners", name, np.array(values, np.float64))


def test_numbers_stand_by_how_far_they_are_and_of_four_learners_nothing_is_told() -> None:
    near = number("near", [*[1.0, 0.0] * 5, *[0.5, 0.4] * 10])
    far = number("far", [*[0.0] * 10, *[1.0] * 20])
    four = number("four", [*[9.0] * 4, *[np.nan] * 6, *[0.0] * 20])
    five = number("five", [*[9.0] * 5, *[np.nan] * 5, *[9.0] * 20])
    first, second = _levels([near, far, four, five], TEN, 2)
    assert [level.column for level in first] == ["far", "near", "five"]
    assert [level.learners for level in first] == [10, 10, 5]
    assert first[0].mean == 0.0
    assert first[0].standardised == pytest.approx(-np.sqrt(2))
    assert first[2].standardised == 0.0
    assert "four" in {level.column for level in second}
    many = [number(f"c{n}", [*[float(n)] * 10, *[0.0] * 20]) for n in range(1, 13)]
    assert [len(group) for group in _levels(many, TEN, 2)] == [10, 10]
