import pytest

from recsweep.data.formats.headers import looks_like_header

LOG = [[f"u{n}", f"c{n % 3}", f"{1_700_000_000 + n}"] for n in range(12)]


@pytest.mark.parametrize("first", [["user", "item", "time"], ["学员", "课程", "时间"]])
def test_words_over_values_with_digits_are_a_header(first: list[str]) -> None:
    assert looks_like_header(first, LOG)
    assert looks_like_header(first[:2], [["anna", row[1]] for row in LOG])


@pytest.mark.parametrize(
    ("first", "below"),
    [
        (["u99", "c1", "5"], LOG),
        (["user", "item", "5"], LOG),
        (["user", "item", ""], LOG),
        (["user", "user", "time"], LOG),
        (["anna", "python"], [["ben", "excel"]] * 12),
        (["user", "item", "time"], LOG[:9]),  # too few to tell
    ],
)
def test_what_may_be_a_row_is_none(first: list[str], below: list[list[str]]) -> None:
    assert not looks_like_header(first, below)


def test_one_value_without_a_digit_is_enough_for_doubt() -> None:
    assert not looks_like_header(["user", "item"], [["anna", "python"], *(row[:2] for row in LOG)])


def test_ten_values_with_digits_are_enough_and_nine_are_not() -> None:
    assert looks_like_header(["user", "time"], [["anna", "1"]] * 10)
    assert looks_like_header(["user", "time"], [*[["anna", "1"]] * 10, ["ben"], ["eve", ""]])
    assert looks_like_header(["user", "time"], [*[["anna", ""]] * 5, *[["anna", "1"]] * 10])
    assert looks_like_header(["user", "time"], [["anna", "1"]] * 9) is False
    assert (
        looks_like_header(["user", "time"], [*[["anna", "1"]] * 9, ["ben"], ["eve", ""]]) is False
    )


@pytest.mark.parametrize("word", ["user1", "2", "_", "", "time2"])
def test_a_field_with_a_digit_or_without_a_letter_is_no_word(word: str) -> None:
    assert looks_like_header(["item", word], [["c1", "1"]] * 12) is False
    assert looks_like_header(["item", f"{word.strip('012')}x"], [["c1", "1"]] * 12)


def test_no_field_is_no_header() -> None:
    assert looks_like_header([], [[]] * 12) is False
