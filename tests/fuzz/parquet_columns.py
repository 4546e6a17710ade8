"""Logs in Parquet whose columns have every type, against plain Python values."""

import math
import random
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsweep.config.schema import NO_VALUE, UNITS, EventTable, TimeLimits
from recsweep.data.cleaning import clean
from recsweep.data.reading import read_batches
from recsweep.errors import BadInput

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LIMITS = (631_152_000 * 10**6, 4_102_444_800 * 10**6)
IDS: dict[str, tuple[pa.DataType, tuple[Any, ...]]] = {
    "int8": (pa.int8(), (0, 1, 7, -1, None)),
    "int32": (pa.int32(), (0, 1, 2_000_000_000, -1, -7, None)),
    "int64": (pa.int64(), (0, 9_007_199_254_740_993, -1, None)),
    "uint64": (pa.uint64(), (0, 18_446_744_073_709_551_615, None)),
    "string": (pa.string(), ("u1", "007", " x ", "", " ", "NULL", "nan", "课程", "1.0", None)),
    "large_string": (pa.large_string(), ("u1", "-1", "\\N", "a,b", 'q"q', None)),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), ("u1", "u2", "None", None)),
    "whole decimal": (pa.decimal128(38, 0), (Decimal(5), Decimal(10**30), Decimal(-1), None)),
    "null": (pa.null(), (None,)),
}
NO_IDS: dict[str, tuple[pa.DataType, tuple[Any, ...]]] = {
    "float64": (pa.float64(), (1.0, 2.5, math.nan)),
    "float32": (pa.float32(), (1.0, 16_777_217.0)),
    "bool": (pa.bool_(), (True, False)),
    "binary": (pa.binary(), (b"u1", b"\xff")),
    "list": (pa.list_(pa.int64()), ([1], [])),
    "struct": (pa.struct({"a": pa.int64()}), ({"a": 1},)),
    "date": (pa.date32(), (date(2024, 1, 1),)),
    "timestamp": (pa.timestamp("us"), (datetime(2024, 1, 1),)),
}
NO_TIMES: dict[str, tuple[pa.DataType, tuple[Any, ...]]] = {
    "float32": (pa.float32(), (1.7e9, 0.0)),
    "time": (pa.time64("us"), (time(12),)),
    "duration": (pa.duration("us"), (timedelta(5),)),
    "bool": (pa.bool_(), (True,)),
    "list": (pa.list_(pa.int64()), ([1],)),
    "binary": (pa.binary(), (b"1700000000",)),
}


class ParquetColumns:
    """One file, written anew for every case."""

    def __init__(self, root: Path) -> None:
        self.path = root / "log.parquet"

    def case(self, rng: random.Random) -> tuple[str, str | None]:
        """What types there were, and the problem, if there is one."""
        rows = rng.randint(1, 9)
        moments: list[int | None]
        columns, names, refused = {}, [], False
        for key in ("user", "item"):
            bad = rng.random() < 0.1
            name = rng.choice(list(NO_IDS if bad else IDS))
            kind, values = (NO_IDS if bad else IDS)[name]
            columns[key] = pa.array([rng.choice(values) for _ in range(rows)], kind)
            names.append(name)
            refused |= bad
        if rng.random() < 0.15:
            name = rng.choice(list(NO_TIMES))
            kind, values = NO_TIMES[name]
            columns["time"] = pa.array([rng.choice(values) for _ in range(rows)], kind)
            moments, time_format, refused = [None] * rows, rng.choice(("unix", "iso")), True
        else:
            name, columns["time"], moments, time_format = _times(rows, rng)
        said = f"{names} {name} {time_format} {[c.to_pylist() for c in columns.values()]}"
        pq.write_table(
            pa.table(columns),
            self.path,
            compression=rng.choice(("none", "snappy", "zstd", "gzip")),
            use_dictionary=rng.random() < 0.5,
            row_group_size=rng.choice((1, 3, 100)),
        )
        found = self._read(time_format)
        if isinstance(found, str):
            right = refused and "\n" not in found
            return said, None if right else f"refused: {found}"
        if refused:
            return said, f"read as {found}"
        right_rows = _kept(columns["user"].to_pylist(), columns["item"].to_pylist(), moments)
        return said, None if found == right_rows else f"read {found}, expected {right_rows}"

    def _read(self, time_format: str) -> list[tuple[str, str, int]] | str:
        table = EventTable(
            path=str(self.path),
            format="parquet",
            user="user",
            item="item",
            time="time",
            time_format=time_format,
        )
        try:
            batches = read_batches(table, self.path, ["user", "item", "time"])
            cleaned = clean(batches, table, TimeLimits(), self.path)
        except BadInput as error:
            return str(error)
        return cleaned.events.select("user", "item", "time").rows()


def _kept(users: list[Any], items: list[Any], moments: list[int | None]) -> list[Any]:
    rows = []
    for user, item, moment in zip(users, items, moments, strict=True):
        known = [None if v is None or str(v).strip() in NO_VALUE else str(v) for v in (user, item)]
        if None not in known and moment is not None and LIMITS[0] <= moment < LIMITS[1]:
            rows.append((*known, moment))
    return rows


def _times(rows: int, rng: random.Random) -> tuple[str, pa.Array, list[int | None], str]:
    """A name, the column, exact microseconds, and its format."""
    micro = [rng.randint(LIMITS[0] - 10**12, LIMITS[1] + 10**12) for _ in range(rows)]
    gone = [rng.random() < 0.15 for _ in range(rows)]
    form = rng.choice(list(UNITS))
    unit = UNITS[form]
    exact = [Fraction(m * unit, 10**6) for m in micro]
    values: list[Any]
    match rng.randrange(5):
        case 0:
            whole = [m // 10**6 * 10**6 if unit == 1 else m // 1000 * 1000 for m in micro]
            values = [m * unit // 10**6 for m in whole]
            return _column(f"int64 {form}", values, gone, pa.int64(), whole, form)
        case 1:
            scale = rng.choice((6, 9))
            values = [Decimal(x.numerator) / Decimal(x.denominator) for x in exact]
            kind = pa.decimal128(38, scale)
            return _column(f"decimal {form}", values, gone, kind, micro, form)
        case 2:
            return _column("float64", [m / 1e6 for m in micro], gone, pa.float64(), micro, "unix")
        case 3:
            zone = rng.choice((None, "UTC", "Asia/Shanghai", "America/New_York"))
            unit_name = rng.choice(("ms", "us", "ns"))
            if unit_name == "ms":
                micro = [m // 1000 * 1000 for m in micro]
            factor = {"ms": Fraction(1, 1000), "us": Fraction(1), "ns": Fraction(1000)}[unit_name]
            kind = pa.timestamp(unit_name, zone)
            values = [int(m * factor) for m in micro]
            return _column(f"{kind}", values, gone, kind, micro, rng.choice(("iso", form)))
        case _:
            days = [m // 86_400_000_000 for m in micro]
            micro = [d * 86_400_000_000 for d in days]
            values = [(EPOCH + timedelta(d)).date() for d in days]
            return _column("date", values, gone, pa.date32(), micro, "iso")


def _column(
    name: str, values: list[Any], gone: list[bool], kind: pa.DataType, micro: list[int], form: str
) -> tuple[str, pa.Array, list[int | None], str]:
    kept = [None if g else v for g, v in zip(gone, values, strict=True)]
    moments = [None if g else m for g, m in zip(gone, micro, strict=True)]
    return name, pa.array(kept, kind), moments, form
