"""Invented exports of one log, each as another platform would write it, and the truth of it."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
START = datetime(2024, 3, 1, 1, 30, tzinfo=UTC)
KINDS = ("browse", "browse", "favourite", "browse", "purchase", "comment")

Event = tuple[str, str, datetime, str]
Row = Sequence[object]


def log() -> list[Event]:
    """480 events of 40 learners on 25 courses over 50 days, at whole minutes, in order."""
    return [
        (
            f"S{n * 7 % 40:03}",
            f"C{(n * n + n // 9) % 25:02}",
            START + timedelta(minutes=151 * n),
            KINDS[n % 6],
        )
        for n in range(480)
    ]


def chinese(kind: str) -> str:
    return {"browse": "浏览", "favourite": "收藏", "purchase": "购买", "comment": "评论"}[kind]


def text(header: Row | None, rows: Sequence[Row], separator: str = ",", end: str = "\n") -> str:
    """CSV as Python writes it."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator=end)
    writer.writerows([*([header] if header else []), *rows])
    return out.getvalue()


@dataclass(frozen=True)
class Export:
    """Files by name, and what their reader must find."""

    files: dict[str, bytes]
    numeric: dict[str, dict[str, float]] = field(default_factory=dict)  # column -> course -> number
    tags: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # column -> id -> tags
    kind: str | None = None  # of all events; None: each its own


def _rows(stamp: Callable[[datetime], object], kind: Callable[[str], str] = str) -> list[Row]:
    return [(user, item, stamp(at), kind(what)) for user, item, at, what in log()]


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


def _excel(at: datetime) -> str:
    local = at.astimezone(SHANGHAI)
    return f"{local.year}/{local.month}/{local.day} {local.hour}:{local.minute:02}"


def _courses(cells: Callable[[int], Row], header: Row, **options: str) -> str:
    return text(header, [(f"C{n:02}", *cells(n)) for n in range(25)], **options)


ENGLISH = ("user_id", "course_id", "event_time", "event")
CHINESE = ("学员编号", "课程编号", "操作时间", "行为类型")
PLAIN = text(ENGLISH, _rows(lambda at: at.isoformat().replace("+00:00", "Z")))


def utf8() -> Export:
    return Export({"events.csv": PLAIN.encode()})


def byte_order_mark() -> Export:
    return Export({"events.csv": PLAIN.encode("utf-8-sig")})


def gbk() -> Export:
    rows = _rows(lambda at: _iso(at.astimezone(SHANGHAI)), chinese)
    return Export({"行为日志.csv": text(CHINESE, rows, end="\r\n").encode("gbk")})


def utf16() -> Export:
    """Excel's "Unicode text"."""
    rows = _rows(lambda at: _iso(at.astimezone(SHANGHAI)), chinese)
    return Export({"log.txt": text(CHINESE, rows, "\t", "\r\n").encode("utf-16")})


def semicolons() -> Export:
    """Excel in Germany: a course's price has a decimal comma."""
    rows = _rows(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S+00:00"))
    prices = {f"C{n:02}": 1000 * (n % 3) + n + 0.5 for n in range(25)}
    written = {c: f"{p:,.2f} €".translate(str.maketrans(",.", ".,")) for c, p in prices.items()}
    header = ("course_id", "titel", "preis")
    courses = _courses(lambda n: (f"Kurs {n}", written[f"C{n:02}"]), header, separator=";")
    files = {
        "events.csv": text(ENGLISH, rows, ";").encode("cp1252"),
        "kurse.csv": courses.encode("cp1252"),
    }
    return Export(files, numeric={"preis": prices})


def tabs() -> Export:
    header = ("uid:token", "item_id:token", "timestamp:float", "type:token")
    return Export({"log.inter": text(header, _rows(lambda at: int(at.timestamp())), "\t").encode()})


def excel() -> Export:
    """A mark, a line that names the separator, days without zeros, empty rows at the end."""
    body = text(CHINESE, _rows(_excel, chinese), end="\r\n")
    return Export({"导出.csv": f"sep=,\r\n{body},,,\r\n,,,\r\n".encode("utf-8-sig")})


def days_first() -> Export:
    rows = _rows(lambda at: at.astimezone(BERLIN).strftime("%d.%m.%Y %H:%M"))
    return Export({"ereignisse.csv": text(("Kunde", "Kurs", "Zeit", "Aktion"), rows, ";").encode()})


def offsets() -> Export:
    rows = _rows(lambda at: at.astimezone(SHANGHAI).isoformat())
    return Export(
        {"events.csv": text(("userId", "courseId", "createdAt", "action"), rows).encode()}
    )


def milliseconds() -> Export:
    """No header, and identifiers that don't tell."""
    rows = [(u, i, k, int(at.timestamp() * 1000)) for u, i, at, k in log()]
    return Export({"clicks.csv": text(None, rows).encode()})


def tens_of_thousands() -> Export:
    """Snapshots of the courses: a row each month, with counts such as 1.2万."""
    months = ("2024-02-01", "2024-04-01")
    counts = {f"C{n:02}": (n + 1) * 1300 for n in range(25)}
    rows = [
        (course, day, f"{count / 10_000:g}万" if count >= 10_000 else str(count))
        for course, count in counts.items()
        for day in months
    ]
    files = {
        "log.csv": text(CHINESE, _rows(lambda at: int(at.timestamp()), chinese)).encode(),
        "课程.csv": text(("课程编号", "更新时间", "学习人数"), rows).encode(),
    }
    return Export(files, numeric={"学习人数": {c: float(n) for c, n in counts.items()}})


def yuan() -> Export:
    """Orders; prices with a sign and groups, 免费, titles with commas, learners' interests."""
    prices = {f"C{n:02}": 0.0 if n % 5 == 0 else 899.0 + 200 * n for n in range(25)}
    written = {c: f"¥{p:,.2f}" if p else "免费" for c, p in prices.items()}
    header = ("课程ID", "课程名称", "类目", "价格", "上架时间")
    kinds = ("语言", "编程", "设计")

    def course(n: int) -> Row:
        return f"数据分析, 第{n}课", kinds[n % 3], written[f"C{n:02}"], "2024-01-05"

    courses = _courses(course, header)
    liked = (["编程", "写作"], ["设计"], ["编程", "绘画", "设计"])
    interests = {f"S{n:03}": liked[n % 3] for n in range(40)}
    learners = text(("学员ID", "兴趣"), [(u, "、".join(tags)) for u, tags in interests.items()])
    rows = [(n, *row[:3], "¥9.90") for n, row in enumerate(_rows(_excel))]
    files = {
        "订单.csv": text(("订单号", "学员ID", "课程ID", "下单时间", "金额"), rows).encode(),
        "课程.csv": courses.encode(),
        "学员.csv": learners.encode(),
    }
    return Export(files, {"价格": prices}, {"兴趣": interests}, kind="purchase")


EXPORTS = (
    utf8, byte_order_mark, gbk, utf16, semicolons, tabs, excel, days_first, offsets, milliseconds,
    tens_of_thousands, yuan,
)  # fmt: skip

ZONES = {"days_first": "Europe/Berlin"}
"""What no file tells, and no guess gets right."""
