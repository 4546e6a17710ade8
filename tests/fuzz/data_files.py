"""Mutated raw tables, through `prepare`: damaged bytes, and wrong cells in a well-formed file."""

import csv
import gzip
import io
import json
import math
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from fuzz import mutate
from fuzz.command import Ended, files, half_written, recsweep
from fuzz.configurations import experiment, write_learners, write_log

CELLS = (
    "", " ", "  x ", "u01", "C1", "view", "?", "-1", "0", "1e9", "1000000000.25", "1e400",
    "99999999999999999999", "-99999999999", "4102444800", "631151999", "nan", "inf", "yesterday",
    "2020-01-01", "two\nlines", 'a "quoted" word', "semi;colon", "comma, here", "é", "学",
    "\x0b", "1_000", "0x10", "１２", " 1000000000", "1000000000 ", "+1000000000",
    "true", "None", "NaN", "'",
)  # fmt: skip
FORMATS = ("csv", "gz", "tsv", "split", "latin", "parquet", "learners")
NO_VALUE = ("", "-1", "nan", "NaN", "None")  # those of CELLS
LIMITS = (631_152_000, 4_102_444_800)
Rows = list[list[str]]


class DataFiles:
    """A small project whose raw tables are damaged again and again."""

    def __init__(self, root: Path) -> None:
        self.root = root / "above" / "project"
        self.root.mkdir(parents=True)
        shutil.copytree(Path(__file__).parents[2] / "search_spaces", self.root / "search_spaces")
        write_log(self.root / "log.csv")
        write_learners(self.root / "learners.csv")
        with (self.root / "log.csv").open(encoding="utf-8", newline="") as file:
            self.rows: Rows = list(csv.reader(file))

    def case(self, rng: random.Random) -> tuple[str, str | None]:
        """What was done, and the problem, if it brought one to light."""
        shape = rng.choice(FORMATS)
        cells = shape in ("csv", "gz") and rng.random() < 0.6
        keys = _keys(shape)
        rows, said = _wrong_cells(self.rows, rng) if cells else (self.rows, "")
        whole = (
            (self.root / "learners.csv").read_bytes()
            if shape == "learners"
            else _written(rows, shape)
        )
        content = whole
        if not cells:
            content, said = _damaged(whole, shape, rng)
        if shape == "gz":
            content = gzip.compress(content, mtime=0)
            if not cells and rng.random() < 0.7:
                content, said = mutate.octets(gzip.compress(whole, mtime=0), rng)
        name = keys["data"]["events"][0]["path"]
        if shape == "learners":
            name = keys["data"]["users"]["path"] = "damaged.csv"
            (self.root / "log.csv").write_bytes(_written(self.rows, "csv"))
        (self.root / name).write_bytes(content)
        (self.root / "tiny.yaml").write_text(yaml.safe_dump(keys))
        try:
            return f"{shape}: {said}", self._check(rows if cells else None)
        finally:
            shutil.rmtree(self.root / "data", ignore_errors=True)
            (self.root / "log.csv").write_bytes(_written(self.rows, "csv"))

    def _check(self, rows: Rows | None) -> str | None:
        before = files(self.root.parent)
        ended = recsweep(self.root, "prepare", "tiny.yaml")
        if problem := ended.problem():
            return problem
        new = files(self.root.parent) - before
        if half := half_written(new):
            return f"half written: {half}"
        manifests = list(self.root.glob("data/*/manifest.json"))
        if not ended.done and "sealed test:" in ended.err:
            return None if len(manifests) == 1 else "a test was refused, and nothing prepared"
        if not ended.done:
            return (
                f"refused, yet there is {new}"
                if new - {"project/data"}
                else (None if rows is None else _refusal(rows, ended))
            )
        if len(manifests) != 1:
            return f"accepted with {len(manifests)} prepared folders"
        manifest = json.loads(manifests[0].read_text("utf-8"))
        (cleaning,) = manifest["cleaning"]
        if cleaning["kept"] + sum(cleaning["dropped"].values()) != cleaning["rows"]:
            return f"rows do not add up: {cleaning}"
        again = recsweep(self.root, "prepare", "tiny.yaml")
        if not again.done:
            return f"prepared, and then refused: {again.err}"
        return None if rows is None else _wrong(rows, manifest)


def counted(rows: Rows) -> tuple[Counter[str], int, bool]:
    """Rows by the first rule that they break, distinct events, and whether a time can't be read.

    Written anew with nothing but the standard library.
    """
    dropped: Counter[str] = Counter()
    kept, unread = set(), False
    for user, item, time, kind in rows[1:]:
        seconds = _seconds(time)
        unread |= time.strip() not in NO_VALUE and seconds is None
        if user.strip() in NO_VALUE:
            dropped["no user id"] += 1
        elif item.strip() in NO_VALUE:
            dropped["no item id"] += 1
        elif seconds is None:
            dropped["no time"] += 1
        elif kind not in ("view", "buy"):
            dropped["event type not in the mapping"] += 1
        elif not LIMITS[0] <= seconds < LIMITS[1]:
            dropped["time outside the limits"] += 1
        else:
            kept.add((user, item, round(seconds * 1e6), kind))
    return dropped, len(kept), unread


def _seconds(text: str) -> float | None:
    if text != text.strip() or "_" in text or not text.isascii():
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return (
        None
        if math.isnan(value) or text.lower().strip("+-") in ("inf", "infinity", "1e400")
        else value
    )


def _refusal(rows: Rows, ended: Ended) -> str | None:
    _, _, unread = counted(rows)
    return None if unread else f"refused without need: {ended.err}"


def _wrong(rows: Rows, manifest: dict[str, Any]) -> str | None:
    dropped, kept, unread = counted(rows)
    if unread:
        return "accepted with a time that can't be read"
    found = {rule: n for rule, n in manifest["cleaning"][0]["dropped"].items() if n}
    events = manifest["development"]["events"] + manifest["sealed_test"]["events"]
    if found != dropped or events != kept:
        return f"counted {dict(dropped)} and {kept} events, found {found} and {events}"
    return None


def _keys(shape: str) -> dict[str, Any]:
    keys = experiment()
    (event,) = keys["data"]["events"]
    del keys["features"]
    if shape != "learners":
        del keys["data"]["users"]
    match shape:
        case "tsv":
            event |= {"path": "log.tsv", "separator": "\t"}
        case "split":
            event |= {"path": "log.dat", "separator": "::"}
        case "latin":
            event |= {"path": "log.txt", "encoding": "latin-1"}
        case "gz":
            event |= {"path": "log.csv.gz"}
        case "parquet":
            event |= {"path": "log.parquet", "format": "parquet"}
    return keys


def _written(rows: Rows, shape: str) -> bytes:
    if shape == "parquet":
        frame = pl.DataFrame(rows[1:], schema=rows[0], orient="row")
        buffer = io.BytesIO()
        frame.with_columns(pl.col("at").cast(pl.Int64)).write_parquet(buffer)
        return buffer.getvalue()
    if shape == "split":
        return "\n".join("::".join(row) for row in rows).encode()
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="\t" if shape == "tsv" else ",", lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _damaged(content: bytes, shape: str, rng: random.Random) -> tuple[bytes, str]:
    if shape == "parquet" or rng.random() < 0.4:
        return mutate.octets(content, rng)
    if rng.random() < 0.5:
        return mutate.text(content.decode(), rng)
    lines = content.decode().split("\n")
    match rng.randrange(7):
        case 0:
            return content.decode().encode("utf-16"), "utf-16"
        case 1:
            return b"\xef\xbb\xbf" + content, "byte order mark"
        case 2:
            return content.replace(b"\n", b"\r\n"), "carriage returns"
        case 3:
            return content.replace(b"\n", b"\r"), "carriage returns alone"
        case 4:
            return "\n".join(lines[:1]).encode(), "header alone"
        case 5:
            lines[rng.randrange(len(lines))] += ',"open'
            return "\n".join(lines).encode(), "an open quote"
        case _:
            return "\n".join([lines[0]] * 2 + lines[1:]).encode(), "header twice"


def _wrong_cells(original: Rows, rng: random.Random) -> tuple[Rows, str]:
    rows = [list(row) for row in original]
    said = []
    harmless = [c for c in CELLS if _seconds(c) is not None or not c.strip()]
    for _ in range(rng.choice((1, 1, 3, 20, 300))):
        row, column = rng.randrange(1, len(rows)), rng.randrange(4)
        rows[row][column] = rng.choice(harmless if column == 2 and rng.random() < 0.8 else CELLS)
        said.append(f"row {row} {rows[0][column]} {rows[row][column]!r}")
    return rows, "; ".join(said[:5])
