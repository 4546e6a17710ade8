import pytest

from recsweep.stages.init.words import event_type, has


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
