import pytest

from recsweep.stages.init.words import (
    MISSING,
    UNITS,
    Role,
    event_type,
    has,
    is_known_name,
    normal,
    score,
    speaks_chinese,
    words_of,
)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("courseTitle", ["course", "title"]),
        ("Course  title_", ["course", "title"]),
        ("USER-ID", ["user", "id"]),
        ("課程 標題", ["课程", "标题"]),
        ("--", []),
    ],
)
def test_words_of_a_header_are_apart_at_signs_and_at_capitals(
    header: str, words: list[str]
) -> None:
    assert words_of(header) == words


def test_a_header_is_plain_without_signs_and_without_what_follows_a_colon() -> None:
    assert normal("User ID:token:x") == "userid"
    assert normal(":x") == ""


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("一门课程", True),  # a role's name
        ("她瀏覽了", True),  # an event's, as Taiwan writes it
        ("用户", True),
        ("未来", False),
        ("user view", False),
        ("", False),
    ],
)
def test_text_speaks_chinese_if_a_word_for_a_role_or_an_event_is_in_it(
    text: str, chinese: bool
) -> None:
    assert speaks_chinese(text) is chinese


def test_words_for_no_value_are_no_numbers() -> None:
    assert {"NULL", "nan", "-", "unknown", "未知"} < set(MISSING)
    assert {"", "-1", "-1.0"}.isdisjoint(MISSING)


def test_units_are_powers_of_ten() -> None:
    assert UNITS == {"万": 1e4, "亿": 1e8, "w": 1e4, "k": 1e3, "千": 1e3}


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
        ("view2", "browse"),
        ("add_to_wishlist", "favourite"),
        ("PageView", "browse"),
        ("Enrollments", "purchase"),
        ("购买评价", "comment"),  # the opinion, not the purchase
        ("review of a view", "comment"),
        ("refund paid", None),
        ("已退款的订单", None),
        ("unsubscribed", None),
        ("", None),
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
        ("开始时间", True),
        ("讲师名称", True),
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
        ("课程名称", "item", 0),
        ("courses", "item", 1),
        ("course hash", "item", 3),
        ("user name id", "user", 3),
        ("purchased", "label", 3),
        ("purchased pages", "label", 0),  # has no stems
        ("dwell", "dwell", 3),
        ("ordered_at", "time", 2),
        ("action time", "type", 0),
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
