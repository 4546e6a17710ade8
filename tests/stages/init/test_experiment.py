"""The keys that an experiment gets from what was found, and no others."""

from pathlib import Path

import pytest
from looks import look_of

from recsweep.config.schema import NumberStyle, Table
from recsweep.models.registry import families_of, role_of
from recsweep.stages.init.columns import LogColumns
from recsweep.stages.init.experiment import (
    Draft,
    comment_log,
    comment_table,
    event_keys,
    feature_keys,
    study_name,
    suggested,
    table_keys,
)
from recsweep.stages.init.features import TableColumns
from recsweep.stages.init.kinds import EventKinds
from recsweep.stages.init.times import TimeFormat

LOG = look_of({"u": ["1"], "c": ["2"], "at": ["3"], "what": ["view"], "s": ["5"], "note": ["x"]})
VIEWS = EventKinds("browse")
ZONE = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("my log (2).csv", "my_log_2"),
        ("课程.csv", "mine"),
        ("课程 log.csv", "log"),
        ("x" * 80 + ".csv", "x" * 64),
    ],
)
def test_a_study_is_called_as_its_file_in_ascii(name: str, expected: str) -> None:
    assert study_name(Path(name)) == expected


def test_networks_are_suggested_first_and_without_histories_none_that_needs_them() -> None:
    ranked = suggested("next_item")
    assert ranked.index("gru") < ranked.index("item_knn") < ranked.index("popularity")
    assert "gru_unordered" not in ranked
    everything, without = suggested("purchase"), suggested("purchase", histories=False)
    assert set(without) < set(everything)
    assert "gru" not in without
    assert "gradient_boosting" in without
    for task, names in (("next_item", ranked), ("purchase", everything)):
        roles = [role_of(name) for name in names]
        assert roles == sorted(roles, key=("network", "baseline", "floor").index)
        assert len(set(names)) == len(names)
        assert set(names) <= set(families_of(task))
    built = families_of("purchase")
    assert set(without) == {name for name in everything if not built[name].needs_history}


def test_a_path_does_not_climb_and_what_is_usual_needs_no_saying() -> None:
    assert table_keys(Table(path="a/log.csv")) == {"path": "a/log.csv"}
    assert table_keys(Table(path="log.tsv", separator="\t"))["separator"] == "\t"
    above = Table(path="log.csv").model_copy(update={"path": "../log.csv"})
    climbed = table_keys(above)["path"]
    assert climbed == str(Path("../log.csv").resolve())


@pytest.mark.parametrize(
    ("local", "zone", "told"), [(True, ZONE, True), (True, None, False), (False, ZONE, False)]
)
def test_a_zone_is_told_where_times_name_none(local: bool, zone: str | None, told: bool) -> None:
    form = TimeFormat("%d.%m.%Y", local)
    keys = event_keys(LOG, LogColumns("u", "c", "at", form, None), VIEWS, zone)
    assert ({"timezone": zone} if told else {}).items() <= keys.items()
    assert ("timezone" in keys) is told
    assert keys["time_format"] == "%d.%m.%Y"
    found = TableColumns(since="at", since_format=form)
    keys = feature_keys(LOG, "c", found, zone, immutable=False)
    assert ({"timezone": zone} if told else {}).items() <= keys.items()
    assert ("timezone" in keys) is told


def test_types_are_those_of_a_column_or_one_for_all_and_seconds_are_told_where_there_are() -> None:
    columns = LogColumns("u", "c", "at", TimeFormat("unix", False), "s")
    keys = event_keys(LOG, columns, EventKinds(None, "what", {"view": "browse"}), None)
    assert keys["type"] == {"column": "what", "values": {"view": "browse"}}
    assert (keys["user"], keys["item"], keys["time"], keys["dwell"]) == ("u", "c", "at", "s")
    plain = LogColumns("u", "c", "at", TimeFormat("unix", False), None)
    keys = event_keys(LOG, plain, VIEWS, None)
    assert keys["type"] == {"constant": "browse"}
    assert "dwell" not in keys


@pytest.mark.parametrize(
    ("key", "immutable", "expected"),
    [
        ("iso", False, {"valid_from": "at"}),
        ("unix", False, {"valid_from": "at", "valid_from_format": "unix"}),
        ("unix", True, {"immutable": True}),
        (None, False, {}),
    ],
)
def test_rows_are_known_from_a_time_on_in_a_format_that_is_told_unless_it_is_iso(
    key: str | None, immutable: bool, expected: dict[str, object]
) -> None:
    found = TableColumns(categorical=["what"])
    if key is not None:
        found.since, found.since_format = "at", TimeFormat(key, False)
    keys = feature_keys(LOG, "c", found, ZONE, immutable)
    told = ("valid_from", "valid_from_format", "immutable")
    assert {name: keys[name] for name in told if name in keys} == expected
    assert (keys["key"], keys["categorical"]) == ("c", ["what"])


def test_a_comment_tells_what_was_dropped_and_which_columns_are_in_no_key() -> None:
    draft = Draft({})
    columns = LogColumns("u", "c", "at", TimeFormat("iso", True), None)
    kinds = EventKinds(None, "what", {"view": "browse"}, {"ad": 1234})
    comment_log(draft, 0, LOG, columns, kinds)
    place = ("data", "events", 0)
    assert draft.comments == {
        (*place, "type"): ["Not in values, so dropped and counted: ad (1,234 rows)"],
        (*place, "time"): ["Times that name no zone are of timezone, else of UTC."],
        (*place, "user"): ["Not used: s, note"],
    }
    whole = Draft({})
    everything = look_of({"u": ["1"], "c": ["2"], "at": ["3"]})
    columns = LogColumns("u", "c", "at", TimeFormat("unix", False), None)
    comment_log(whole, 0, everything, columns, VIEWS)
    assert whole.comments == {}


@pytest.mark.parametrize(
    ("keys", "comments"),
    [
        ({"valid_from": "at"}, {"valid_from": ["A row has no say before this time."]}),
        ({"immutable": True}, {}),
        (
            {},
            {
                "key": [
                    "Since when is a row known? Name a column of times as valid_from; if nothing "
                    "in the table was ever written later than the log's first event, say "
                    "immutable: true."
                ]
            },
        ),
    ],
)
def test_a_table_is_told_since_when_its_rows_are_known(
    keys: dict[str, object], comments: dict[str, list[str]]
) -> None:
    draft = Draft({"data": {"users": keys}})
    comment_table(draft, "users", TableColumns())
    joined = {place: [" ".join(lines)] for place, lines in draft.comments.items()}
    assert joined == {("data", "users", key): lines for key, lines in comments.items()}


def test_what_is_left_out_of_a_table_is_told_above_its_key() -> None:
    draft = Draft({"data": {"items": {"immutable": True}}})
    comment_table(draft, "items", TableColumns(left_out={"a": "personal", "b": "empty"}))
    assert draft.comments == {
        ("data", "items", "key"): ["Left out: a (personal)", "Left out: b (empty)"]
    }


def test_numbers_of_a_table_have_their_style() -> None:
    found = TableColumns(numeric=["s"], style=NumberStyle(decimal=","))
    assert feature_keys(LOG, "c", found, None, immutable=False) == {
        "path": "log.csv", "key": "c", "numeric": ["s"], "decimal": ",",
    }  # fmt: skip


def test_comments_on_a_key_add_up() -> None:
    draft = Draft({})
    draft.say(("a",), "One.")
    draft.say(("a",), "Two.", "Three.")
    draft.say(("b",))
    assert draft.comments == {("a",): ["One.", "Two.", "Three."], ("b",): []}
