import pytest

from recsweep.stages.init.words import Role, event_type, has, is_known_name, score


@pytest.mark.parametrize(
    ("header", "known", "expected"),
    [
        ("user age", "age", True),
        ("UserAge", "age", True),
        ("Average price", "age", False),
        ("valid_from", "validfrom", True),
        ("学员年龄", "年龄", True),
        ("年级", "年龄", False),
    ],
)
def test_a_header_has_whole_words_of_english_and_parts_of_chinese(
    header: str, known: str, expected: bool
) -> None:
    assert has(header, (known, "说明")) is expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("course_viewed", "browse"),
        ("interview", None),
        ("lounge view", "browse"),
        ("unlike", None),
        ("添加收藏", "favourite"),
        ("取消收藏", None),
    ],
)
def test_a_type_is_known_by_whole_words_and_none_if_it_undoes_one(
    value: str, kind: str | None
) -> None:
    assert event_type(value) == kind


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("user_id", True),
        ("timestamp", True),
        ("school_userid", True),
        ("课程编号", True),
        ("Ada", False),
        ("purchase", False),  # a type's value may be called so
        ("购买时间", False),
        ("", False),
    ],
)
def test_a_known_name_of_a_column_is_one_that_no_value_looks_like(header: str, known: bool) -> None:
    assert is_known_name(header) is known


@pytest.mark.parametrize(
    ("header", "role", "expected"),
    [
        ("userId", "user", 3),
        ("buyer_no", "user", 3),
        ("buyer", "user", 1),
        ("user level", "user", 0),
        ("course_name", "item", 0),  # a label, not an id
        ("course price", "item", 0),
        ("order time", "time", 2),
        ("end_time", "time", 0),
        ("time", "time", 3),
        ("my action", "type", 2),
        ("nothing", "type", 0),
    ],
)
def test_a_header_names_a_role_exactly_nearly_or_not(
    header: str, role: Role, expected: int
) -> None:
    assert score(header, role) == expected
