"""Families are found where they are, and what can't be one is said in a line."""

from importlib.metadata import EntryPoint

import pytest

from recsweep.errors import BadInput
from recsweep.models import registry
from recsweep.models.family import Family
from recsweep.models.registry import GROUP, families, families_of, family, role_of

NOT_A_FAMILY = "a string"
ANOTHER = Family("another_kind", "floor", tasks={})
TAKEN = Family("gru", "network", tasks={})


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    point = EntryPoint("other", request.param, GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    monkeypatch.setattr(registry, "families", families.__wrapped__)


def test_every_built_in_family_is_found_and_serves_a_task() -> None:
    assert all(name == each.name and each.tasks for name, each in families().items())
    assert {"gru", "lstm", "item_knn", "base_rate"} <= set(families())


def test_a_task_sees_the_families_that_serve_it() -> None:
    assert families_of("next_item")["gru"] is family("gru").tasks["next_item"]
    assert "item_knn" not in families_of("purchase")
    assert families_of("nothing") == {}


def test_a_family_that_is_not_there_is_named_with_what_is() -> None:
    with pytest.raises(BadInput, match=r"there is no family 'grru'.*gru"):
        family("grru")
    assert role_of("grru") is None
    assert role_of("gru") == "network"


@pytest.mark.parametrize("announced", [f"{__name__}:ANOTHER"], indirect=True)
def test_another_packages_family_is_found_by_its_entry_point(announced: None) -> None:
    assert registry.families()["another_kind"] is ANOTHER
    assert registry.titles({"mine": "another_kind", "another_kind": "another_kind"}) == {
        "mine": "mine",
        "another_kind": "another kind",
    }


@pytest.mark.parametrize(
    ("announced", "said"),
    [
        (f"{__name__}:TAKEN", "the family's name 'gru' is taken by recsweep.models.families.recu"),
        (f"{__name__}:NOT_A_FAMILY", "is no Family, found str"),
        (f"{__name__}:MISSING", "can't be loaded .AttributeError"),
        ("no_such_module:FAMILY", "can't be loaded .ModuleNotFoundError"),
    ],
    indirect=["announced"],
)
def test_an_entry_point_that_gives_no_family_is_refused_in_one_line(
    announced: None, said: str
) -> None:
    with pytest.raises(BadInput, match=said) as error:
        registry.families()
    assert str(error.value).startswith("the entry point other = ")
    assert "\n" not in str(error.value)


PAIR = (ANOTHER, Family("third", "baseline", tasks={}, title="the third", title_zh="第三"))


@pytest.mark.parametrize("announced", [f"{__name__}:PAIR"], indirect=True)
def test_an_entry_point_may_bring_several_families_and_none_is_told_twice(announced: None) -> None:
    found = registry.families()
    assert [name for name in found if found[name] in PAIR] == ["another_kind", "third"]
    assert registry.role_of("third") == "baseline"
    assert registry.families_of("next_item").keys() == families_of("next_item").keys()
    kinds = {"third": "third", "third+text": "third", "mine": "third", "gone": "gone_away"}
    assert registry.titles(kinds) == {
        "third": "the third", "third+text": "the third+text", "mine": "mine", "gone": "gone",
    }  # fmt: skip
    assert registry.titles({"third": "third", "gone_away": "gone_away"}, "zh") == {
        "third": "第三", "gone_away": "gone away",
    }  # fmt: skip


def test_entry_points_are_read_in_the_order_of_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("b", f"{__name__}:ANOTHER", GROUP),
        EntryPoint("a", f"{__name__}:PAIR", GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    with pytest.raises(BadInput, match=r"the entry point b = .*is taken by the entry point a = "):
        families.__wrapped__()
