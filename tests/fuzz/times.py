"""Times as logs write them, against datetime and zoneinfo."""

import contextlib
import random
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from recsweep.config.files import validate
from recsweep.config.schema import UNITS, EventTable
from recsweep.data.times import to_microseconds
from recsweep.errors import BadInput

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = (
    "Europe/Berlin", "America/Los_Angeles", "Asia/Shanghai", "Asia/Kolkata", "Australia/Lord_Howe",
    "America/Argentina/Buenos_Aires", "Africa/Casablanca", "Etc/GMT+5", "UTC",
)  # fmt: skip
DATES = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%y", "%d.%m.%Y", "%Y%m%d", "%d %b %Y", "%B %d, %Y", "%Y-%j")
CLOCKS = ("%H:%M:%S", "%H:%M", "%H%M%S", "%I:%M:%S %p", "%I:%M %p", "%Hh%M")
FRACTIONS = ("", "", ".%f", ",%f", ":%f", " %f")
OFFSETS = ("", "", "%z", " %z", " %Z")


class Times:
    """No files: columns of text."""

    def __init__(self, root: Path) -> None:
        del root

    def case(self, rng: random.Random) -> tuple[str, str | None]:
        """What was to be read, and the problem, if datetime reads something else."""
        texts, time_format, right = rng.choice((_patterns, _patterns, _iso, _numbers))(rng)
        said = f"{time_format} {texts}"
        keys = {"path": "x", "user": "u", "item": "i", "time": "t", "time_format": time_format}
        try:
            table = validate(EventTable, keys, "fuzz")
            found = to_microseconds(pl.Series("t", texts, pl.String), table.time_format).to_list()
        except BadInput as error:
            return said, f"more than a line: {error}" if "\n" in str(error) else None
        # None: unread, which `prepare` refuses with its row.
        wrong = [
            f"{text!r} is {one}, expected {other}"
            for text, one, other in zip(texts, found, right, strict=True)
            if one is not None and one != other
        ]
        return said, "; ".join(wrong) or None


def micro(moment: datetime) -> int:
    """Exact; one without a zone is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(microseconds=1)


def _moment(rng: random.Random) -> datetime:
    return EPOCH + timedelta(microseconds=rng.randint(631_152_000 * 10**6, 3_000_000_000 * 10**6))


def _patterns(rng: random.Random) -> tuple[list[str], str, list[int | None]]:
    clock = rng.choice(CLOCKS)
    fraction = rng.choice(FRACTIONS) if clock.endswith("%S") else ""
    pattern = rng.choice(DATES) + rng.choice((" ", " ", "T", "_")) + clock + fraction
    offset = rng.choice(OFFSETS)
    if rng.random() < 0.1 and offset != "%z":
        pattern, offset = f"{offset.strip()} {pattern}".strip(), ""
    pattern += offset
    digits = rng.choice((3, 6, 6, 1, 2, 5))
    texts: list[str] = []
    right: list[int | None] = []
    for _ in range(rng.randint(1, 5)):
        name = rng.choice(ZONES)
        local = _moment(rng).astimezone(ZoneInfo(name))
        short = rng.random() < 0.2
        zone = local.strftime("%Z") if short else name
        cut = f"{local.microsecond:06}"[:digits]
        text = local.strftime(pattern.replace("%f", cut).replace("%Z", zone))
        damaged = _damaged(text, rng)
        # Of a text that datetime can't read, nobody knows what is right.
        if rng.random() < 0.3 and _by_python(damaged, pattern) is not None:
            text = damaged
        texts.append(text)
        right.append(_by_python(text, pattern))
    return texts, pattern, right


def _by_python(text: str, pattern: str) -> int | None:
    """What datetime reads; a zone's full name is put in its place by zoneinfo."""
    zone = None
    if "%Z" in pattern:
        words = text.split()
        at = pattern.split().index("%Z")
        if at >= len(words):
            return None
        found = words[at]
        if "/" not in found and found not in ("UTC", "GMT"):
            return None
        try:
            zone = ZoneInfo(found)
        except (ValueError, KeyError, OSError):
            return None
        text = text.replace(found, "UTC")
    try:
        moment = datetime.strptime(text, pattern)
    except ValueError:
        return None
    if zone is not None:
        moment = moment.replace(tzinfo=zone)
    return micro(moment)


def _iso(rng: random.Random) -> tuple[list[str], str, list[int | None]]:
    texts = []
    for _ in range(rng.randint(1, 5)):
        minutes = rng.choice((0, 0, 60, -480, 330, 345, 480))
        moment = _moment(rng).astimezone(timezone(timedelta(minutes=minutes)))
        if rng.random() < 0.4:
            moment = moment.replace(tzinfo=None)
        precision = rng.choice(("auto", "seconds", "milliseconds", "microseconds", "minutes"))
        text = moment.isoformat(rng.choice((" ", "T")), precision)
        if rng.random() < 0.3:
            text = text.replace("+00:00", "Z")
        damaged = _damaged(text, rng)
        texts.append(damaged if rng.random() < 0.3 and _by_iso(damaged) is not None else text)
    return texts, "iso", [_by_iso(text) for text in texts]


def _by_iso(text: str) -> int | None:
    with contextlib.suppress(ValueError):
        return micro(datetime.fromisoformat(text))
    return None


def _numbers(rng: random.Random) -> tuple[list[str], str, list[int | None]]:
    form = rng.choice(list(UNITS))
    texts, right = [], []
    for _ in range(rng.randint(1, 5)):
        time = micro(_moment(rng))
        if UNITS[form] == 10**9:
            texts.append(f"{time}{rng.randrange(1000):03}")
        elif UNITS[form] == 10**6:
            texts.append(str(time))
        else:
            places = 6 if UNITS[form] == 1 else 3
            whole, rest = divmod(time, 10**places)
            texts.append(f"{whole}.{rest:0{places}}" if rng.random() < 0.6 else str(whole))
            time = time if "." in texts[-1] else whole * 10**places
        right.append(time)
    return texts, form, [*right]


def _damaged(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text))
    return text[:at] + rng.choice(("", "0", "9", ":", " ", "Z", "x", "+")) + text[at + 1 :]
