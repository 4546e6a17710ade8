from pathlib import Path

import pytest

from recsweep.errors import BadInput
from recsweep.stages.init import encoding as reading
from recsweep.stages.init.encoding import _first_broken, _frequent, find_encoding
from recsweep.stages.init.questions import Answers
from recsweep.stages.init.stage import init

SIMPLIFIED = "线性代数入门 明朝那些事儿 古典诗词鉴赏 怎样做好一份简历 从零开始学摄影"
TRADITIONAL = "線性代數入門 明朝那些事兒 古典詩詞鑑賞 怎樣做好一份簡歷 從零開始學攝影"
GERMAN = "Größe Übung schöne Grüße für Anfänger Käse"
FRENCH = "Été à Paris, où l'élève préfère la théorie"
RUSSIAN = "Основы линейной алгебры Как сделать хорошее резюме"


def found(text: str, encoding: str, folder: Path) -> str:
    """Among rows that are ASCII, as titles are in a log."""
    rows = [f"{n},C{n:03},{title},9.90" for n, title in enumerate(text.split(" ") * 9)]
    path = folder / "titles.csv"
    path.write_bytes("\n".join(["id,code,title,price", *rows]).encode(encoding))
    return find_encoding(path, Answers(None))


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        (SIMPLIFIED, "utf-8", "utf-8"),
        (SIMPLIFIED, "utf-8-sig", "utf-8"),
        (SIMPLIFIED, "gbk", "gb18030"),
        (SIMPLIFIED.replace("线", "线¥"), "gb18030", "gb18030"),  # ¥ takes four bytes
        (TRADITIONAL, "big5", "big5hkscs"),
        ("财务管理", "gbk", "gb18030"),  # which in Big5 is three frequent characters of four
        ("中國歷史", "big5", "big5hkscs"),  # as this is in GBK
        (SIMPLIFIED, "utf-16", "utf-16"),
        (GERMAN, "utf-16-le", "utf-16-le"),
        (GERMAN, "utf-16-be", "utf-16-be"),
        (SIMPLIFIED, "utf-32", "utf-32"),
        ("plain words", "ascii", "utf-8"),
        (GERMAN, "cp1252", "cp1252"),
        (FRENCH, "latin-1", "cp1252"),
    ],
)
def test_an_encoding_is_found_from_a_few_titles(
    text: str, encoding: str, expected: str, tmp_path: Path
) -> None:
    assert found(text, encoding, tmp_path) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [(SIMPLIFIED.encode("gbk"), "gb18030"), (GERMAN.encode("cp1252"), "cp1252")],
)
def test_an_encoding_is_found_where_only_a_title_far_into_the_file_shows_it(
    title: bytes, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SAMPLE", 1000)
    monkeypatch.setattr(reading, "BLOCK", 100)
    path = tmp_path / "titles.csv"
    path.write_bytes(b"1,plain\n" * 300 + b"2," + title + b"\n" + b"3,plain\n" * 300)
    assert find_encoding(path, Answers(None)) == expected


@pytest.mark.parametrize(
    ("content", "encoding", "broken"),
    [
        (b"abc", "utf-8", None),
        (b"", "utf-8", None),
        (b"\xffab", "utf-8", 0),
        (b"a\xff", "utf-8", 1),
        (b"abcd\xff", "utf-8", 4),
        (b"abc\xff", "utf-8", 3),
        ("aé".encode(), "utf-8", None),  # its bytes are in two blocks
        (b"abcd\xc3", "utf-8", 5),  # half a letter at the end, after five bytes
        (b"ab\x81", "cp1252", 2),
        (b"ab\x81", "latin-1", None),
    ],
)
def test_the_first_broken_byte_is_counted_from_the_files_start_over_blocks(
    content: bytes, encoding: str, broken: int | None,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(reading, "BLOCK", 2)
    (tmp_path / "some.csv").write_bytes(content)
    assert _first_broken(tmp_path / "some.csv", encoding) == broken


@pytest.mark.parametrize(
    ("sample", "encoding", "share"),
    [
        (b"", "gb18030", 0),
        (b"plain", "gb18030", 0),
        ("课".encode("gbk"), "gb18030", 1),
        ("课課abc课课".encode("gbk"), "gb18030", 0.75),  # 課 is in GBK and not in GB 2312
        (b"\xd7\xf9\xa1\xa2", "gb18030", 1),  # the last of the first level, and a comma
        (b"\xb0\xa1\xd8\xa1\xf7\xfe\xf7\xfd", "gb18030", 0.25),  # of both levels
        (b"\xc6\x7e\xa4\x40\xc9\x40\xf9\xd5", "big5hkscs", 0.5),
    ],
)
def test_characters_are_frequent_if_the_smaller_encoding_has_them(
    sample: bytes, encoding: str, share: float
) -> None:
    assert _frequent(sample, encoding) == share


@pytest.mark.parametrize(
    ("word", "encoding", "shown"),
    [
        (b"Gr\xf6\xdfe", "cp1252", "'Größe'"),
        (b"caf\x81", "latin-1", r"'caf\x81'"),  # no sign of the first
        (b"\xe4" * 21, "cp1252", f"'{'ä' * 20}'"),
    ],
)
def test_western_text_is_guessed_by_its_bytes_and_a_word_of_it_is_shown(
    word: bytes, encoding: str, shown: str, tmp_path: Path
) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(b"plain,1\nplain," + word + b",2\n")
    answers = Answers(None)
    assert find_encoding(path, answers) == encoding
    assert answers.guessed == [
        f"In which encoding is some.csv? Guessed: {encoding} "
        f"(neither UTF-8 nor GBK; as {encoding} one word is {shown})."
    ]


@pytest.mark.parametrize("word", ["课程", "浏览"])
def test_a_single_chinese_word_for_a_column_or_an_event_tells_the_encoding(
    word: str, tmp_path: Path
) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(f"{word},user\n".encode("gbk") + "鎴鎴鎴鎴鎴\n".encode("gbk"))
    assert find_encoding(path, Answers(None)) == "gb18030"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Größe", "cp1252"),  # two letters that are one of Chinese
        ("créée", "cp1252"),
        ("não é opção", "latin-1"),
        ("название;цена", "cp1251"),
    ],
)
def test_letters_with_accents_side_by_side_are_no_chinese(
    text: str, encoding: str, tmp_path: Path
) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(f"{text};user\n1;2\n".encode(encoding))
    answers = Answers(None)
    assert find_encoding(path, answers) == "cp1252"
    assert "In which encoding is some.csv?" in answers.guessed[0]


@pytest.mark.parametrize(
    ("title", "encoding"), [("课课课課課", "gb18030"), ("课课課課課", "cp1252")]
)
def test_three_characters_of_five_must_be_frequent(
    title: str, encoding: str, tmp_path: Path
) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(title.encode("gbk"))
    assert find_encoding(path, Answers(None)) == encoding


def test_cyrillic_is_not_taken_for_chinese_and_is_told_as_a_guess(tmp_path: Path) -> None:
    path = tmp_path / "titles.csv"
    path.write_bytes(RUSSIAN.replace(" ", "\n").encode("cp1251"))
    answers = Answers(None)
    assert find_encoding(path, answers) == "cp1252"
    assert "In which encoding is titles.csv?" in answers.guessed[0]


def test_an_answer_is_taken_and_a_word_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "titles.csv"
    path.write_bytes(RUSSIAN.encode("cp1251"))
    asked = []
    answers = Answers(lambda question: asked.append(question) or "cp1251")  # type: ignore[func-returns-value]
    assert find_encoding(path, answers) == "cp1251"
    assert RUSSIAN.split(maxsplit=1)[0].encode("cp1251").decode("cp1252") in asked[0].why


def test_a_broken_byte_far_into_the_file_is_found_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SAMPLE", 4000)
    monkeypatch.setattr(reading, "BLOCK", 1000)
    path = tmp_path / "titles.csv"
    line = f"C1,{SIMPLIFIED}\n".encode()
    path.write_bytes(line * 200 + b"C2,\xe7\xba\n" + line * 9)
    with pytest.raises(BadInput, match="line 201 has bytes that are not UTF-8"):
        find_encoding(path, Answers(None))


@pytest.mark.parametrize(
    ("even", "odd", "expected"),
    [
        (0, 320, "utf-16-le"),
        (320, 0, "utf-16-be"),
        (0, 80, "utf-16-le"),
        (0, 79, None),
        (79, 0, None),
        (20, 80, "utf-16-le"),
        (80, 20, "utf-16-be"),
        (21, 80, None),
        (80, 21, None),
        (80, 80, None),
    ],
)
def test_zeros_at_every_other_byte_are_utf16_and_zeros_anywhere_a_binary_file(
    even: int, odd: int, expected: str | None, tmp_path: Path
) -> None:
    """Of 640 bytes a quarter of one half may be ASCII at least, and of the other a sixteenth."""
    pairs = [bytes((0 if n < even else 97, 0 if n >= 320 - odd else 98)) for n in range(320)]
    path = tmp_path / "some.csv"
    path.write_bytes(b"".join(pairs))
    if expected is None:
        with pytest.raises(BadInput, match="is a binary file; expected CSV or Parquet"):
            find_encoding(path, Answers(None))
    else:
        assert find_encoding(path, Answers(None)) == expected


@pytest.mark.parametrize(
    ("right", "torn"),
    [(0, 1), (1, 1), (2, 1), (2, 2), (48, 2), (50, 2), (99, 2), (98, 3), (148, 3)],
)
def test_a_few_broken_bytes_in_much_that_is_utf8_are_refused_and_not_taken_for_latin(
    right: int, torn: int, tmp_path: Path
) -> None:
    """One always may be, and a fiftieth of the characters beyond ASCII besides."""
    path = tmp_path / "some.csv"
    path.write_bytes("é,".encode() * right + b"\n" + b"\xff," * torn)
    if torn - 1 <= 0.02 * (right + torn) and right > 0:
        with pytest.raises(BadInput, match="line 2 has bytes that are not UTF-8"):
            find_encoding(path, Answers(None))
    else:
        assert find_encoding(path, Answers(None)) == "cp1252"


def test_text_in_utf16_that_begins_like_json_is_text(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = [f"浏览,u{n},c{n % 3},17000000{n}" for n in range(10, 40)]
    path.write_bytes("\n".join(["类型,user,item,time", *rows]).encode("utf-16-le"))
    assert path.read_bytes().startswith(b"{")
    assert init([path]).experiment.data.events[0].encoding == "utf-16-le"
