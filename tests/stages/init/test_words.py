import pytest

from recsweep.stages.init.words import has


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
