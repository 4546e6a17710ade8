"""From invented exports to prepared events that equal the truth, with no hand edit."""

import gzip
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from exports import ENGLISH, EXPORTS, START, ZONES, Export, log, text
from hypothesis import given, settings
from hypothesis import strategies as st

from recsweep.config.files import load_experiment
from recsweep.data.clock import microseconds
from recsweep.data.prepare import prepare
from recsweep.data.sealed import unseal
from recsweep.data.types import KINDS, Dataset
from recsweep.errors import BadInput
from recsweep.stages.init.questions import Question
from recsweep.stages.init.stage import Started, init, write


def written(root: Path, files: dict[str, bytes], **options: object) -> tuple[Path, Started]:
    """The experiment that `init` writes for the files."""
    for name, content in files.items():
        (root / name).write_bytes(content)
    started = init([root / name for name in files], **options)  # type: ignore[arg-type]
    path = root / "experiments" / "mine.yaml"
    write(started, path)
    assert load_experiment(path) == started.experiment
    return path, started


def prepared(root: Path, files: dict[str, bytes], **options: object) -> Dataset:
    path, _ = written(root, files, **options)
    return unseal(prepare(load_experiment(path), root))


def events_of(dataset: Dataset) -> list[tuple[str, str, int, str]]:
    events, users, items = dataset.development, dataset.users, dataset.items
    assert users is not None
    assert items is not None
    rows = zip(events.user, events.item, events.time, events.kind, strict=True)
    return sorted(
        (users["_id"][int(u)], items["_id"][int(i)], int(t), KINDS[k]) for u, i, t, k in rows
    )


def truth(kind: str | None = None) -> list[tuple[str, str, int, str]]:
    return sorted((user, item, microseconds(at), kind or what) for user, item, at, what in log())


def values(dataset: Dataset, column: str) -> dict[str, object]:
    """The last value of each id."""
    tables = (dataset.users, dataset.items, dataset.user_rows, dataset.item_rows)
    table = next(t for t in tables if t is not None and column in t.columns)
    return dict(table.select("_id", column).drop_nulls("_id").iter_rows())


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.__name__)
def test_an_export_gets_through_prepare_with_its_events_and_features_whole(
    export: Callable[[], Export], tmp_path: Path
) -> None:
    made = export()
    dataset = prepared(tmp_path, made.files, timezone=ZONES.get(export.__name__))
    assert events_of(dataset) == truth(made.kind)
    for column, numbers in made.numeric.items():
        assert values(dataset, column) == pytest.approx(numbers)
    for column, tags in made.tags.items():
        assert values(dataset, column) == tags


ISO = "%Y-%m-%d %H:%M:%S"


def events(stamp: Callable[[int], object], header: Sequence[str] | None = ENGLISH) -> bytes:
    """The log with the times that `stamp` gives to its rows."""
    return text(header, [(u, i, stamp(n), k) for n, (u, i, _, k) in enumerate(log())]).encode()


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("book.xlsx", b"PK\x03\x04" + bytes(60), "zip|workbook"),
        ("rounded.csv", events(lambda n: f"1.70{n:03}E+12"), "rounded by a spreadsheet"),
        ("serial.csv", events(lambda n: 45352.5 + n), "counts days, as spreadsheets do"),
        ("odd.csv", events(lambda n: "2024-03-05 10:00" if n != 7 else "05 March"),
         r"row 8: event_time is '05 March', and other times are '2024-03-05 10:00'"),
        ("header.csv", text(ENGLISH, []).encode(), "no row below its header"),
        ("torn.csv", text(ENGLISH, [("学员", "课程", "2024-03-01", "浏览")] * 90).encode()
         + b"\xe5\xad,c,2024-03-01,x\n", "line 92 has bytes that are not UTF-8"),
        ("untimed.csv", events(lambda n: "soon"), "no column holds times"),
        ("binary.csv", bytes(range(256)) * 9, "binary file"),
        ("words.csv", b"nothing\nto see\n", "no separator fits"),
        ("ids.csv", text(("a", "b", "c", "when"), [
            (u, i, n % 90, at.strftime(ISO)) for n, (u, i, at, _) in enumerate(log())
        ]).encode(), r"Which column .* holds the learner\?.*--user"),
        ("codes.csv", text(("user_id", "item_id", "time", "behavior"), [
            (u, i, at.strftime(ISO), n % 4) for n, (u, i, at, _) in enumerate(log())
        ]).encode(), r"What does '\d' in behavior .* mean\?"),
        ("ambiguous.csv", events(lambda n: f"0{n % 3 + 1}/0{n % 3 + 1}/2024"), None),
        ("days.csv", events(lambda n: f"0{n * 7 % 5 + 1}/0{n * 3 % 5 + 1}/2024"),
         "the day or the month"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_surely_is_refused_in_a_line(
    name: str, content: bytes, problem: str | None, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    if problem is None:  # both readings say the same
        init([tmp_path / name])
        return
    with pytest.raises(BadInput, match=problem) as refused:
        init([tmp_path / name])
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


def answering(answers: dict[str, str], asked: list[Question]) -> Callable[[Question], str]:
    """Answers by a word of the question; keeps what was asked."""

    def ask(question: Question) -> str:
        asked.append(question)
        return next(answer for word, answer in answers.items() if word in question.text)

    return ask


def test_what_is_open_is_asked_once_and_the_answers_are_kept(tmp_path: Path) -> None:
    rows = [(i, u, at.strftime(ISO), KINDS.index(k)) for u, i, at, k in log()]
    content = text(("a", "b", "at", "behavior"), rows).encode()
    asked: list[Question] = []
    answers = {"learner": "b", "course": "a", "'0'": "browse", "'1'": "favourite",
               "'2'": "purchase", "'3'": "comment", "zone": "Asia/Shanghai"}  # fmt: skip
    dataset = prepared(tmp_path, {"log.csv": content}, ask=answering(answers, asked))
    later = timedelta(hours=8)
    assert events_of(dataset) == sorted(
        (u, i, microseconds(at - later), k) for u, i, at, k in log()
    )
    assert len(asked) == 7


@pytest.mark.parametrize(("courses", "seen"), [(3, "keep"), (37, "drop")])
def test_where_learners_come_back_to_a_course_it_may_be_a_target_again(
    courses: int, seen: str, tmp_path: Path
) -> None:
    rows = [
        (f"S{n % 4}", f"C{n % courses}", (START + timedelta(minutes=n)).isoformat(), KINDS[0])
        for n in range(120)
    ]
    _, started = written(tmp_path, {"log.csv": text(ENGLISH, rows).encode()})
    assert started.experiment.targets.seen == seen


def test_nothing_is_asked_where_all_is_plain(tmp_path: Path) -> None:
    content = events(lambda n: (START + timedelta(minutes=151 * n)).isoformat())
    asked: list[Question] = []
    assert events_of(prepared(tmp_path, {"e.csv": content}, ask=answering({}, asked))) == truth()
    assert asked == []


def test_an_event_that_undoes_another_or_is_unknown_is_dropped_and_told(tmp_path: Path) -> None:
    rows = [(u, i, at.isoformat(), k) for u, i, at, k in log()]
    rows += [
        ("S001", "C01", START.isoformat(), word) for word in ("取消收藏", "unlike", "add_to_cart")
    ]
    path, started = written(tmp_path, {"log.csv": text(ENGLISH, rows).encode()})
    assert len(started.guessed) == 3
    assert all("Guessed: drop" in guess for guess in started.guessed)
    assert "Not in values, so dropped and counted: " in path.read_text("utf-8")
    assert events_of(unseal(prepare(load_experiment(path), tmp_path))) == truth()


def test_a_log_and_a_table_without_headers_are_told_apart_by_their_times(tmp_path: Path) -> None:
    """As MovieLens and MovieTweetings have them, a rating between ids and times."""
    rows = [
        f"{u[1:]}::{i[1:]}::{n % 11}::{int(at.timestamp())}"
        for n, (u, i, at, _) in enumerate(log())
    ]
    kinds = ("Drama", "Drama|Comedy", "Crime|Comedy")
    items = [f"{n:02}::The film number {n}::{kinds[n % 3]}" for n in range(25)]
    files = {"movies.dat": "\n".join(items).encode(), "ratings.dat": "\n".join(rows).encode()}
    path, started = written(tmp_path, files)
    table = started.experiment.data.items
    assert table is not None
    assert (table.key, table.tags) == ("column_1", {"column_3": "|"})
    expected = sorted((u[1:], i[1:], t, k) for u, i, t, k in truth("rate"))
    assert events_of(unseal(prepare(load_experiment(path), tmp_path))) == expected


def test_rows_without_an_id_or_a_time_are_left_to_prepare(tmp_path: Path) -> None:
    rows: list[Sequence[object]] = [(u, i, int(at.timestamp()), k) for u, i, at, k in log()]
    rows[5:5] = [("S001", "C01", "NULL", "browse"), ("", "C01", 1_700_000_000, "browse")]
    rows += [("S001", "C01", 0, "browse")]  # 1970
    assert events_of(prepared(tmp_path, {"log.csv": text(ENGLISH, rows).encode()})) == truth()


def test_a_file_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    path, _ = written(tmp_path, {"log.csv": events(lambda n: 1_700_000_000 + n)})
    log_file = path.parents[1] / "log.csv"
    with pytest.raises(BadInput, match="is given twice"):
        init([log_file, log_file])


def test_counts_of_what_learners_did_are_left_out_unless_they_are_dated(tmp_path: Path) -> None:
    rows = [(f"C{n:02}", n, n / 5, f"About {n}") for n in range(25)]
    courses = text(("course_id", "price", "rating", "intro"), rows)
    files = {"log.csv": events(lambda n: 1_700_000_000 + n), "courses.csv": courses.encode()}
    path, started = written(tmp_path, files)
    items = started.experiment.data.items
    assert items is not None
    assert (items.numeric, items.text) == (("price",), ("intro",))
    told = path.read_text("utf-8")
    assert "Left out: rating (counts what learners did" in told
    assert "# Since when is a row known? Name a column of times as valid_from" in told


@pytest.mark.parametrize(("zone", "told"), [("Asia/Shanghai", "Asia/Shanghai"), ("UTC", None)])
def test_the_zone_of_times_is_told_of_the_log_and_of_tables_unless_it_is_utc(
    zone: str, told: str | None, tmp_path: Path
) -> None:
    times = [f"2024-03-01 10:{n:02}:00" for n in range(60)]
    log = [f"L{n % 12},C{n * 7 % 25:02},{time}" for n, time in enumerate(times)]
    courses = [f"C{n:02},{n * 7 % 4}.5,{times[n]}" for n in range(25)]
    for name, head, rows in (
        ("log.csv", "learner_id,course_id,time", log),
        ("courses.csv", "course_id,price,updated_at", courses),
    ):
        (tmp_path / name).write_text("\n".join([head, *rows]) + "\n")
    data = init([tmp_path / "log.csv", tmp_path / "courses.csv"], timezone=zone).experiment.data
    assert data.events[0].timezone == told
    assert data.items is not None
    assert (data.items.valid_from, data.items.timezone) == ("updated_at", told)


def test_a_table_of_labelled_sessions_becomes_a_study_of_purchases(tmp_path: Path) -> None:
    rows = [
        (f"s{n}", n % 31, ("家", "公司")[n % 2], f"{n % 7},5", ("否", "是")[n % 5 == 0])
        for n in range(300)
    ]
    content = text(("session_id", "pages", "地点", "分钟", "是否购买"), rows, ";").encode("gbk")
    path, started = written(tmp_path, {"sessions.csv": content})
    table = started.experiment.data.sessions
    assert started.experiment.task == "purchase"
    assert table is not None
    assert (table.label, table.positive) == ("是否购买", ("是",))
    assert (table.numeric, table.categorical) == (("pages", "分钟"), ("地点",))
    assert table.decimal == ","
    dataset = unseal(prepare(load_experiment(path), tmp_path))
    assert sum(KINDS[kind] == "purchase" for kind in dataset.development.kind) == 60


def test_packed_files_escapes_and_preambles_are_seen_through(tmp_path: Path) -> None:
    rows = [f'{u},{i},{at.isoformat()},{k},"5\\" disc, new"' for u, i, at, k in log()]
    body = "\n".join(["Report of March", "", ",".join((*ENGLISH, "note")), *rows]) + "\n"
    dataset = prepared(tmp_path, {"events.csv.gz": gzip.compress(body.encode())})
    assert events_of(dataset) == truth()


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    frame = pl.DataFrame(log(), schema=list(ENGLISH), orient="row")
    frame.write_parquet(tmp_path / "events.parquet")
    started = init([tmp_path / "events.parquet"])
    assert started.experiment.data.events[0].format == "parquet"
    assert events_of(unseal(prepare(started.experiment, tmp_path))) == truth()


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path, started = written(tmp_path, {"log.csv": events(lambda n: 1_700_000_000 + n)})
    path.write_text("mine")
    with pytest.raises(BadInput, match="exists already; write elsewhere with --output"):
        write(started, path)
    assert path.read_text() == "mine"
    write(started, path, force=True)
    assert load_experiment(path) == started.experiment


def test_a_table_that_shares_no_id_with_the_log_is_refused(tmp_path: Path) -> None:
    other = text(("course_id", "level"), [(f"K{n}", "easy") for n in range(9)]).encode()
    files = {"log.csv": events(lambda n: 1_700_000_000 + n), "other.csv": other}
    with pytest.raises(BadInput, match=r"other.csv: no column shares an id with the log"):
        written(tmp_path, files)


WORDS = tuple(
    dict(zip(("browse", "favourite", "purchase", "comment"), words, strict=True))
    for words in (
        ("浏览", "收藏", "购买", "评论"),
        ("view", "add_to_wishlist", "order_paid", "review"),
        ("PageView", "Liked", "enrolled", "Commented"),
        ("瀏覽", "收藏", "購買", "評論"),
    )
)
HEADERS = (
    ("user_id", "course_id", "event_time", "event_type"),
    ("學員編號", "課程編號", "時間", "行為"),
    ("用户ID", "商品ID", "操作时间", "类型"),
    ("member", "product", "date", "action"),
)
STAMPS = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p",
          "%Y%m%d%H%M%S", "%b %d, %Y %H:%M", "%Y年%m月%d日 %H:%M",
          "%Y-%m-%d %H:%M:%S,%f")  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"]),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    words=st.sampled_from(WORDS),
    header=st.sampled_from(HEADERS),
    stamp=st.sampled_from(STAMPS),
    order=st.permutations(range(4)),
)
def test_any_mix_of_encoding_separator_words_and_times_is_read(
    tmp_path_factory: pytest.TempPathFactory, encoding: str, separator: str,
    words: dict[str, str], header: Sequence[str], stamp: str, order: Sequence[int],
) -> None:  # fmt: skip
    def put(row: Sequence[str]) -> list[str]:
        return [row[place] for place in order]

    rows = [put((u, i, at.strftime(stamp), words[k])) for u, i, at, k in log()]
    content = text(put(header), rows, separator, "\r\n")
    path = tmp_path_factory.mktemp("mix") / "log.csv"
    path.write_bytes(content.encode(encoding))
    experiment = init([path], timezone="UTC").experiment
    assert events_of(unseal(prepare(experiment, path.parent))) == truth()
